"""From the engine's int64 rows to the records that performance is measured from."""

from __future__ import annotations

import numpy as np

from apps.orders.domain.engine_codes import Reason
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


def trade_records(rows: Int64Array, *, cash_units: FloatArray, lot_sizes: FloatArray) -> TradeRecords:
    """The ledger's rows of round trips (TRADE_COLUMNS wide).

    By the instrument's place: `cash_units` is what one cash unit of its currency is worth in the account's currency, `lot_sizes` the
    quantity of one lot.
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
    )
