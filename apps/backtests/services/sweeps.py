"""Asking for sweeps, stopping them, and making a run of one of their points."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from apps.backtests.adapters.searching import new_search
from apps.backtests.contracts import SweepRequested
from apps.backtests.domain.config import RunConfig, ScoreMode, config_from_json
from apps.backtests.domain.families import family_of, symbols_text
from apps.backtests.domain.optimise import Point, Space, build_space
from apps.backtests.domain.points import check_objective
from apps.backtests.domain.runners import RunsPoints, check_strategy, parameter_specs, runner_of
from apps.backtests.domain.states import RunState, SweepMethod
from apps.backtests.models import Sweep, SweepChunk, SweepTrial
from apps.backtests.services.ledger import open_family
from apps.backtests.services.loading import with_fixed_end
from apps.backtests.services.queue import CHUNK_TASK, send_on_commit
from apps.backtests.services.requests import check_request, request_run
from apps.backtests.services.sweep_ending import end_sweep_if_over
from apps.core.errors import Conflict, InvalidInput, NotFound, TradingError
from apps.events.services import record_event

LARGEST_BUDGET = 20_000
LARGEST_OPTUNA_BUDGET = 2_000
_CHUNKS = 32
_POINTS_AT_ONCE = 2_000


def request_sweep(
    config: RunConfig,
    space: dict[str, Any],
    actor: str,
    *,
    method: SweepMethod,
    objective: str = "sharpe",
    budget: int = 1_000,
    seed: int = 0,
) -> UUID:
    """Store a sweep and its chunks and wake workers for them once the transaction commits; returns its id.

    `space` has a list of values, or bounds, by parameter, see `optimise.build_space`. `budget` is the number of points of a random or Optuna
    search and the most that a grid may have. Raises what `request_run` raises, and InvalidInput for a space, budget or objective that cannot be used.
    """
    config = msgspec.structs.replace(config, score=ScoreMode.PLAIN)
    symbols = check_request(config)
    config = with_fixed_end(config)
    check_objective(objective)
    points = count_points(config, space, method=method, budget=budget, seed=seed)
    with transaction.atomic():
        sweep = Sweep.objects.create(
            strategy=config.strategy,
            symbols=symbols_text(symbols),
            timeframe=config.market_data,
            config=config.to_json(),
            space=space,
            method=method,
            objective=objective,
            budget=points,
            seed=seed,
            family=open_family(family_of(config.strategy, symbols, config.market_data)),
            progress_total=points,
            requested_by=actor[:150],
        )
        for chunk in SweepChunk.objects.bulk_create(_chunks(sweep, config)):
            send_on_commit(CHUNK_TASK, chunk_id=chunk.id)
        record_event(
            SweepRequested(sweep_id=sweep.id, strategy=sweep.strategy, symbols=sweep.symbols, points=points),
            occurred_at=datetime.now(UTC),
            actor=actor,
            subject=str(sweep.id),
        )
    return sweep.id


def count_points(config: RunConfig, space: dict[str, Any], *, method: SweepMethod, budget: int, seed: int) -> int:
    """How many points the sweep will have; raises InvalidInput where it cannot be made."""
    largest = LARGEST_OPTUNA_BUDGET if method is SweepMethod.OPTUNA else LARGEST_BUDGET
    if not 1 <= budget <= largest:
        raise InvalidInput(f"The budget must be from 1 to {largest}, got {budget}.", where="budget")
    if method is SweepMethod.OPTUNA:
        build_space(parameter_specs(config), space)
        return budget
    search = search_points(config, space, method=method, budget=budget, seed=seed)
    return len(search)


def search_points(config: RunConfig, space: dict[str, Any], *, method: SweepMethod, budget: int, seed: int) -> list[Point]:
    """Every point of a grid or a random search, in their order; the same arguments give the same points."""
    search = new_search(method, space_of(config, space), budget=budget, seed=seed, is_allowed=lambda point: is_allowed(config, point))
    found: list[Point] = []
    for _ in count():
        suggestion = search.ask()
        if suggestion is None:
            return found
        found.append(suggestion.parameters)
    return found


def space_of(config: RunConfig, space: dict[str, Any]) -> Space:
    """The search space of a strategy; raises InvalidInput."""
    return build_space(parameter_specs(config), space)


def is_allowed(config: RunConfig, point: Point) -> bool:
    """Whether the strategy takes these parameters together."""
    try:
        check_strategy(config.with_parameters(point))
    except TradingError:
        return False
    return True


def cancel_sweep(*, sweep_id: UUID, actor: str) -> RunState:
    """Stop a sweep: what waits at once, what runs within a second; finished points stay. Returns the state it is in."""
    with transaction.atomic():
        sweep = _sweep(sweep_id)
        if RunState(sweep.state).is_over:
            return RunState(sweep.state)
        sweep.is_cancel_requested = True
        sweep.message = f"Cancelled by {actor}."[:300]
        sweep.save(update_fields=["is_cancel_requested", "message"])
        now = datetime.now(UTC)
        sweep.chunks.filter(state=RunState.QUEUED).update(state=RunState.CANCELLED, finished_at=now)
        return end_sweep_if_over(sweep.id, now=now)


def delete_sweep(*, sweep_id: UUID) -> None:
    """Delete a sweep that is over, with its points; its lines in the trial ledger and the runs made of it stay. Raises Conflict."""
    with transaction.atomic():
        sweep = _sweep(sweep_id)
        if not RunState(sweep.state).is_over:
            raise Conflict(f"The sweep is {sweep.state.lower()}.", where="sweep_id", hint="Cancel it first.")
        sweep.delete()


def run_point(*, sweep_id: UUID, number: int, actor: str) -> UUID:
    """Ask for a whole backtest of one point, with orders, fills and tear sheet; raises NotFound."""
    trial = SweepTrial.objects.select_related("sweep").filter(sweep_id=sweep_id, number=number).first()
    if trial is None:
        raise NotFound(f"The sweep {sweep_id} has no point {number} (yet).", where="number")
    config = config_from_json(trial.sweep.config).with_parameters(trial.parameters)
    return request_run(msgspec.structs.replace(config, score=ScoreMode.WALK_FORWARD), actor, sweep_id=sweep_id)


def _chunks(sweep: Sweep, config: RunConfig) -> list[SweepChunk]:
    """Optuna learns from point to point, so its sweep is one chunk; others are cut so that many workers have something to do."""
    if sweep.method == SweepMethod.OPTUNA:
        size = sweep.budget
    elif isinstance(runner_of(config), RunsPoints):
        size = _POINTS_AT_ONCE
    else:
        size = -(-sweep.budget // _CHUNKS)
    firsts = range(0, sweep.budget, size)
    return [
        SweepChunk(sweep=sweep, number=number, first=first, count=min(size, sweep.budget - first)) for number, first in enumerate(firsts)
    ]


def _sweep(sweep_id: UUID) -> Sweep:
    sweep = Sweep.objects.select_for_update().filter(id=sweep_id).first()
    if sweep is None:
        raise NotFound(f"There is no sweep {sweep_id}.", where="sweep_id")
    return sweep
