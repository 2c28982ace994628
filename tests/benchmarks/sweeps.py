"""A sweep spread over workers: the same points by one process and by two, each claiming chunks from the database.

The points are backtests through the decision cycle of sessions, plain Python, so each keeps one core busy.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.dev")
django.setup()

from apps.backtests import selectors  # noqa: E402
from apps.backtests.contracts import RunConfig, RunMode, RunState, SweepMethod  # noqa: E402
from apps.backtests.domain.strategy_check import sample_bars  # noqa: E402
from apps.backtests.models import SweepChunk  # noqa: E402
from apps.backtests.services import execute_chunk, request_sweep  # noqa: E402
from apps.core.vocabulary import Timeframe  # noqa: E402
from apps.markets.candles import candles  # noqa: E402
from apps.markets.contracts import CandleSource, ClockStatus, VenueKind  # noqa: E402
from apps.markets.domain.bars import CandleBatch, from_micros  # noqa: E402
from apps.markets.models import Instrument, Venue, VenueClock  # noqa: E402

POINTS = {"fast_bars": [10, 15, 20, 25], "slow_bars": [50, 60, 80]}
BARS = 1_500
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Print points a second for one and two processes and what the second one brings."""
    market = _market()
    rates = [_measure(market, workers) for workers in (1, 2)]
    for workers, rate in zip((1, 2), rates, strict=True):
        print(f"{workers} process{'es' if workers > 1 else ''}: {rate:.2f} points/s ({BARS} bars each)")
    print(f"two over one: {rates[1] / rates[0]:.2f} on {os.cpu_count()} cores")
    return 0


def work(sweep_id: str) -> None:
    """One worker: take chunks of the sweep until none is left; starts when its parent says so."""
    print("ready", flush=True)
    sys.stdin.readline()
    for chunk_id in SweepChunk.objects.filter(sweep_id=sweep_id).order_by("number").values_list("id", flat=True):
        execute_chunk(chunk_id)


def _measure(market: UUID, workers: int) -> float:
    config = RunConfig(
        strategy="momentum", timeframe=Timeframe.D1, mode=RunMode.SESSION, instrument_ids=(market,), capital=Decimal(100_000)
    )
    sweep_id = request_sweep(config, POINTS, "benchmark", method=SweepMethod.GRID)
    command = [sys.executable, "-m", "tests.benchmarks.sweeps", str(sweep_id)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(workers)]  # type: ignore[call-overload]
    for child in children:
        child.stdout.readline()
    began = time.perf_counter()
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.wait()
    seconds = time.perf_counter() - began
    found = selectors.sweep(sweep_id)
    assert found.state is RunState.DONE, found.error
    return found.progress.done / seconds


def _market() -> UUID:
    """A library venue with bars of a random walk."""
    bars = sample_bars(BARS, seed=11, timeframe=Timeframe.D1)
    venue = Venue.objects.create(code=f"sweep-{uuid4().hex[:8]}", name="Sweeps", kind=VenueKind.LIBRARY, source="files")
    VenueClock.objects.create(venue=venue, status=ClockStatus.RUNNING, now_at=from_micros(int(bars.closed_at[-1])))
    row = Instrument.objects.create(
        venue=venue, symbol="SAMPLE", name="Sample", base_asset="SAMPLE", price_scale=2, tick_size=Decimal("0.01"), lot_size=Decimal(1),
        min_quantity=Decimal(1), max_price=Decimal(100_000), max_quantity=Decimal(100_000),
    )  # fmt: skip
    columns = ("opened_at", "closed_at", "open", "high", "low", "close", "volume", "flags")
    batch = CandleBatch(*(getattr(bars, name) for name in columns))
    candles().write([(row.id, batch)], scope=venue.id, timeframe=Timeframe.D1, source=CandleSource.FILES)
    return UUID(str(row.id))


if __name__ == "__main__":
    sys.exit(work(sys.argv[1]) if len(sys.argv) > 1 else main())
