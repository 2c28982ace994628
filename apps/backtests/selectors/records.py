"""The stored records of a run, a slice at a time: a page of a million points reads only what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from apps.backtests.contracts import RecordKind, RunRecords
from apps.backtests.domain.config import config_from_json
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.margin_records import calls_of
from apps.backtests.domain.packing import unpack
from apps.backtests.domain.records import TABLE_COLUMNS, Int64Array
from apps.backtests.domain.scoring import evenly
from apps.backtests.domain.tables import TABLES, Books, Column, rows_of
from apps.backtests.models import BacktestRun, RecordPart
from apps.core.errors import NotFound
from apps.core.values import InstrumentSpec

_WIDTHS = {RecordKind.EQUITY: 3, **{RecordKind(name): columns for name, columns in TABLE_COLUMNS.items()}}


def record_page(run_id: UUID, kind: RecordKind, *, after: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """Rows of a table by name of column, from the row behind number `after` on. Raises NotFound for an unknown run."""
    first = 0 if after is None else after + 1
    books = books_of(run_id)
    found: list[dict[str, Any]] = []
    for part in _parts(run_id, kind, first, first + limit):
        rows = unpack(bytes(part.data))
        cut = rows[max(0, first - part.first_row) : first + limit - part.first_row]
        columns = TABLES[kind](cut, books, first=max(first, part.first_row))
        found += rows_of(columns)
    return found


def record_columns(run_id: UUID, kind: RecordKind) -> Iterator[list[Column]]:
    """The whole table part by part, for exports. Raises NotFound for an unknown run, before the first part is read."""
    books = books_of(run_id)
    firsts = list(RecordPart.objects.filter(run_id=run_id, kind=kind).order_by("first_row").values_list("first_row", flat=True))

    def read() -> Iterator[list[Column]]:
        if not firsts:
            yield TABLES[kind](_empty(kind), books)
        for first in firsts:
            part = RecordPart.objects.get(run_id=run_id, kind=kind, first_row=first)
            yield TABLES[kind](unpack(bytes(part.data)), books, first=first)

    return read()


def record_array(run_id: UUID, kind: RecordKind) -> Int64Array:
    """All rows of a table as stored, int64."""
    parts = [unpack(bytes(part.data)) for part in RecordPart.objects.filter(run_id=run_id, kind=kind).order_by("first_row")]
    return np.ascontiguousarray(np.concatenate(parts)) if parts else _empty(kind)


def records_of(run_id: UUID) -> RunRecords:
    """The records as the runner gave them. Raises NotFound for an unknown run."""
    books, row = books_of(run_id), BacktestRun.objects.get(id=run_id)
    equity = record_array(run_id, RecordKind.EQUITY)
    found = RunRecords(
        places=tuple(books.places),
        orders=record_array(run_id, RecordKind.ORDERS),
        fills=record_array(run_id, RecordKind.FILLS),
        trades=record_array(run_id, RecordKind.TRADES),
        entries=record_array(run_id, RecordKind.ENTRIES),
        equity_at=np.ascontiguousarray(equity[:, 0]),
        equity=np.ascontiguousarray(equity[:, 1]),
        exposure=np.ascontiguousarray(equity[:, 2]) if len(equity) and equity[0, 2] >= 0 else None,
        cash_scale=books.cash_scale,
        currency=books.currency,
        opening_cash=int(Decimal(row.config["capital"]).scaleb(books.cash_scale)),
        refusals=dict(row.tear_sheet.get("refusals", {})),
        decisions=dict(row.tear_sheet.get("decisions", {})),
        rates={name: books.rates[name] for name in books.currencies[1:]},
    )
    return replace(found, margin_calls=calls_of(found, engine_profile(config_from_json(row.config))))


def equity_rows(run_id: UUID, *, limit: int | None = None) -> list[dict[str, Any]]:
    """The equity curve, oldest first; with `limit` thinned evenly to so many points, the first and the last among them."""
    books = books_of(run_id)
    rows = record_array(run_id, RecordKind.EQUITY)
    chosen = rows if limit is None else rows[evenly(len(rows), limit)]
    return list(rows_of(TABLES[RecordKind.EQUITY](chosen, books)))


def books_of(run_id: UUID) -> Books:
    """The instruments and the money of a run; raises NotFound."""
    found = BacktestRun.objects.filter(id=run_id).values_list("places", "metrics", "config").first()
    if found is None:
        raise NotFound(f"There is no backtest {run_id}.", where="run_id")
    places, metrics, config = found
    specs = [msgspec.convert(item, InstrumentSpec) for item in places]
    rates = {name: Decimal(rate) for name, rate in config.get("rates", {}).items()}
    return Books(specs, int(metrics.get("cash_scale", 0)), config["currency"], rates)


def _parts(run_id: UUID, kind: RecordKind, first: int, stop: int) -> Iterator[RecordPart]:
    """The parts that hold rows from `first` up to `stop`."""
    rows = RecordPart.objects.filter(run_id=run_id, kind=kind, first_row__lt=stop).order_by("first_row")
    return (part for part in rows.defer("data") if part.first_row + part.rows > first)


def _empty(kind: RecordKind) -> Int64Array:
    return np.empty((0, _WIDTHS[kind]), np.int64)
