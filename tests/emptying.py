"""After a test that commits, the database is again as the migrations left it.

Django's way truncates every table and announces a migration, which costs some tenths of a second for each test. Ours looks which tables differ
from what the migrations left in them, and puts those right. Rows are deleted with triggers off, because the append-only tables refuse it.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction
from django.test import TransactionTestCase

_KEPT = "as_migrated"
"""A schema with a copy of each table that the migrations have filled."""


def remember_what_migrations_left() -> None:
    """Call once, on the migrated database; from then on, transactional tests leave it so. A database used again is put right at once."""
    restore = _Restorer()
    restore()
    TransactionTestCase._fixture_teardown = lambda _: restore()  # type: ignore[attr-defined]


class _Restorer:
    def __init__(self) -> None:
        self._tables = sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))
        self._filled = _kept_tables() or self._keep()
        self._look = _where_any({table: _difference(table) if table in self._filled else _rows(table) for table in self._tables})

    def _keep(self) -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(_where_any({table: _rows(table) for table in self._tables}))
            filled = {table for (table,) in cursor.fetchall()}
            cursor.execute(f"CREATE SCHEMA {_KEPT}")
            for table in filled:
                cursor.execute(f'CREATE TABLE {_KEPT}."{table}" AS TABLE "{table}"')
        return filled

    def __call__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(self._look)
            written = [table for (table,) in cursor.fetchall()]
        if written:
            self._restore(written)

    def _restore(self, written: Sequence[str]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in written:
                cursor.execute(f'DELETE FROM "{table}"')
                if table in self._filled:
                    cursor.execute(f'INSERT INTO "{table}" TABLE {_KEPT}."{table}"')


def _kept_tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s)", [_KEPT])
        return {table for (table,) in cursor.fetchall()}


def _rows(table: str) -> str:
    return f'SELECT FROM "{table}"'


def _where_any(queries: dict[str, str]) -> str:
    """SQL for the names of the tables whose query finds a row."""
    return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS ({query})" for table, query in queries.items())


def _difference(table: str) -> str:
    now, then = f'TABLE "{table}"', f'TABLE {_KEPT}."{table}"'
    return f"({now} EXCEPT {then}) UNION ALL ({then} EXCEPT {now})"
