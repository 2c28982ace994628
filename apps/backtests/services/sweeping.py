"""Making the points of a sweep: a chunk at a time, by whoever claims it. Points that are stored are not made again after a crash."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import msgspec
import structlog
from django.db import InterfaceError, OperationalError

from apps.backtests.adapters.searching import new_search
from apps.backtests.domain.config import RunConfig, config_from_json
from apps.backtests.domain.optimise import Point, Told
from apps.backtests.domain.points import PointResult, point_result, score_of
from apps.backtests.domain.runners import RunCancelled, RunsPoints, runner_of
from apps.backtests.domain.states import RunState, SweepMethod
from apps.backtests.models import Sweep, SweepChunk, SweepTrial
from apps.backtests.services.claims import Claim, claim
from apps.backtests.services.errors import as_told
from apps.backtests.services.loading import data_hash, load_bars
from apps.backtests.services.sweep_ending import end_chunk, start_sweep, store_points
from apps.backtests.services.sweeps import is_allowed, search_points, space_of
from apps.backtests.services.watching import RunStalled, Watch
from apps.common.failpoints import failpoint
from apps.core.clock import Clock, WallClock
from apps.core.errors import OwnershipLost
from apps.markets.contracts import BarWindow

log = structlog.get_logger(__name__)

_WALL = WallClock()
_STORE_SECONDS = 1.0
_STORE_POINTS = 200
_LARGEST_BATCH = 256


@dataclass
class _Work:
    """A claimed chunk with what is needed to make its points; results are stored about once a second."""

    held: Claim
    sweep: Sweep
    chunk: SweepChunk
    config: RunConfig
    bars: tuple[BarWindow, ...]
    watch: Watch
    made: list[tuple[int, Point, PointResult]] = field(default_factory=list)
    stored_at: float = field(default_factory=time.monotonic)

    def add(self, number: int, point: Point, result: PointResult) -> None:
        self.made.append((number, point, result))
        if len(self.made) >= _STORE_POINTS or time.monotonic() - self.stored_at >= _STORE_SECONDS:
            self.store()

    def store(self) -> None:
        store_points(self.held, self.sweep, self.config, self.made)
        self.made, self.stored_at = [], time.monotonic()
        failpoint("backtests.points_stored")


def execute_chunk(chunk_id: UUID, *, clock: Clock = _WALL) -> bool:
    """Claim the chunk and make its points; False if it was not to be had. A point that fails is kept as failed and the others go on."""
    held = claim(SweepChunk, chunk_id, now=clock.now())
    if held is None:
        return False
    chunk = SweepChunk.objects.select_related("sweep").get(id=chunk_id)
    sweep = chunk.sweep
    watch = Watch(
        held,
        clock=clock,
        wants_stop=lambda: Sweep.objects.filter(id=sweep.id, is_cancel_requested=True).exists(),
        announce_as={"kind": "sweep", "id": str(sweep.id)},
    )
    try:
        with watch:
            _make_chunk(held, sweep, chunk, watch, clock)
        end_chunk(held, sweep.id, RunState.DONE, "", now=clock.now())
    except (OperationalError, InterfaceError):
        raise
    except OwnershipLost as error:
        log.warning("sweep_chunk_taken_over", chunk_id=str(chunk_id), error=str(error))
        return False
    except RunCancelled:
        return not watch.is_lost and _end(held, sweep, RunState.CANCELLED, "", clock)
    except Exception as error:
        log.warning("sweep_chunk_failed", chunk_id=str(chunk_id), exc_info=error)
        return _end(held, sweep, RunState.FAILED, str(as_told(error)), clock)
    return True


def _make_chunk(held: Claim, sweep: Sweep, chunk: SweepChunk, watch: Watch, clock: Clock) -> None:
    config = config_from_json(sweep.config)
    bars, found = _bars(msgspec.json.encode(sweep.config))
    start_sweep(held, sweep.id, found, now=clock.now())
    work = _Work(held, sweep, chunk, config, bars, watch)
    watch.progress(0, chunk.count)
    if sweep.method == SweepMethod.OPTUNA:
        _make_searched(work)
    elif isinstance(runner_of(config), RunsPoints):
        _make_together(work)
    else:
        _make_each(work)
    work.store()


@lru_cache(maxsize=1)
def _bars(config: bytes) -> tuple[tuple[BarWindow, ...], str]:
    """The bars of a sweep, kept for its next chunk in this process; the hash tells when they have changed in between."""
    bars = load_bars(config_from_json(msgspec.json.decode(config)))
    return bars, data_hash(bars)


@lru_cache(maxsize=1)
def _points(sweep_id: UUID) -> list[Point]:
    """All points of a sweep, kept for its next chunk in this process: checking each of many thousands takes longer than a chunk may."""
    sweep = Sweep.objects.get(id=sweep_id)
    config = config_from_json(sweep.config)
    return search_points(config, sweep.space, method=SweepMethod(sweep.method), budget=sweep.budget, seed=sweep.seed)


def _waiting(work: _Work) -> Iterator[tuple[int, Point]]:
    """The chunk's points that are not stored yet."""
    sweep, chunk = work.sweep, work.chunk
    points, end = _points(sweep.id), chunk.first + chunk.count
    stored = SweepTrial.objects.filter(sweep=sweep, number__gte=chunk.first, number__lt=end)
    done = set(stored.values_list("number", flat=True))
    for number in range(chunk.first, end):
        if number not in done:
            yield number, points[number]


