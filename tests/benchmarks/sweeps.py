"""A sweep of an event strategy spread over Celery workers: by one worker and by two, through the queue, as a user asks for it.

Each point is a backtest in plain Python, so it keeps one core busy. Points a second need a quiet machine. Seconds of processor do not: they are
counted for the same points made in a plain loop, without queue and database, and for workers and servers; what one point costs more through
the queue is what the queue costs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import django
import psutil

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.dev")
os.environ["TRADING_COMPILE_KERNELS"] = "1"
django.setup()

from apps.backtests import selectors  # noqa: E402
from apps.backtests.contracts import RunConfig, RunMode, RunState, SweepMethod  # noqa: E402
from apps.backtests.domain.points import point_result  # noqa: E402
from apps.backtests.domain.runners import runner_of  # noqa: E402
from apps.backtests.domain.strategy_check import sample_bars  # noqa: E402
from apps.backtests.services import request_sweep  # noqa: E402
from apps.backtests.services.loading import load_bars  # noqa: E402
from apps.backtests.services.queue import COMPUTE_QUEUE  # noqa: E402
from apps.backtests.services.sweeps import search_points  # noqa: E402
from apps.backtests.services.warming import load_engine  # noqa: E402
from apps.common.heartbeats import process_health  # noqa: E402
from apps.core.vocabulary import Timeframe  # noqa: E402
from apps.markets.candles import candles  # noqa: E402
from apps.markets.contracts import CandleSource, ClockStatus, VenueKind  # noqa: E402
from apps.markets.domain.bars import CandleBatch, from_micros  # noqa: E402
from apps.markets.models import Instrument, Venue, VenueClock  # noqa: E402

SPACE = {"fast_bars": list(range(5, 29, 2)), "slow_bars": list(range(40, 140, 10))}
WARM_UP = {"fast_bars": [2, 3, 4, 5], "slow_bars": [200]}
BARS = 100_000
WORKERS = (1, 2)
ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS, _LOOK_SECONDS = 300.0, 0.2


@dataclass(frozen=True)
class Spread:
    """What a sweep took: seconds from its first point to its last, and seconds of processor in workers and in the servers."""

    seconds: float
    in_workers: float
    in_servers: float


def main() -> int:
    """Print what a point costs in a loop and through the queue, and points a second with one worker and with two."""
    load_engine()
    config = RunConfig(
        strategy="ema_cross", timeframe=Timeframe.M1, mode=RunMode.EVENT, instrument_ids=(_market(),), capital=Decimal(100_000)
    )
    points = search_points(config, SPACE, method=SweepMethod.GRID, budget=1_000, seed=0)
    count = len(points)
    alone = _in_a_loop(config, points)
    print(f"{count} points of {BARS:,} bars; in a loop {alone / count * 1000:.1f} ms of processor each")
    spread = [_through_the_queue(config, workers, count) for workers in WORKERS]
    for workers, found in zip(WORKERS, spread, strict=True):
        each = [seconds / count * 1000 for seconds in (found.in_workers, found.in_servers)]
        print(
            f"{workers} worker{'s' if workers > 1 else ''}: {count / found.seconds:.2f} points/s, "
            f"{each[0]:.1f} ms of processor each in workers and {each[1]:.1f} ms in the servers"
        )
    both = spread[-1]
    print(f"two over one: {spread[0].seconds / both.seconds:.2f} on {os.cpu_count()} cores")
    print(f"two over the loop, by processor time on two cores: at most {2 * alone / (both.in_workers + both.in_servers):.2f}")
    return 0


def _in_a_loop(config: RunConfig, points: list[dict[str, object]]) -> float:
    """Seconds of processor for all points in this process."""
    bars, runner = load_bars(config), runner_of(config)
    for warm in (True, False):
        began = time.process_time()
        for point in points[:2] if warm else points:
            records = runner.run(config.with_parameters(point), bars, progress=lambda *_: None, is_cancelled=lambda: False, seed=0)  # type: ignore[arg-type]
            point_result(records, bars, objective="sharpe")
    return time.process_time() - began


def _through_the_queue(config: RunConfig, count: int, points: int) -> Spread:
    with _workers(count) as workers:
        _warm_up(config, workers)
        processes = [psutil.Process(worker.pid) for worker in workers], _servers()
        before = [_processor_seconds(group) for group in processes]
        seconds = _sweep(config, SPACE)
        in_workers, in_servers = (_processor_seconds(group) - was for group, was in zip(processes, before, strict=True))
    return Spread(seconds, in_workers, in_servers)


@contextmanager
def _workers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many Celery workers of one process each, as `make run` starts its own, with the engine loaded."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "celery",
        "-q",
        "-A",
        "trading_system",
        "worker",
        "-Q",
        COMPUTE_QUEUE,
        "--pool=solo",
        "--loglevel=ERROR",
    ]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    names = [f"sweeper-{uuid4().hex[:8]}" for _ in range(count)]
    started = [
        subprocess.Popen([*command, *quiet, "-n", f"{name}@%h"], cwd=ROOT, env=os.environ | {"TRADING_PROCESS": name}) for name in names
    ]
    try:
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.wait()


def _warm_up(config: RunConfig, workers: list[subprocess.Popen[bytes]]) -> None:
    """Small sweeps until every worker has had a part of one: each says so with a heartbeat."""
    deadline, wanted = time.monotonic() + _READY_SECONDS, {worker.pid for worker in workers}
    while not wanted <= {item.pid for item in process_health(now=datetime.now(UTC))}:
        assert time.monotonic() < deadline, "the workers do not work"
        _sweep(config, WARM_UP)


def _sweep(config: RunConfig, space: dict[str, list[int]]) -> float:
    """Ask for the sweep and wait; returns the seconds between its start and its end."""
    sweep_id = request_sweep(config, space, "benchmark", method=SweepMethod.GRID)
    while not (found := selectors.sweep(sweep_id)).state.is_over:
        time.sleep(_LOOK_SECONDS)
    assert found.state is RunState.DONE and found.started_at and found.finished_at, found.error
    return (found.finished_at - found.started_at).total_seconds()


def _servers() -> list[psutil.Process]:
    """PostgreSQL's first process, which is charged for its finished children, and Redis."""
    return [process for process in psutil.Process().parent().children() if process.name() in ("postgres", "redis-server")]  # type: ignore[union-attr]


