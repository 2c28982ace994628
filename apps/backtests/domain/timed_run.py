"""A vector strategy with an exit plan through the engine, as freqtrade's backtests would trade it: the records, and its trades in their words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np

from apps.backtests.domain.simulate_nb import TAG_SIGNAL, TAG_STOP, TAG_TARGET, TAG_TRAIL
from apps.backtests.domain.timed_nb import STATE_COLUMNS, TAG_FORCED, run_timed
from apps.backtests.domain.vector_run import BarColumns, Int64Array, Simulation, Workspace, book_simulation, raise_status
from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine
from apps.orders.domain.engine_codes import StepStatus, TrailRule
from apps.orders.domain.profiles import EngineProfile
from apps.portfolio.domain import ledger_codes as ledger
from apps.strategies.domain.exit_plan import ExitPlan
from apps.strategies.domain.vector_strategy import Signals

_AT_OPEN = np.zeros(1, np.int64)
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


def simulate_timed(
    instrument: InstrumentSpec,
    profile: EngineProfile,
    bars: BarColumns,
    signals: Signals,
    plan: ExitPlan,
    *,
    cash: Decimal,
    entry_prices: Int64Array = _AT_OPEN,
    entry_moves: Int64Array = _AT_OPEN,
    workspace: Workspace | None = None,
) -> Simulation:
    """Run the signals with the plan. Bars and signals must have been checked; `entry_prices` are limits of entries (0 = at the open) and
    `entry_moves` where an open entry is moved to (0 = nowhere), one for every bar or one for all. Raises InvalidInput under another profile's rules,
    for a bad plan or prices, OutOfBounds where an amount leaves int64.
    """
    _check(profile, signals, plan)
    _check_prices(bars, entry_prices=entry_prices, entry_moves=entry_moves)
    space = workspace or Workspace()
    engine = Engine([instrument], [profile], cash={instrument.quote_asset: cash})
    opening_cash = engine.cash(instrument.quote_asset)
    space.lend(engine)
    equity = space.equity_of(len(bars))
    status, state, bar = np.zeros(1, np.int64), np.zeros(STATE_COLUMNS, np.int64), 0
    state[1:] = code.NO_ROW
    terms = plan_row(plan)
    while bar < len(bars):
        engine.make_room(events=64)
        bar = run_timed(
            engine.book, engine.active, engine.places, engine.account, engine.fills, 0, bar,
            bars.opened_at, bars.closed_at, bars.open, bars.high, bars.low, bars.close, bars.volume,
            signals.bits, signals.lots, entry_prices, entry_moves, terms, state, equity, status,
        )  # fmt: skip
        if bar < len(bars) and status[0] != StepStatus.BOOK_FULL:
            raise_status(StepStatus(int(status[0])), bar)
    space.keep(engine)
    return book_simulation(engine, space, equity, bars.closed_at, opening_cash)


def plan_row(plan: ExitPlan) -> Int64Array:
    """The plan as `run_timed` reads it."""
    head = (
        plan.stop_ppm, plan.is_trailing, plan.near_ppm, plan.near_from_ppm, plan.is_near_only, plan.leverage,
        plan.has_signal_exits, plan.closes_at_end, plan.entry_minutes,
    )  # fmt: skip
    return np.array([*head, *(value for target in sorted(plan.targets) for value in target)], np.int64)


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


def _check(profile: EngineProfile, signals: Signals, plan: ExitPlan) -> None:
    plan.check()
    if profile.trail_rule is not TrailRule.FREQTRADE:
        raise InvalidInput(
            f"An exit plan is traded by freqtrade's rules, but the profile is {profile.name!r}.",
            where="profile",
            hint="Use the profile freqtrade, or stops and targets of the signals themselves.",
        )
    if signals.stop_ppm or signals.target_ppm or signals.trail_ppm or signals.stops.any() or signals.targets.any():
        raise InvalidInput("Signals with an exit plan have no stops and targets of their own.", where="stop_ppm")


def _check_prices(bars: BarColumns, **prices: Int64Array) -> None:
    for name, array in prices.items():
        if array.dtype != np.int64 or array.shape not in {(1,), (len(bars),)} or (array < 0).any():
            raise InvalidInput(f"{name} must have 1 or {len(bars)} int64 values from 0.", where=name)
