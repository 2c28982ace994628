"""What a run of sessions leaves behind, so that it can be laid beside what paper stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.backtests.domain.session_books import ClosedTrip, EquityPoint
from apps.backtests.domain.session_plan import AccountPlan
from apps.backtests.domain.session_venue import Traded
from apps.core.values import InstrumentSpec
from apps.forecasts.contracts import NoForecast
from apps.orders.contracts import OrderRequest
from apps.orders.domain.engine import Engine
from apps.orders.domain.engine_codes import Reason
from apps.portfolio.domain.ledger import Holding
from apps.risk.domain.values import RiskFactor, Sizing, Verdict
from apps.strategies.domain.evaluation import Evaluation
from apps.strategies.domain.outcomes import Outcome
from apps.strategies.domain.signals import Signal


@dataclass(frozen=True, slots=True)
class SessionDecision:
    """What a Decision row would hold, but for the bars and features, which the hash stands for."""

    session_id: UUID
    instrument_id: UUID
    bar_at: datetime
    outcome: Outcome
    sentence: str
    data_hash: str
    bars_used: int
    position: Decimal
    signal: Signal | None
    forecast_return: float | None
    forecast_refusal: NoForecast | None
    risk_factor: RiskFactor | None
    sizing: Sizing | None
    verdict: Verdict | None
    order_id: UUID | None
    """The first of `order_ids`."""
    order_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class SessionRun:
    """Everything that a run leaves behind. `equity` begins with the opening of the account; `failed` says which sessions stopped and why.

    `ended` are orders that the venue refused or ended without filling them (wholly), `cancelled` those whose session ended first.
    """

    account: AccountPlan
    instruments: dict[UUID, InstrumentSpec]
    decisions: list[SessionDecision]
    orders: list[OrderRequest]
    fills: list[Traded]
    trips: list[ClosedTrip]
    equity: list[EquityPoint]
    holdings: dict[UUID, Holding]
    cash: Decimal
    ended: dict[UUID, Reason]
    cancelled: frozenset[UUID]
    failed: dict[UUID, str]
    engine: Engine
    """The venue's book with every order and fill as the engine has them."""
    watched: Evaluation | None = None
    """The decision that was asked for, with its orders, cancels and changes as it made them."""

    @property
    def outcomes(self) -> dict[str, int]:
        """How many decisions ended how."""
        return dict(Counter(str(item.outcome) for item in self.decisions))
