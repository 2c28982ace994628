"""All performance figures and the tear sheet of an account, by the same code as a backtest's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import BigIntegerField, F, FloatField, Func
from django.db.models.functions import Cast

from apps.markets import selectors as markets
from apps.markets.contracts import InstrumentDetail
from apps.portfolio.contracts import Figure
from apps.portfolio.domain.engine_records import exit_reason_named
from apps.portfolio.domain.metrics import performance_figures
from apps.portfolio.domain.records import EquitySeries, FloatArray, TradeRecords, as_known_at
from apps.portfolio.domain.tear_sheet import Compared, build_tear_sheet
from apps.portfolio.models import Account, ClosedTrade, EquitySnapshot, Position
from apps.portfolio.selectors.accounts import account_row

_INDEX = "index"
_MOST_BARS = 200_000


def figures(account_id: UUID) -> list[Figure]:
    """Every figure of the account's whole life, in the order of the catalogue."""
    row = account_row(account_id)
    equity = _equity(row)
    found = performance_figures(equity, _trades(row), benchmark=_prices(_bought_and_held(row, equity)), index=_prices(_index(row, equity)))
    return list(found.values())


def tear_sheet(account_id: UUID) -> dict[str, Any]:
    """The tear sheet of the account's whole life, as `build_tear_sheet` makes it."""
    row = account_row(account_id)
    equity = _equity(row)
    return build_tear_sheet(equity, _trades(row), currency=row.currency, benchmark=_bought_and_held(row, equity), index=_index(row, equity))


def market_index(venue_id: UUID) -> InstrumentDetail | None:
    """The venue's first index, None where it lists none: the largest is listed first by its source."""
    listed = (markets.instrument_detail(item.id) for item in sorted(markets.instruments(venue_id), key=lambda item: item.id))
    return next((detail for detail in listed if detail.asset_class.lower() == _INDEX), None)


def _equity(row: Account) -> EquitySeries:
    microseconds = Func(F("at"), template="EXTRACT(EPOCH FROM %(expressions)s) * 1000000")
    rows = EquitySnapshot.objects.filter(account=row).order_by("at")
    values = rows.values_list(Cast(microseconds, BigIntegerField()), Cast("equity", FloatField()), Cast("gross_exposure", FloatField()))
    times, equity, exposure = _columns(values, 3)
    return EquitySeries(times.astype(np.int64), equity, exposure)


def _trades(row: Account) -> TradeRecords:
    """Round trips; a fee in another asset than the account's currency is in the journal only."""
    trades = list(ClosedTrade.objects.filter(account=row).order_by("closed_at", "id"))
    numbers = [[float(value) for value in (trade.quantity, trade.entry_value, trade.realised_pnl, trade.fees)] for trade in trades]
    quantity, entry_value, realised, fees = _columns(numbers, 4)
    side = np.sign(quantity).astype(np.int64)
    return TradeRecords(
        opened_at=_microseconds(trade.opened_at.timestamp() for trade in trades),
        closed_at=_microseconds(trade.closed_at.timestamp() for trade in trades),
        side=side,
        quantity=np.abs(quantity),
        entry_value=entry_value,
        exit_value=np.where(entry_value > 0, entry_value + side * realised, 0.0),
        realised=realised,
        fees=fees,
        exit_reason=np.array([exit_reason_named(trade.exit_reason) for trade in trades], np.int64),
    )


def _columns(rows: Iterable[Iterable[float]], count: int) -> tuple[FloatArray, ...]:
    table = np.array(list(rows), np.float64).reshape(-1, count)
    return tuple(np.ascontiguousarray(column) for column in table.T)


def _microseconds(seconds: Iterable[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.rint(np.array(list(seconds), np.float64) * 1e6).astype(np.int64)


def _prices(compared: Compared | None) -> EquitySeries | None:
    return None if compared is None else compared.prices


def _bought_and_held(row: Account, equity: EquitySeries) -> Compared | None:
    """The capital put in equal parts into every instrument that the account has traded, and held; None before the first trade."""
    ids = Position.objects.filter(account=row).order_by("instrument_id").values_list("instrument_id", flat=True)
    traded = [markets.instrument_detail(instrument_id) for instrument_id in ids]
    closes = [closes for detail in traded if (closes := _closes(detail, equity)) is not None]
    if not closes:
        return None
    label = f"{traded[0].spec.symbol} bought and held" if len(traded) == 1 else f"{len(closes)} instruments bought and held"
    return Compared(label, EquitySeries(equity.times, np.mean([values / values[0] for values in closes], axis=0)))


def _index(row: Account, equity: EquitySeries) -> Compared | None:
    detail = market_index(row.venue_id)
    closes = _closes(detail, equity) if detail is not None else None
    return Compared(detail.spec.symbol, EquitySeries(equity.times, closes)) if detail is not None and closes is not None else None


def _closes(detail: InstrumentDetail, equity: EquitySeries) -> FloatArray | None:
    """The instrument's last close at each point of the equity; None without one at the first."""
    count = min(2 * len(equity) + 100, _MOST_BARS)
    window = markets.bar_window(detail.spec, detail.timeframe, until=None, count=count)
    return as_known_at(equity.times, window.closed_at, np.asarray(window.close, np.float64))
