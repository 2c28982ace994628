"""A session of a run on its way: its place, its position, and what it goes by at each bar."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.backtests.domain.session_events import SessionEvents
from apps.backtests.domain.session_plan import AccountPlan, SessionPlan
from apps.backtests.domain.session_series import InstrumentSeries
from apps.core.errors import InvalidInput
from apps.core.ids import client_order_id
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side
from apps.forecasts.domain.features import WARMUP_BARS
from apps.markets.domain.bars import to_micros
from apps.orders.contracts import OrderOrigin, OrderRequest
from apps.risk.domain.facts import Limits
from apps.strategies.domain.catalog import AnyStrategy
from apps.strategies.domain.evaluation import Terms
from apps.strategies.domain.event_strategy import EventStrategy

ZERO = Decimal(0)


@dataclass
class RunningSession:
    """A session on its way."""

    plan: SessionPlan
    strategy: AnyStrategy
    terms: Terms
    bars_needed: int
    starts_after: int
    ends_at: int | None
    position: Decimal = ZERO
    traded: Decimal = ZERO
    """Net quantity of its own fills; the position is what others have left of it."""
    is_active: bool = True
    changes: list[tuple[int, AnyStrategy]] = field(default_factory=list)
    limits: Limits = field(default_factory=dict)
    limits_ahead: list[tuple[int, Limits]] = field(default_factory=list)
    events: SessionEvents | None = None
    """Of a session whose strategy is told events."""

    def strategy_at(self, closed: int) -> AnyStrategy:
        """The strategy with the parameters in force at this bar."""
        while self.changes and self.changes[0][0] <= closed:
            self.strategy = self.changes.pop(0)[1]
            self.bars_needed = _bars_needed(self.strategy)
        return self.strategy

    def limits_at(self, closed: int) -> Limits:
        """The limits in force at this bar."""
        while self.limits_ahead and self.limits_ahead[0][0] <= closed:
            self.limits = self.limits_ahead.pop(0)[1]
        return self.limits

    def terms_at(self, at: datetime) -> Terms:
        """What it trades by at this bar."""
        since = self.plan.stops_since
        if since is None or at < since:
            return self.terms
        return replace(self.terms, is_stopping=True, keeps_positions=self.plan.keeps_positions)


def started(account: AccountPlan, plan: SessionPlan, series: dict[UUID, InstrumentSeries]) -> RunningSession:
    """A session as it begins; raises InvalidInput where there are no bars for it."""
    found = series.get(plan.instrument_id)
    if found is None:
        raise InvalidInput(f"There are no bars of the instrument {plan.instrument_id}.", where="bars")
    terms = Terms(
        session_id=plan.id,
        account_id=account.id,
        timeframe=found.bars.timeframe,
        mode=account.mode,
        capital=plan.capital,
        risk_per_trade=plan.risk_per_trade,
        max_positions=plan.max_positions,
    )
    changes = sorted((to_micros(at), strategy) for at, strategy in plan.parameters_since.items())
    after = to_micros(max(account.opened_at, plan.starts_after or account.opened_at))
    ends_at = to_micros(plan.ends_at) if plan.ends_at else None
    events = None
    if isinstance(plan.strategy, EventStrategy):
        life = (plan.starts_after or account.opened_at).isoformat()
        events = SessionEvents(plan.strategy, found.bars.instrument, life=life, remembers=len(changes) > 1)
    return RunningSession(
        plan, plan.strategy, terms, _bars_needed(plan.strategy), after, ends_at, changes=changes, limits=plan.limits,
        limits_ahead=sorted(((to_micros(at), limits) for at, limits in plan.limits_since.items()), key=lambda item: item[0]), events=events,
    )  # fmt: skip


def exit_order(session: RunningSession, instrument: InstrumentSpec, at: datetime, *, number: int) -> OrderRequest:
    """The order that gives up what a session holds."""
    account_id, session_id = session.terms.account_id, session.plan.id
    return OrderRequest(
        id=UUID(int=number),
        client_order_id=client_order_id(account_id=account_id, origin=f"{session_id}|end|{at.isoformat()}"),
        account_id=account_id,
        instrument=instrument,
        side=Side.SELL if session.position > 0 else Side.BUY,
        order_type=OrderType.MARKET,
        quantity=abs(session.position),
        mode=session.terms.mode,
        market_at=at,
        origin=OrderOrigin.SESSION,
        is_reducing=True,
        origin_id=session_id,
        reason="The run ends.",
    )


def _bars_needed(strategy: AnyStrategy) -> int:
    return max(strategy.warmup_bars, WARMUP_BARS)
