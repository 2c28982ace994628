"""Yearly partitions made on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from apps.common.partitions import create_partition_sql, ensure_yearly_partitions, missing_years

TABLE = "partition_test"


@pytest.fixture
def parent(transactional_db: None) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {TABLE} (at timestamptz NOT NULL, value int, PRIMARY KEY (at)) PARTITION BY RANGE (at)")
    yield TABLE
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE} CASCADE")


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1", [TABLE])
        return [name for (name,) in cursor.fetchall()]


def test_missing_years_are_made_once_and_take_their_rows(parent: str) -> None:
    ensure_yearly_partitions(parent, [2001, 1999])
    ensure_yearly_partitions(parent, [1999, 2000, 2001])
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {parent} VALUES ('1999-12-31 23:59:59.999999+00', 1), ('2000-01-01 00:00+00', 2)")
        cursor.execute(f"SELECT tableoid::regclass::text, value FROM {parent} ORDER BY value")
        assert cursor.fetchall() == [(f"{TABLE}_y1999", 1), (f"{TABLE}_y2000", 2)]
    assert partitions() == [f"{TABLE}_y{year}" for year in (1999, 2000, 2001)]
    assert missing_years(parent, [1998, 2000]) == [1998]


def test_processes_that_need_the_same_year_at_once_all_get_it(parent: str) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(8)

    def write(value: int) -> None:
        try:
            start.wait()
            with transaction.atomic(), connection.cursor() as cursor:
                ensure_yearly_partitions(parent, [2020, 2021])
                cursor.execute(f"INSERT INTO {parent} VALUES ('2020-06-01'::timestamptz + %s * interval '1 day', %s)", [value, value])
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[value]) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {parent}_y2020")
        assert cursor.fetchone() == (8,)


def test_a_partition_can_be_made_while_others_read_and_write(parent: str) -> None:
    ensure_yearly_partitions(parent, [2020])
    made = threading.Event()

    def make() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            ensure_yearly_partitions(parent, [2021])
            made.set()
        finally:
            connection.close()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {parent} VALUES ('2020-01-01+00', 1)")
        cursor.execute(f"SELECT count(*) FROM {parent}")
        thread = threading.Thread(target=make)
        thread.start()
        assert made.wait(10)
    thread.join()


def test_a_rolled_back_partition_is_made_again(parent: str) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        ensure_yearly_partitions(parent, [2030])
        raise RuntimeError
    assert partitions() == []
    ensure_yearly_partitions(parent, [2030])
    assert partitions() == [f"{TABLE}_y2030"]


def test_the_statements_build_beside_and_attach() -> None:
    assert create_partition_sql("candle", 999) == [
        "CREATE TABLE candle_y0999 (LIKE candle INCLUDING ALL)",
        "ALTER TABLE candle ATTACH PARTITION candle_y0999 FOR VALUES FROM ('0999-01-01 00:00+00') TO ('1000-01-01 00:00+00')",
    ]
