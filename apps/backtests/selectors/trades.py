"""The round trips of a run that a stretch of a chart shows, and what each instrument brought."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from apps.backtests.contracts import RecordKind
from apps.backtests.domain.by_place import PlaceResult, place_result
from apps.backtests.domain.tables import TABLES, rows_of
from apps.backtests.models import BacktestRun
from apps.backtests.selectors.records import books_of, record_array
from apps.core.values import InstrumentSpec
from apps.markets.domain.bars import to_micros
from apps.orders.domain.engine_codes import F_LOTS, F_PLACE, F_SIDE
from apps.portfolio.domain.ledger_codes import T_CLOSED_AT, T_OPENED_AT, T_PLACE


def places_of(run_id: UUID) -> list[InstrumentSpec]:
    """The instruments of a run as they were when it was made; raises NotFound for an unknown run."""
    return list(books_of(run_id).places)


def trades_between(run_id: UUID, *, place: int, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The closed trades of one instrument that were open at any time from `since` to `until`. Raises NotFound for an unknown run."""
    books, rows = books_of(run_id), record_array(run_id, RecordKind.TRADES)
    touches = (rows[:, T_CLOSED_AT] >= to_micros(since)) & (rows[:, T_OPENED_AT] <= to_micros(until))
    chosen = rows[(rows[:, T_PLACE] == place) & touches]
    return list(rows_of(TABLES[RecordKind.TRADES](np.ascontiguousarray(chosen), books)))


def held_at_end(run_id: UUID) -> list[tuple[str, Decimal]]:
    """Symbol and quantity, negative when short, of what the last fill left open. Raises NotFound for an unknown run."""
    books, fills = books_of(run_id), record_array(run_id, RecordKind.FILLS)
    signed = fills[:, F_SIDE] * fills[:, F_LOTS]
    lots = [int(signed[fills[:, F_PLACE] == place].sum()) for place in range(len(books.places))]
    return [(spec.symbol, held * spec.lot_size) for spec, held in zip(books.places, lots, strict=True) if held]


def results_by_place(run_id: UUID) -> list[PlaceResult]:
    """A row per instrument, the one that earned most first. Raises NotFound for an unknown run."""
    books = books_of(run_id)
    trades, fills, line = (record_array(run_id, kind) for kind in (RecordKind.TRADES, RecordKind.FILLS, RecordKind.EQUITY))
    capital = Decimal(BacktestRun.objects.values_list("config__capital", flat=True).get(id=run_id))
    found = [
        place_result(spec.symbol, trades[trades[:, T_PLACE] == place], fills[fills[:, F_PLACE] == place], line[:, 0], unit, capital)
        for place, (spec, unit) in enumerate(zip(books.places, books.unit_values, strict=True))
    ]
    return sorted(found, key=lambda item: (-item.earned, item.symbol))