def _processor_seconds(processes: list[psutil.Process]) -> float:
    """Used so far by the processes and all their children, finished ones too; by our own connection as well."""
    used = 0.0
    for process in [item for top in processes for item in (top, *top.children(recursive=True))]:
        times = process.cpu_times()
        used += times.user + times.system
    return used + sum(times.children_user + times.children_system for times in (top.cpu_times() for top in processes))


def _market() -> UUID:
    """A library venue with bars of a random walk."""
    bars = sample_bars(BARS, seed=11, timeframe=Timeframe.M1)
    venue = Venue.objects.create(code=f"sweep-{uuid4().hex[:8]}", name="Sweeps", kind=VenueKind.LIBRARY, source="files")
    VenueClock.objects.create(venue=venue, status=ClockStatus.RUNNING, now_at=from_micros(int(bars.closed_at[-1])))
    row = Instrument.objects.create(
        venue=venue, symbol="SAMPLE", name="Sample", base_asset="SAMPLE", price_scale=2, tick_size=Decimal("0.01"), lot_size=Decimal(1),
        min_quantity=Decimal(1), max_price=Decimal(100_000), max_quantity=Decimal(100_000),
    )  # fmt: skip
    columns = ("opened_at", "closed_at", "open", "high", "low", "close", "volume", "flags")
    batch = CandleBatch(*(getattr(bars, name) for name in columns))
    candles().write([(row.id, batch)], scope=venue.id, timeframe=Timeframe.M1, source=CandleSource.FILES)
    return UUID(str(row.id))


if __name__ == "__main__":
    sys.exit(main())
