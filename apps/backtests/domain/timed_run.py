"""What came of signals with an exit plan, in the words of freqtrade's backtests."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np

from apps.backtests.domain.simulate_nb import TAG_SIGNAL, TAG_STOP, TAG_TARGET, TAG_TRAIL
from apps.backtests.domain.timed_nb import TAG_FORCED
from apps.backtests.domain.vector_run import Int64Array, Simulation
from apps.orders.domain import engine_codes as code
from apps.portfolio.domain import ledger_codes as ledger
from apps.strategies.domain.bar_columns import BarColumns

LEVERAGE_ONE = 1000


class ExitReason(StrEnum):
    """Why a trade was closed, in freqtrade's words."""

    SIGNAL = "exit_signal"
    STOP = "stop_loss"
    TARGET = "roi"
    TRAILING = "trailing_stop_loss"
    FORCED = "force_exit"
    LIQUIDATION = "liquidation"


_REASONS = {
    TAG_SIGNAL: ExitReason.SIGNAL,
    TAG_STOP: ExitReason.STOP,
    TAG_TARGET: ExitReason.TARGET,
    TAG_TRAIL: ExitReason.TRAILING,
    TAG_FORCED: ExitReason.FORCED,
}


@dataclass(frozen=True)
class TimedTrade:
    """A round trip: bars by their numbers (the first is that at which the entry was given), rates in the quote currency, the profit after fees on the stake (leverage included)."""

    is_short: bool
    open_bar: int
    close_bar: int
    open_rate: Decimal
    close_rate: Decimal
    reason: ExitReason
    profit_ratio: Decimal


def timed_trades(simulation: Simulation, bars: BarColumns, *, leverage: int = LEVERAGE_ONE) -> list[TimedTrade]:
    """The round trips of a finished run, oldest first."""
    return [_trade(simulation, bars, row, leverage) for row in simulation.trades]


def _trade(simulation: Simulation, bars: BarColumns, row: Int64Array, leverage: int) -> TimedTrade:
    spec = simulation.engine.instruments[0]
    fills = simulation.fills[row[ledger.T_FIRST_FILL] : row[ledger.T_LAST_FILL] + 1]
    is_short = bool(row[ledger.T_SIDE] < 0)
    given_at = simulation.orders[fills[0, code.F_ORDER], code.O_SUBMITTED_AT]
    fees = [int(fills[(fills[:, code.F_SIDE] == side), code.F_FEE].sum()) for side in (1, -1)]
    spent, got = (int(row[column]) for column in (ledger.T_EXIT_VALUE, ledger.T_ENTRY_VALUE))
    if not is_short:
        spent, got = got, spent
    spent, got = spent + fees[0], got - fees[1]
    ratio = 1 - Decimal(spent) / got if is_short else Decimal(got) / spent - 1
    per_lot = int(row[ledger.T_LOTS]) * spec.cash_units_per_price_unit_lot
    return TimedTrade(
        is_short=is_short,
        open_bar=int(np.searchsorted(bars.opened_at, given_at)),
        close_bar=int(np.searchsorted(bars.closed_at, row[ledger.T_CLOSED_AT])),
        open_rate=int(row[ledger.T_ENTRY_VALUE]) * spec.price_unit / per_lot,
        close_rate=int(row[ledger.T_EXIT_VALUE]) * spec.price_unit / per_lot,
        reason=_REASONS.get(int(row[ledger.T_EXIT_TAG]), ExitReason.LIQUIDATION),
        profit_ratio=ratio * leverage / LEVERAGE_ONE,
    )
