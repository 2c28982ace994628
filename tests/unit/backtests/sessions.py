"""Accounts, sessions and strategies for runs in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from apps.backtests.domain.session_cycle import run_sessions
from apps.backtests.domain.session_forecasts import NoForecasts
from apps.backtests.domain.session_plan import AccountPlan, SessionPlan
from apps.backtests.domain.session_result import SessionRun
from apps.core.vocabulary import Direction, TradingMode
from apps.forecasts.ports import ForecastSource
from apps.markets.contracts import BarWindow
from apps.orders.domain.venue_profiles import VenueTerms
from apps.risk.domain.limits import default_limits
from apps.risk.domain.rules import Seeds
from apps.strategies.domain.catalog import AnyStrategy
from apps.strategies.domain.signals import Signal
from apps.strategies.domain.strategy import Context, Strategy

SEEDS = Seeds(Decimal(100_000), Decimal("0.1"), 10, Decimal("0.6"))
TERMS = VenueTerms()


@dataclass(frozen=True)
class NoParameters:
    pass


class Scripted(Strategy):
    """Long on the bars whose place is named; raises on others. Places count the bars of the window's instrument since 1970, in days."""

    kind = "scripted"
    title = "Scripted"
    Parameters = NoParameters

    def __init__(self, *, long: range = range(0), raises_at: int = -1) -> None:
        super().__init__(NoParameters())
        self._long = long
        self._raises_at = raises_at

    @property
    def warmup_bars(self) -> int:
        return 2

    def decide(self, context: Context) -> Signal:
        day = int(context.window.opened_at[-1]) // 86_400_000_000
        if day == self._raises_at:
            raise ZeroDivisionError("no such day")
        direction = Direction.LONG if day in self._long else Direction.FLAT
        return Signal(direction, 1.0, 0.9, f"Day {day}.")


def account(opened_at: datetime, **changes: object) -> AccountPlan:
    plan = {"id": UUID(int=7), "currency": "USD", "capital": Decimal(100_000), "opened_at": opened_at, "profile": TERMS.engine_profile}
    return AccountPlan(**(plan | changes))  # type: ignore[arg-type]


def session(strategy: AnyStrategy, window: BarWindow, *, number: int = 1, **changes: object) -> SessionPlan:
    plan = {
        "id": UUID(int=100 + number),
        "strategy": strategy,
        "instrument_id": window.instrument.id,
        "capital": Decimal(10_000),
        "risk_per_trade": Decimal("0.02"),
        "limits": default_limits(TradingMode.PAPER, SEEDS),
    }
    return SessionPlan(**(plan | changes))  # type: ignore[arg-type]


def opening(window: BarWindow, index: int) -> datetime:
    """The close of a bar: an account opened then decides on the next."""
    return datetime.fromtimestamp(int(window.closed_at[index]) / 1_000_000, UTC)


def run(strategy: Strategy, window: BarWindow, *, after: int = 70, forecasts: ForecastSource | None = None) -> SessionRun:
    return run_sessions(account(opening(window, after)), [session(strategy, window)], [window], forecasts=forecasts or NoForecasts())
