"""From the engine's int64 rows to the records that performance is measured from."""

from __future__ import annotations

import numpy as np

from apps.orders.domain.engine_codes import (
    F_LOTS,
    F_ORDER,
    F_PLACE,
    F_PRICE,
    F_REFERENCE,
    F_SIDE,
    F_VALUE,
    NO_ROW,
    O_LIMIT,
    O_PARENT,
    O_SIDE,
    O_TYPE,
    EngineOrderType,
    Reason,
)
from apps.portfolio.domain import ledger_codes as ledger
from apps.portfolio.domain.records import EquitySeries, ExitReason, FloatArray, Int64Array, TradeRecords

_EXITS = {
    Reason.MARKET_AT_OPEN: ExitReason.SIGNAL,
    Reason.MARKET_AT_CLOSE: ExitReason.SIGNAL,
    Reason.MARKET_AT_QUOTE: ExitReason.SIGNAL,
    Reason.LIMIT_CROSSED: ExitReason.TARGET,
    Reason.LIMIT_GAPPED: ExitReason.TARGET,
    Reason.LIMIT_MARKETABLE: ExitReason.TARGET,
    Reason.STOP_TRIGGERED: ExitReason.STOP,
    Reason.STOP_GAPPED: ExitReason.STOP,
    Reason.STOP_LIMIT_TRIGGERED: ExitReason.STOP,
    Reason.TRAIL_TRIGGERED: ExitReason.TRAILING,
    Reason.TRAIL_GAPPED: ExitReason.TRAILING,
    Reason.LIQUIDATED_AT_OPEN: ExitReason.LIQUIDATION,
    Reason.LIQUIDATED: ExitReason.LIQUIDATION,
}


def exit_reason_named(name: str) -> ExitReason:
    """The same for the name of a fill's reason, as orders store it: MARKET_AT_OPEN, STOP_TRIGGERED, ..."""
    reason = Reason.__members__.get(name)
    return ExitReason.OTHER if reason is None else _EXITS.get(reason, ExitReason.OTHER)


def exit_reasons(reasons: Int64Array) -> Int64Array:
    """What ended each trade, from the engine's reason of its last fill.

    A limit order that closes is a target, any market order a signal; what is not known is OTHER.
    """
    known = np.full(int(max(Reason)) + 1, int(ExitReason.OTHER), np.int64)
    for reason, exit_reason in _EXITS.items():
        known[int(reason)] = int(exit_reason)
    return known[reasons]


def equity_series(
    times: Int64Array, equity: Int64Array, *, cash_unit: float, exposure: Int64Array | None = None, opening: int | None = None
) -> EquitySeries:
    """Equity (and gross value held) in cash units, as money.

    With `opening`, the capital before the first point, the series begins with it, a microsecond earlier and with nothing held: so the first
    bar's result counts.
    """
    unit = np.float64(cash_unit)
    if opening is not None and len(times):
        times, equity = np.insert(times, 0, times[0] - 1), np.insert(equity, 0, opening)
        exposure = None if exposure is None else np.insert(exposure, 0, 0)
    return EquitySeries(times, equity * unit, None if exposure is None else exposure * unit)


def trade_records(
    rows: Int64Array,
    *,
    cash_units: FloatArray,
    lot_sizes: FloatArray,
    fills: Int64Array | None = None,
    orders: Int64Array | None = None,
    price_units: FloatArray | None = None,
) -> TradeRecords:
    """The ledger's rows of round trips (TRADE_COLUMNS wide).

    By the instrument's place: `cash_units` is what one cash unit of its currency is worth in the account's currency, `lot_sizes` the
    quantity of one lot, `price_units` what one price unit is worth. With `fills` (FILL_COLUMNS wide) slippage is told; with the `orders` of
    those fills (BOOK_COLUMNS wide) and `price_units` the targets, as the price of the limit order that was to close the first fill's order.
    """
    place = rows[:, ledger.T_PLACE]
    unit = cash_units[place]
    return TradeRecords(
        opened_at=rows[:, ledger.T_OPENED_AT],
        closed_at=rows[:, ledger.T_CLOSED_AT],
        side=np.sign(rows[:, ledger.T_SIDE]),
        quantity=np.abs(rows[:, ledger.T_LOTS]) * lot_sizes[place],
        entry_value=np.abs(rows[:, ledger.T_ENTRY_VALUE]) * unit,
        exit_value=np.abs(rows[:, ledger.T_EXIT_VALUE]) * unit,
        realised=rows[:, ledger.T_REALISED] * unit,
        fees=rows[:, ledger.T_FEES] * unit,
        exit_reason=exit_reasons(rows[:, ledger.T_EXIT_REASON]),
        slippage=None if fills is None else trade_slippage(rows, fills) * unit,
        target_price=None if fills is None or orders is None or price_units is None else _targets(rows, fills, orders) * price_units[place],
    )


def fill_slippage(fills: Int64Array) -> FloatArray:
    """What each fill paid against the price wished, in cash units: positive when paid; 0 where no price was wished."""
    lots_value = fills[:, F_VALUE] / np.maximum(fills[:, F_PRICE], 1)
    wished = fills[:, F_REFERENCE] > 0
    return np.where(wished, fills[:, F_SIDE] * (fills[:, F_PRICE] - fills[:, F_REFERENCE]) * lots_value, 0.0)


def trade_slippage(rows: Int64Array, fills: Int64Array) -> FloatArray:
    """Slippage of each round trip in cash units; a fill that closes one trip and opens the next is shared by lots."""
    slippage, total = fill_slippage(fills), np.zeros(len(rows))
    for place in np.unique(rows[:, ledger.T_PLACE]):
        own, trips = np.flatnonzero(fills[:, F_PLACE] == place), rows[:, ledger.T_PLACE] == place
        closing = slippage[own] * _closing_share(fills[own, F_SIDE] * fills[own, F_LOTS])
        first = np.searchsorted(own, rows[trips, ledger.T_FIRST_FILL])
        last = np.searchsorted(own, rows[trips, ledger.T_LAST_FILL])
        paid = np.concatenate(([0.0], np.cumsum(slippage[own])))
        total[trips] = paid[last] - paid[first] - closing[first] + closing[last]
    return total


def _closing_share(lots: Int64Array) -> FloatArray:
    """Part of each fill (signed lots, in order) that reduced the position before it."""
    before = np.cumsum(lots) - lots
    closing = np.where(before * lots < 0, np.minimum(np.abs(before), np.abs(lots)), 0)
    share: FloatArray = closing / np.maximum(np.abs(lots), 1)
    return share


def _targets(rows: Int64Array, fills: Int64Array, orders: Int64Array) -> FloatArray:
    """Price of the limit order on the other side whose parent is the order of the trip's first fill; NaN without one."""
    target = np.full(len(orders), np.nan)
    children = np.flatnonzero((orders[:, O_TYPE] == int(EngineOrderType.LIMIT)) & (orders[:, O_PARENT] != NO_ROW))
    parents = orders[children, O_PARENT]
    closes = orders[children, O_SIDE] == -orders[parents, O_SIDE]
    target[parents[closes]] = orders[children[closes], O_LIMIT]
    prices: FloatArray = target[fills[rows[:, ledger.T_FIRST_FILL], F_ORDER]]
    return prices
