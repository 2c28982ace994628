"""Yearly range partitions of a table, made on demand, without a default partition: a row of a new year makes its partition first.

A partition is built as a plain table and then attached, which readers and writers of the parent do not have to wait for.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from apps.common.locks import Lock, lock_in_transaction


def partition_name(table: str, year: int) -> str:
    return f"{table}_y{year:04d}"


def create_partition_sql(table: str, year: int) -> list[str]:
    """The statements that make one year's partition."""
    name = partition_name(table, year)
    return [
        f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)",
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{year:04d}-01-01 00:00+00') TO ('{year + 1:04d}-01-01 00:00+00')",
    ]


def missing_years(table: str, years: Iterable[int]) -> list[int]:
    """Those of `years` that have no partition yet.

    Asks pg_class, not to_regclass: that one answers from a cache which may still say no after waiting for the lock.
    """
    wanted = sorted(set(years))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position FROM unnest(%s::text[]) WITH ORDINALITY AS item(name, position) WHERE NOT EXISTS"
            " (SELECT 1 FROM pg_class WHERE relname = name AND relnamespace = current_schema()::regnamespace)",
            [[partition_name(table, year) for year in wanted]],
        )
        return [wanted[position - 1] for (position,) in cursor.fetchall()]


def ensure_yearly_partitions(table: str, years: Iterable[int]) -> None:
    """Make the partitions of `years` (UTC) that are missing, in the current transaction. Two processes may ask for the same year at once."""
    if not missing_years(table, years := set(years)):
        return
    lock_in_transaction(Lock.PARTITIONS, table)
    with connection.cursor() as cursor:
        for year in missing_years(table, years):
            for statement in create_partition_sql(table, year):
                cursor.execute(statement)
