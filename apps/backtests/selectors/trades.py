"""The round trips of a run that a stretch of a chart shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from apps.backtests.contracts import RecordKind
from apps.backtests.domain.tables import TABLES, rows_of
from apps.backtests.selectors.records import books_of, record_array
from apps.core.values import InstrumentSpec
from apps.markets.domain.bars import to_micros
from apps.portfolio.domain.ledger_codes import T_CLOSED_AT, T_FEES, T_OPENED_AT, T_PLACE, T_REALISED


@dataclass(frozen=True)
class PlaceResult:
    """What one instrument of a run brought; amounts in the account's currency, after fees."""

    symbol: str
    trades: int
    earned: Decimal
    fees: Decimal
    win_rate: float | None


def places_of(run_id: UUID) -> list[InstrumentSpec]:
    """The instruments of a run as they were when it was made; raises NotFound for an unknown run."""
    return list(books_of(run_id).places)


def trades_between(run_id: UUID, *, place: int, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The closed trades of one instrument that were open at any time from `since` to `until`. Raises NotFound for an unknown run."""
    books, rows = books_of(run_id), record_array(run_id, RecordKind.TRADES)
    touches = (rows[:, T_CLOSED_AT] >= to_micros(since)) & (rows[:, T_OPENED_AT] <= to_micros(until))
    chosen = rows[(rows[:, T_PLACE] == place) & touches]
    return list(rows_of(TABLES[RecordKind.TRADES](np.ascontiguousarray(chosen), books)))


def results_by_place(run_id: UUID) -> list[PlaceResult]:
    """A row per instrument, the one that earned most first. Raises NotFound for an unknown run."""
    books, rows = books_of(run_id), record_array(run_id, RecordKind.TRADES)
    unit = Decimal(1).scaleb(-books.cash_scale)
    found = []
    for place, spec in enumerate(books.places):
        own = rows[rows[:, T_PLACE] == place]
        results = own[:, T_REALISED] - own[:, T_FEES]
        share = float((results > 0).mean()) if len(own) else None
        found.append(PlaceResult(spec.symbol, len(own), int(results.sum()) * unit, int(own[:, T_FEES].sum()) * unit, share))
    return sorted(found, key=lambda item: (-item.earned, item.symbol))
