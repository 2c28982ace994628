"""The candle table, in the two forms it can have: native yearly range partitions, or a TimescaleDB hypertable. The one place with their SQL.

Which one is chosen at the first migrate: TimescaleDB if the server has the extension, native otherwise. A row is one revision of one bar:
`known_at` is part of the key, a corrected bar is a new row and the old one stays.
"""

from __future__ import annotations

from enum import StrEnum

from django.db import connection

TABLE = "markets_candle"

COLUMNS = """
    instrument_id uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    closed_at timestamptz NOT NULL,
    open bigint NOT NULL,
    high bigint NOT NULL,
    low bigint NOT NULL,
    close bigint NOT NULL,
    volume bigint NOT NULL,
    timeframe smallint NOT NULL,
    flags smallint NOT NULL,
    source smallint NOT NULL,
    CONSTRAINT {table}_ordered CHECK (closed_at > opened_at),
    CONSTRAINT {table}_range CHECK (low > 0 AND low <= open AND low <= close AND high >= open AND high >= close AND volume >= 0),
    PRIMARY KEY (instrument_id, timeframe, opened_at, known_at)
"""


class CandleBackend(StrEnum):
    NATIVE = "native"
    TIMESCALE = "timescale"


def create_sql(backend: CandleBackend, table: str = TABLE) -> list[str]:
    """The statements that create the empty table."""
    columns = COLUMNS.format(table=table)
    if backend is CandleBackend.TIMESCALE:
        return [
            "CREATE EXTENSION IF NOT EXISTS timescaledb",
            f"CREATE TABLE {table} ({columns})",
            f"SELECT create_hypertable('{table}', by_range('opened_at', INTERVAL '1 year'), create_default_indexes => false)",
        ]
    return [f"CREATE TABLE {table} ({columns}) PARTITION BY RANGE (opened_at)"]


def drop_sql(table: str = TABLE) -> list[str]:
    return [f"DROP TABLE IF EXISTS {table} CASCADE"]


def available_backend() -> CandleBackend:
    """What this server offers a new database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb')"
            " OR (EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb')"
            " AND current_setting('shared_preload_libraries') LIKE '%%timescaledb%%')"
        )
        (has_timescale,) = cursor.fetchone()
    return CandleBackend.TIMESCALE if has_timescale else CandleBackend.NATIVE


def current_backend(table: str = TABLE) -> CandleBackend:
    """What the table of this database is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_partitioned_table WHERE partrelid = to_regclass(%s))", [table])
        (is_native,) = cursor.fetchone()
    return CandleBackend.NATIVE if is_native else CandleBackend.TIMESCALE
