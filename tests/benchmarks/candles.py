"""Candles in and out of PostgreSQL, beside the floor (the same rows through bare COPY) in the same run.

    python -m tests.benchmarks.candles [rows] [repeats]

Uses the database of the settings and a table of its own, dropped at the end. Prints medians.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.dev")
django.setup()

from django.db import connection, transaction  # noqa: E402

from apps.common.copy import Layout, Wire, copy_in, copy_out, uuid_array  # noqa: E402
from apps.core.vocabulary import Timeframe  # noqa: E402
from apps.markets.candle_schema import CandleBackend, create_sql, drop_sql  # noqa: E402
from apps.markets.candles import CandleRepository  # noqa: E402
from apps.markets.contracts import CandleSource  # noqa: E402
from apps.markets.domain.bars import CandleBatch, from_micros  # noqa: E402

TABLE = "benchmark_candle"
FLOOR = "benchmark_floor"
_NAMES = ("opened_at", "open", "high", "low", "close", "volume")
FLOOR_LAYOUT = Layout((("id", Wire.UUID), *((name, Wire.TIMESTAMPTZ if name == "opened_at" else Wire.BIGINT) for name in _NAMES)))
MINUTE_US = 60_000_000


def random_walk(count: int, seed: int = 7) -> CandleBatch:
    """One-minute bars of a random walk from 2019 on."""
    generator = np.random.default_rng(seed)
    close = 1_000_000 + np.cumsum(generator.integers(-50, 51, count))
    open_ = np.roll(close, 1)
    open_[0] = close[0]
    high, low = np.maximum(open_, close) + 20, np.minimum(open_, close) - 20
    opened = int(datetime(2019, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 + np.arange(count) * MINUTE_US
    volume = generator.integers(1, 10_000, count)
    return CandleBatch(opened, opened + MINUTE_US, open_, high, low, close, volume, np.zeros(count, np.int64))


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def reset() -> None:
    execute(*drop_sql(TABLE), *create_sql(CandleBackend.NATIVE, TABLE), "CHECKPOINT")


def reset_floor() -> None:
    columns = ", ".join(f"{name} {'timestamptz' if name == 'opened_at' else 'bigint'} NOT NULL" for name in _NAMES)
    execute(
        f"DROP TABLE IF EXISTS {FLOOR}", f"CREATE TABLE {FLOOR} (id uuid NOT NULL, {columns}, PRIMARY KEY (id, opened_at))", "CHECKPOINT"
    )


def median(label: str, rows: int, repeats: int, action: Callable[[], object], before: Callable[[], None] | None = None) -> float:
    seconds = []
    for _ in range(repeats):
        if before:
            before()
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    middle = statistics.median(seconds)
    print(f"{label:<46} {middle:8.3f} s {rows / middle:>12,.0f} rows/s   runs {[round(item, 3) for item in seconds]}")
    return middle


def main(count: int, repeats: int) -> None:
    batch = random_walk(count)
    corrected = CandleBatch(**{**vars(batch), "high": batch.high + (np.arange(count) % 100 == 0)})
    instrument, venue = uuid4(), uuid4()
    store = CandleRepository(backend=CandleBackend.NATIVE, table=TABLE)
    code = uuid_array([instrument])[0].reshape(())
    arrays = {"id": code, **{name: getattr(batch, name) for name in _NAMES}}

    def floor_write() -> None:
        with transaction.atomic():
            copy_in(FLOOR, FLOOR_LAYOUT, arrays)

    def write(values: CandleBatch) -> None:
        store.write([(instrument, values)], scope=venue, timeframe=Timeframe.M1, source=CandleSource.FILES)

    def filled() -> None:
        reset()
        write(batch)

    median("write: bare COPY, 7 columns, key (floor)", count, repeats, floor_write, reset_floor)
    median("write: new candles", count, repeats, lambda: write(batch), reset)
    median("write: the same candles again (no change)", count, repeats, lambda: write(batch))
    median("write: one in a hundred corrected", count, repeats, lambda: write(corrected), filled)
    filled()
    execute(f"VACUUM ANALYZE {TABLE}", f"VACUUM ANALYZE {FLOOR}")
    query = f"SELECT {', '.join(FLOOR_LAYOUT.names)} FROM {FLOOR}"
    median("read: bare COPY, 7 columns (floor)", count, repeats, lambda: copy_out(query, [], FLOOR_LAYOUT))
    median("read: all candles", count, repeats, lambda: store.between(instrument, Timeframe.M1))
    until = from_micros(int(batch.closed_at[-1]))
    window(store, instrument, until)
    execute(*drop_sql(TABLE), f"DROP TABLE {FLOOR}")


def window(store: CandleRepository, instrument: UUID, until: datetime) -> None:
    """A window of 300 bars, the read of every decision."""
    seconds = []
    for step in range(200):
        start = time.perf_counter()
        store.window(instrument, Timeframe.M1, until=until - timedelta(minutes=step), count=300)
        seconds.append(time.perf_counter() - start)
    print(
        f"{'read: window of 300 bars':<46} {statistics.median(seconds) * 1000:8.3f} ms median, {max(seconds) * 1000:.3f} ms largest of 200"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
