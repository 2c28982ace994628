"""Asking for backtests, stopping and deleting them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from django.db import transaction

from apps.backtests.contracts import RunDeleted, RunRequested
from apps.backtests.domain.checks import check_capital, check_config
from apps.backtests.domain.config import RunConfig, config_from_json
from apps.backtests.domain.families import family_of, symbols_text
from apps.backtests.domain.runners import check_strategy, modes_for
from apps.backtests.domain.states import RunState
from apps.backtests.domain.trials import RunPurpose
from apps.backtests.domain.walking import candidates
from apps.backtests.models import BacktestRun
from apps.backtests.services.ending import end_unowned
from apps.backtests.services.ledger import open_family
from apps.backtests.services.loading import instruments_of, require_bars, with_fixed_end
from apps.backtests.services.queue import RUN_TASK, send_on_commit
from apps.core.errors import Conflict, NotFound
from apps.events.services import record_event


def request_run(
    config: RunConfig, actor: str, *, is_queued: bool = True, purpose: RunPurpose = RunPurpose.SINGLE, sweep_id: UUID | None = None
) -> UUID:
    """Store a run and wake a worker for it once the transaction commits; returns its id.

    An open end becomes that of the newest bar. Everything that can be told beforehand is checked first: NotFound for an unknown strategy or instrument, InvalidInput or OutOfBounds
    for values, dates without bars, and a capital that cannot be reckoned with. With `is_queued` false the caller executes it.
    """
    symbols = check_request(config)
    config = with_fixed_end(config)
    with transaction.atomic():
        run = BacktestRun.objects.create(
            config=config.to_json(),
            strategy=config.strategy,
            symbols=symbols_text(symbols),
            timeframe=config.market_data,
            mode=config.mode,
            profile=config.profile,
            score=config.score,
            seed=config.seed,
            purpose=purpose,
            fingerprint=config.fingerprint(),
            family=open_family(family_of(config.strategy, symbols, config.market_data)),
            sweep_id=sweep_id,
            requested_by=actor[:150],
        )
        record_event(
            RunRequested(run_id=run.id, strategy=run.strategy, symbols=run.symbols, timeframe=run.timeframe),
            occurred_at=datetime.now(UTC),
            actor=actor,
            subject=str(run.id),
        )
        if is_queued:
            send_on_commit(RUN_TASK, run_id=run.id)
    return run.id


def fastest_mode(config: RunConfig) -> RunConfig:
    """The configuration in the fastest mode that its strategy knows; as it is where none knows it, for the refusal to say so."""
    found = modes_for(config)
    return msgspec.structs.replace(config, mode=found[0]) if found else config


def check_request(config: RunConfig) -> list[str]:
    """The symbols of a configuration that can be run; raises what says why it cannot."""
    check_config(config)
    check_strategy(config)
    for values in candidates(config.walk_forward.search):
        check_strategy(config.with_parameters(values))
    for file in (config.bar_file, config.tick_file):
        if file is not None:
            return [file.symbol]
    found = instruments_of(config)
    for spec in found:
        check_capital(config, spec)
        require_bars(config, spec)
    return [spec.symbol for spec in found]


def repeat_run(*, run_id: UUID, actor: str) -> UUID:
    """Ask for the same run once more; the same bars and code give the same fills."""
    return request_run(config_from_json(_run(run_id).config), actor)


def cancel_run(*, run_id: UUID, actor: str) -> RunState:
    """Stop a run: a waiting one at once, a running one within a second. Returns the state it is in; ending twice changes nothing."""
    with transaction.atomic():
        run = _run(run_id, is_locked=True)
        if run.state == RunState.QUEUED:
            end_unowned(run, RunState.CANCELLED, f"Cancelled by {actor} before it began.", now=datetime.now(UTC))
        elif run.state == RunState.RUNNING and not run.is_cancel_requested:
            run.is_cancel_requested = True
            run.save(update_fields=["is_cancel_requested"])
    return RunState(run.state)


def delete_run(*, run_id: UUID, actor: str) -> None:
    """Delete a run that is over, with its records; its line in the trial ledger stays. Raises Conflict while it waits or runs."""
    with transaction.atomic():
        run = _run(run_id, is_locked=True)
        if not RunState(run.state).is_over:
            raise Conflict(f"The run is {run.state.lower()}.", where="run_id", hint="Cancel it first.")
        record_event(
            RunDeleted(run_id=run.id, strategy=run.strategy, symbols=run.symbols),
            occurred_at=datetime.now(UTC),
            actor=actor,
            subject=str(run.id),
        )
        run.delete()


def _run(run_id: UUID, *, is_locked: bool = False) -> BacktestRun:
    rows = BacktestRun.objects.select_for_update() if is_locked else BacktestRun.objects.all()
    run = rows.filter(id=run_id).first()
    if run is None:
        raise NotFound(f"There is no backtest {run_id}.", where="run_id")
    return run