def _make_each(work: _Work) -> None:
    for number, point in _waiting(work):
        work.add(number, point, _made(work, point))
        work.watch.progress(number + 1 - work.chunk.first, work.chunk.count)


def _make_together(work: _Work) -> None:
    runner = runner_of(work.config)
    assert isinstance(runner, RunsPoints)
    judged = msgspec.structs.replace(work.config.walk_forward, objective=work.sweep.objective)
    config = msgspec.structs.replace(work.config, walk_forward=judged)
    waiting = list(_waiting(work))
    for first in range(0, len(waiting), _LARGEST_BATCH):
        batch = waiting[first : first + _LARGEST_BATCH]
        results = runner.run_points(
            config,
            work.bars,
            [point for _, point in batch],
            progress=work.watch.touch,
            is_cancelled=work.watch.is_cancelled,
            seed=config.seed,
        )
        for (number, point), result in zip(batch, results, strict=True):
            work.add(number, point, result)
        work.watch.progress(first + len(batch), len(waiting))


def _make_searched(work: _Work) -> None:
    """Ask, make and tell, point by point; what an earlier worker stored is told first."""
    sweep = work.sweep
    told = [Told(row.number, row.parameters, row.score) for row in sweep.trials.order_by("number")]
    search = new_search(
        SweepMethod.OPTUNA, space_of(work.config, sweep.space), budget=sweep.budget, seed=sweep.seed, told=told,
        is_allowed=lambda point: is_allowed(work.config, point),
    )  # fmt: skip
    for done in range(len(told), sweep.budget):
        suggestion = search.ask()
        if suggestion is None:
            return
        result = _made(work, suggestion.parameters)
        search.tell(suggestion.number, score_of(result.metrics, sweep.objective) if result.metrics else None)
        work.add(suggestion.number, suggestion.parameters, result)
        work.watch.progress(done + 1, sweep.budget)


def _made(work: _Work, point: Point) -> PointResult:
    """One point; what its strategy raises is kept as its error."""
    config = work.config.with_parameters(point)
    if work.watch.is_cancelled():
        raise RunCancelled("The sweep was cancelled.")
    try:
        records = runner_of(config).run(
            config, work.bars, progress=work.watch.touch, is_cancelled=work.watch.is_cancelled, seed=config.seed
        )
        return point_result(records, work.bars, objective=work.sweep.objective)
    except (RunCancelled, RunStalled, OwnershipLost, OperationalError, InterfaceError):
        raise
    except Exception as error:  # the strategy's own code
        return PointResult(error=str(as_told(error)))


def _end(held: Claim, sweep: Sweep, state: RunState, error: str, clock: Clock) -> bool:
    try:
        end_chunk(held, sweep.id, state, error, now=clock.now())
    except OwnershipLost as lost:
        log.warning("sweep_chunk_taken_over", chunk_id=str(held.id), error=str(lost))
        return False
    return True
