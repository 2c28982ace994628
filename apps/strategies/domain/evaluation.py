"""What a session does on a bar: forecast, signal, plan, size, verdict, order. The one function of backtest, paper and live.

`evaluate` is given everything but the account, which it asks through `AccountDesk`: what the account holds and has lost, its risk factor,
and the gate. It writes nothing: the order that it wants stands in the `Evaluation`, and whoever called it places that order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe, TradingMode
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.markets.contracts import BarWindow
from apps.orders.contracts import Amendment, OrderRequest
from apps.risk.domain.values import OrderProposal, RiskFactor, Sizing, Verdict
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.domain.outcomes import Outcome
from apps.strategies.domain.signals import Signal
from apps.strategies.domain.strategy import Strategy

SENTENCE_LENGTH = 500


@dataclass(frozen=True)
class Terms:
    """What a session trades by at this bar."""

    session_id: UUID
    account_id: UUID
    timeframe: Timeframe
    mode: TradingMode
    capital: Decimal
    risk_per_trade: Decimal
    max_positions: int
    is_stopping: bool = False
    keeps_positions: bool = False


@dataclass(frozen=True)
class Assumed:
    """What somebody who asks "what if" puts in the place of what would be worked out; None leaves it to be worked out."""

    confidence: float | None = None
    """Of the signal, as the gate judges it."""
    quantity: Decimal | None = None
    """Of an order that opens a position; on the lot grid."""


NOTHING_ASSUMED = Assumed()


@dataclass(frozen=True)
class Inputs:
    """What one session's bar is decided on. The window ends with the bar; the forecast was made on it (None for a late bar)."""

    terms: Terms
    bar_at: datetime
    is_late: bool
    strategy: Strategy
    window: BarWindow
    position: Decimal
    has_open_order: bool
    forecast: ForecastView | NoForecast | None
    assumed: Assumed = NOTHING_ASSUMED

    @property
    def instrument(self) -> InstrumentSpec:
        return self.window.instrument


class AccountDesk(Protocol):
    """The account as a decision meets it. Sessions of one account are evaluated one after the other: each sees what those before reserved."""

    def open_positions(self) -> int:
        """How many instruments the account holds."""
        ...

    def drawdown(self) -> Decimal:
        """Fall of the equity from its peak, as a fraction."""
        ...

    def equity(self) -> Decimal:
        """Cash and positions at the last closes."""
        ...

    def risk_factor(self, *, confidence: float | None, drawdown: Decimal, volatility_ratio: float | None, at: datetime) -> RiskFactor:
        """The account's risk factor for these measures, by the rules in force."""
        ...

    def assess(self, proposal: OrderProposal) -> Verdict:
        """The gate's verdict; what an approved order may use is reserved until it ends."""
        ...


@dataclass(frozen=True)
class Ids:
    """The names of what a decision makes. An order's is asked for only when there is one to propose."""

    decision_id: UUID
    new_order_id: Callable[[], UUID]


@dataclass
class Evaluation:
    """What comes of a bar, as the Decision stores it. `error` is what the strategy raised; `order` is the approved order to be placed, the first of several."""

    window: BarWindow
    parameters: dict[str, Any] = field(default_factory=dict)
    forecast: ForecastView | NoForecast | None = None
    signal: Signal | None = None
    position: Decimal = Decimal(0)
    risk_factor: RiskFactor | None = None
    sizing: Sizing | None = None
    verdict: Verdict | None = None
    order: OrderRequest | None = None
    others: list[OrderRequest] = field(default_factory=list)
    """Further approved orders, each after the one that it waits for."""
    cancels: list[UUID] = field(default_factory=list)
    amendments: dict[UUID, Amendment] = field(default_factory=dict)
    """Open orders that are to be cancelled or changed, after the new ones are recorded."""
    actions: dict[str, Any] = field(default_factory=dict)
    """What an event strategy was told and which order calls it made, with their answers."""
    error: Exception | None = None
    outcome: Outcome = Outcome.NO_SIGNAL
    sentence: str = ""

    @property
    def orders(self) -> list[OrderRequest]:
        """Every approved order."""
        return [] if self.order is None else [self.order, *self.others]

    def close_with(self, outcome: Outcome, sentence: str) -> Evaluation:
        """Set how the decision ends."""
        self.outcome = outcome
        self.sentence = sentence[:SENTENCE_LENGTH]
        return self

    @cached_property
    def data_hash(self) -> str:
        """Hash over every bar used."""
        return window_hash(self.window)


def parameters_of(strategy: Strategy | EventStrategy) -> dict[str, Any]:
    """The strategy's parameters with their values, which are plain numbers and booleans."""
    return {item.name: getattr(strategy.parameters, item.name) for item in fields(strategy.parameters)}


def window_hash(window: BarWindow) -> str:
    """Hash over every bar of a window: times, prices, volumes, flags."""
    digest = hashlib.blake2b(digest_size=16)
    for column in (window.opened_at, window.open, window.high, window.low, window.close, window.volume, window.flags):
        digest.update(column.tobytes())
    return digest.hexdigest()
