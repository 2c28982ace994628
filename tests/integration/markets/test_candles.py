"""The conformance suite of the candle repository, over every backend that this server offers."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import IntegrityError, connection

from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe
from apps.markets.candle_schema import TABLE, CandleBackend, available_backend, create_sql, current_backend, drop_sql
from apps.markets.candles import CandleRepository, WriteResult, timeframe_code
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import CandleBatch

HOUR = 3_600_000_000
NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)
START = int(NEW_YEAR.timestamp()) * 1_000_000
SUITE_TABLE = "suite_candle"
BACKENDS = [CandleBackend.NATIVE, *([CandleBackend.TIMESCALE] if os.environ.get("TEST_TIMESCALE") else [])]
"""TEST_TIMESCALE=1 adds the hypertable where the server of the tests has the extension."""


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[CandleRepository]:
    execute(*create_sql(request.param, SUITE_TABLE))
    yield CandleRepository(backend=request.param, table=SUITE_TABLE)
    execute(*drop_sql(SUITE_TABLE))


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def hours(count: int, *, first: int = 0, close: int = 100) -> CandleBatch:
    """Hourly bars from New Year 2020 on; the close grows by one each hour."""
    opened = START + (first + np.arange(count)) * HOUR
    price = close + first + np.arange(count)
    whole = np.full(count, 5, np.int64)
    return CandleBatch(opened, opened + HOUR, price, price + 2, price - 2, price, whole, np.zeros(count, np.int64))


def corrected(batch: CandleBatch, index: int, close: int) -> CandleBatch:
    closes, highs = batch.close.copy(), batch.high.copy()
    closes[index], highs[index] = close, max(close, highs[index])
    return CandleBatch(batch.opened_at, batch.closed_at, batch.open, highs, batch.low, closes, batch.volume, batch.flags)


class Writer:
    """Writes bars of one instrument."""

    def __init__(self, store: CandleRepository) -> None:
        self.store = store
        self.instrument = uuid4()
        self.venue = uuid4()

    def write(self, batch: CandleBatch, *, known_at: datetime | None = None, revised_at: datetime | None = None) -> WriteResult:
        return self.store.write(
            [(self.instrument, batch)],
            scope=self.venue,
            timeframe=Timeframe.H1,
            source=CandleSource.FILES,
            known_at=known_at,
            revised_at=revised_at,
        )

    def read(self, *, as_of: datetime | None = None) -> list[int]:
        return self.store.between(self.instrument, Timeframe.H1, as_of=as_of).close.tolist()


@pytest.fixture
def writer(store: CandleRepository) -> Writer:
    return Writer(store)


def test_what_is_written_is_read_to_the_last_unit(writer: Writer) -> None:
    batch = hours(50, first=8760 - 20)
    assert writer.write(batch) == WriteResult(50, 0, 0)
    back = writer.store.between(writer.instrument, Timeframe.H1)
    for name in vars(batch):
        assert getattr(back, name).tolist() == getattr(batch, name).tolist()


def test_the_largest_values_survive(writer: Writer) -> None:
    most = np.array([2**61])
    opened = np.array([START])
    writer.write(CandleBatch(opened, opened + 1, most, most, most, most, most, np.array([7])))
    assert writer.read() == [2**61]


def test_the_same_pull_again_writes_nothing(writer: Writer) -> None:
    writer.write(hours(10))
    assert writer.write(hours(10), known_at=NEW_YEAR + timedelta(days=9)) == WriteResult(0, 0, 10)
    assert writer.store.revisions(writer.instrument, Timeframe.H1) == 0


def test_an_overlapping_pull_adds_what_is_new(writer: Writer) -> None:
    writer.write(hours(10))
    assert writer.write(hours(10, first=5)) == WriteResult(5, 0, 5)
    assert writer.read() == list(range(100, 115))


def test_a_changed_value_is_a_new_revision_and_the_old_one_stays(writer: Writer) -> None:
    known, later = NEW_YEAR + timedelta(days=1), NEW_YEAR + timedelta(days=2)
    writer.write(hours(3), known_at=known)
    assert writer.write(corrected(hours(3), 1, 150), known_at=later) == WriteResult(0, 1, 2)
    assert writer.read() == [100, 150, 102]
    assert writer.read(as_of=later) == [100, 150, 102]
    assert writer.read(as_of=later - timedelta(microseconds=1)) == [100, 101, 102]
    assert writer.read(as_of=known - timedelta(microseconds=1)) == []
    assert writer.store.revisions(writer.instrument, Timeframe.H1) == 1


def test_a_value_that_changes_back_is_a_third_revision(writer: Writer) -> None:
    for day, close in enumerate((101, 150, 101)):
        writer.write(corrected(hours(3), 1, close), known_at=NEW_YEAR + timedelta(days=1 + day))
    assert writer.read() == [100, 101, 102]
    assert writer.store.revisions(writer.instrument, Timeframe.H1) == 2


def test_revisions_are_later_than_what_they_correct_whatever_the_clock_says(writer: Writer) -> None:
    writer.write(hours(3), known_at=NEW_YEAR + timedelta(days=5))
    writer.write(corrected(hours(3), 1, 150), known_at=NEW_YEAR)
    assert writer.read() == [100, 150, 102]


def test_bars_without_a_time_of_knowledge_were_known_as_they_closed(writer: Writer) -> None:
    writer.write(hours(3))
    assert writer.read(as_of=NEW_YEAR + timedelta(hours=2)) == [100, 101]
    writer.write(corrected(hours(3), 0, 99), revised_at=NEW_YEAR + timedelta(days=30))
    assert writer.read(as_of=NEW_YEAR + timedelta(days=29)) == [100, 101, 102]
    assert writer.read() == [99, 101, 102]


def test_a_window_is_the_newest_bars_closed_in_time(writer: Writer) -> None:
    writer.write(hours(100))
    until = NEW_YEAR + timedelta(hours=40)
    window = writer.store.window(writer.instrument, Timeframe.H1, until=until, count=5)
    assert window.close.tolist() == [135, 136, 137, 138, 139]
    almost = writer.store.window(writer.instrument, Timeframe.H1, until=until - timedelta(microseconds=1), count=2)
    assert almost.close.tolist() == [137, 138]
    assert writer.store.window(writer.instrument, Timeframe.H1, until=None, count=3).close.tolist() == [197, 198, 199]
    assert len(writer.store.window(writer.instrument, Timeframe.H1, until=until, count=300)) == 40
    assert len(writer.store.window(writer.instrument, Timeframe.H1, until=NEW_YEAR, count=3)) == 0


def test_a_window_reaches_over_a_long_break(writer: Writer) -> None:
    writer.write(hours(3))
    writer.write(hours(2, first=24 * 400))
    until = NEW_YEAR + timedelta(days=500)
    assert writer.store.window(writer.instrument, Timeframe.H1, until=until, count=4).close.tolist() == [101, 102, 9700, 9701]


def test_a_window_counts_bars_not_revisions(writer: Writer) -> None:
    writer.write(hours(5))
    for day in range(3):
        writer.write(corrected(hours(5), 3, 200 + day), known_at=NEW_YEAR + timedelta(days=2 + day))
    assert writer.store.window(writer.instrument, Timeframe.H1, until=NEW_YEAR + timedelta(days=9), count=3).close.tolist() == [
        102,
        202,
        104,
    ]


def test_several_instruments_in_one_write_and_by_closing_time(store: CandleRepository) -> None:
    ids = [uuid4() for _ in range(3)]
    items = [(ids[0], hours(4)), (ids[1], hours(3, first=1, close=500)), (ids[2], hours(0))]
    options = {"scope": uuid4(), "timeframe": Timeframe.H1, "source": CandleSource.FILES}
    assert store.write(items, **options) == WriteResult(7, 0, 0)  # type: ignore[arg-type]
    changed = [(ids[0], corrected(hours(4), 2, 300)), (ids[1], hours(4, first=1, close=500))]
    assert store.write(changed, **options) == WriteResult(1, 1, 6)  # type: ignore[arg-type]
    found = store.closed_exactly(ids, Timeframe.H1, NEW_YEAR + timedelta(hours=3))
    assert {key: batch.close.tolist() for key, batch in found.items()} == {ids[0]: [300], ids[1]: [502]}
    assert store.closed_exactly(ids[:1], Timeframe.H1, NEW_YEAR) == {}


def test_closing_times_after_a_time(store: CandleRepository) -> None:
    ids = [uuid4(), uuid4()]
    store.write([(ids[0], hours(4)), (ids[1], hours(6, first=2))], scope=uuid4(), timeframe=Timeframe.H1, source=CandleSource.FILES)

    def closes(after: int, until: int, limit: int = 100) -> list[int]:
        found = store.closes_between(
            ids, Timeframe.H1, after=NEW_YEAR + timedelta(hours=after), until=NEW_YEAR + timedelta(hours=until), limit=limit
        )
        return [int((item - NEW_YEAR).total_seconds()) // 3600 for item in found]

    assert closes(0, 8) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert closes(2, 6) == [3, 4, 5, 6]
    assert closes(2, 8, limit=2) == [3, 4]
    assert closes(8, 20) == []


def test_timeframes_do_not_mix(writer: Writer) -> None:
    writer.write(hours(3))
    assert len(writer.store.between(writer.instrument, Timeframe.M1)) == 0
    assert [timeframe_code(item) for item in Timeframe] == [1, 5, 15, 60, 240, 1440]


def test_bars_out_of_order_are_refused(writer: Writer) -> None:
    batch = hours(3)
    with pytest.raises(InvalidInput, match="ascending"):
        writer.write(batch.take(np.array([0, 2, 1])))
    with pytest.raises(InvalidInput, match="ascending"):
        writer.write(batch.take(np.array([0, 0])))
    assert writer.read() == []


def test_the_database_refuses_bars_that_cannot_be(writer: Writer) -> None:
    bad = hours(3)
    bad.low[1] = bad.high[1] + 1
    with pytest.raises(IntegrityError):
        writer.write(bad)
    assert writer.read() == []


def test_writers_at_once_leave_one_revision_of_each_bar(writer: Writer) -> None:
    results: list[WriteResult] = []
    start = threading.Barrier(4)

    def pull(number: int) -> None:
        try:
            start.wait()
            results.append(writer.write(hours(2000, first=number), known_at=NEW_YEAR + timedelta(days=365 + number)))
        finally:
            connection.close()

    threads = [threading.Thread(target=pull, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.inserted for result in results) == 2003
    assert sum(result.revised for result in results) == 0
    assert writer.read() == list(range(100, 2103))
    assert writer.store.revisions(writer.instrument, Timeframe.H1) == 0


def test_years_get_their_partitions(writer: Writer) -> None:
    writer.write(hours(2, first=-1))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM pg_inherits WHERE inhparent = '{SUITE_TABLE}'::regclass")
        assert cursor.fetchone() == (2,)


def test_a_thousand_bars_are_read_in_order_from_an_unordered_table(writer: Writer) -> None:
    for first in (500, 0, 250, 750):
        writer.write(hours(250, first=first))
    assert writer.read() == list(range(100, 1100))


@pytest.mark.django_db
def test_the_table_of_this_database_is_native_partitions() -> None:
    assert current_backend(TABLE) is CandleBackend.NATIVE
    assert available_backend() in CandleBackend


def test_the_sql_of_both_backends_has_the_same_columns_and_key() -> None:
    native, hyper = create_sql(CandleBackend.NATIVE, "c"), create_sql(CandleBackend.TIMESCALE, "c")
    assert native[0].endswith("PARTITION BY RANGE (opened_at)")
    assert hyper[0] == "CREATE EXTENSION IF NOT EXISTS timescaledb"
    assert hyper[1] == native[0].removesuffix(" PARTITION BY RANGE (opened_at)")
    assert hyper[2] == "SELECT create_hypertable('c', by_range('opened_at', INTERVAL '1 year'), create_default_indexes => false)"
    assert "PRIMARY KEY (instrument_id, timeframe, opened_at, known_at)" in hyper[1]


@pytest.mark.django_db
def test_a_hypertable_needs_no_partitions_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extension is not here, so a plain table stands for the hypertable: our code must leave its chunks alone."""
    execute(create_sql(CandleBackend.TIMESCALE, SUITE_TABLE)[1])
    writer = Writer(CandleRepository(backend=CandleBackend.TIMESCALE, table=SUITE_TABLE))
    assert writer.write(hours(30)) == WriteResult(30, 0, 0)
    assert writer.write(corrected(hours(30), 4, 999)) == WriteResult(0, 1, 29)
    assert writer.read()[3:6] == [103, 999, 105]


def test_an_unknown_instrument_has_no_bars(store: CandleRepository) -> None:
    assert len(store.between(UUID(int=1), Timeframe.H1)) == 0
    assert not store.has_any(UUID(int=1))
