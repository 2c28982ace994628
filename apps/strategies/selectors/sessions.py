"""Reading strategies, sessions and decisions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.core.errors import NotFound
from apps.core.vocabulary import Timeframe, TradingMode
from apps.markets import selectors as markets
from apps.markets.contracts import VenueKind
from apps.strategies.contracts import Outcome, SessionState
from apps.strategies.domain.catalog import session_class, session_help, session_kinds
from apps.strategies.domain.parameters import ParameterSpec, build_parameters, describe_parameters
from apps.strategies.models import Decision, ReplayRequest, Strategy, TradingSession

LATE_BARS_LOOKED_BACK = 100


@dataclass(frozen=True)
class StrategyView:
    id: UUID
    name: str
    kind: str
    title: str
    help: str
    parameters: dict[str, Any]
    specs: list[ParameterSpec]
    note: str
    updated_at: datetime


@dataclass(frozen=True)
class SessionView:
    id: UUID
    strategy_id: UUID
    strategy: str
    kind: str
    account_id: UUID
    account: str
    venue_id: UUID
    instrument_id: UUID
    symbol: str
    timeframe: Timeframe
    mode: TradingMode
    capital: Decimal
    risk_per_trade: Decimal
    max_positions: int
    state: SessionState
    state_reason: str
    keep_positions: bool
    last_bar_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None


@dataclass(frozen=True)
class ActiveSession:
    """What the owner of the sessions needs at every bar."""

    id: UUID
    account_id: UUID
    instrument_id: UUID
    symbol: str
    venue_id: UUID
    venue_kind: VenueKind
    timeframe: Timeframe
    state: SessionState
    state_reason: str
    keep_positions: bool
    last_bar_at: datetime | None
    started_at: datetime | None


@dataclass(frozen=True)
class DecisionView:
    """A stored decision with everything that went into it."""

    id: UUID
    session_id: UUID
    strategy: str
    kind: str
    account_id: UUID
    venue_id: UUID
    instrument_id: UUID
    symbol: str
    timeframe: str
    bar_at: datetime
    outcome: Outcome
    sentence: str
    close: Decimal | None
    bars: dict[str, Any]
    bars_used: int
    data_hash: str
    features: dict[str, float]
    forecast_id: UUID | None
    forecast_refusal: dict[str, str]
    parameters: dict[str, Any]
    signal: dict[str, Any]
    position_before: Decimal
    risk_factor: Decimal | None
    risk_factor_reasons: list[str]
    sizing: dict[str, Any]
    verdict_id: UUID | None
    checks: list[dict[str, Any]]
    order_id: UUID | None
    """The first of `order_ids`."""
    order_ids: list[UUID]
    actions: dict[str, Any]
    """Of an event strategy: what it was told and its order calls with their answers."""
    code_version: str
    decided_at: datetime
    duration_ms: float


@dataclass(frozen=True)
class RestartState:
    """A restart of a replay that is under way or has failed."""

    requested_by: str
    requested_at: datetime
    starts_at: datetime | None
    is_done: bool
    error: str


def strategies() -> list[StrategyView]:
    """All strategies by name."""
    return [_strategy_view(row) for row in Strategy.objects.all()]


def strategy(strategy_id: UUID) -> StrategyView:
    """One strategy."""
    row = Strategy.objects.filter(id=strategy_id).first()
    if row is None:
        raise NotFound(f"There is no strategy {strategy_id}.", where="strategy_id")
    return _strategy_view(row)


def sessions(venue_id: UUID | None = None) -> list[SessionView]:
    """Sessions of a venue (or all), newest first."""
    return [_session_view(row) for row in _session_rows(venue_id)]


def session(session_id: UUID) -> SessionView:
    """One session."""
    row = _session_rows(None).filter(id=session_id).first()
    if row is None:
        raise NotFound(f"There is no session {session_id}.", where="session_id")
    return _session_view(row)


def active_sessions() -> list[ActiveSession]:
    """RUNNING and STOPPING sessions, oldest first."""
    rows = (
        TradingSession.objects.filter(state__in=[SessionState.RUNNING, SessionState.STOPPING])
        .select_related("instrument", "instrument__venue")
        .order_by("id")
    )
    return [
        ActiveSession(
            id=row.id,
            account_id=row.account_id,
            instrument_id=row.instrument_id,
            symbol=row.instrument.symbol,
            venue_id=row.instrument.venue_id,
            venue_kind=VenueKind(row.instrument.venue.kind),
            timeframe=Timeframe(row.timeframe),
            state=SessionState(row.state),
            state_reason=row.state_reason,
            keep_positions=row.keep_positions,
            last_bar_at=row.last_bar_at,
            started_at=row.started_at,
        )
        for row in rows
    ]


def undecided_closes(active: ActiveSession) -> list[datetime]:
    """Closes that the session is past without a Decision: bars that arrived late."""
    if active.last_bar_at is None or active.started_at is None:
        return []
    since = max(active.started_at, active.last_bar_at - LATE_BARS_LOOKED_BACK * active.timeframe.duration)
    closes = [at for at in markets.closes_after(active.venue_id, since) if at <= active.last_bar_at]
    if not closes:
        return []
    decided = set(Decision.objects.filter(session_id=active.id, bar_at__gte=closes[0]).values_list("bar_at", flat=True))
    with_bar = [at for at in closes if at not in decided]
    return [at for at in with_bar if active.instrument_id in markets.bars_closed_at(active.venue_id, at)]


def decisions(
    *,
    venue_id: UUID | None = None,
    session_id: UUID | None = None,
    instrument_id: UUID | None = None,
    outcome: Outcome | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[DecisionView]:
    """Decisions, newest first; `before` is the id of the last one already seen."""
    condition = Q()
    if venue_id is not None:
        condition &= Q(instrument__venue_id=venue_id)
    if session_id is not None:
        condition &= Q(session_id=session_id)
    if instrument_id is not None:
        condition &= Q(instrument_id=instrument_id)
    if outcome is not None:
        condition &= Q(outcome=outcome)
    if before is not None:
        condition &= Q(id__lt=before)
    return [_decision_view(row) for row in _decision_rows().filter(condition)[:limit]]


def decision(decision_id: UUID) -> DecisionView:
    """One decision."""
    return _one_decision(Q(id=decision_id), f"There is no decision {decision_id}.")


def decision_after(decision_id: UUID) -> UUID | None:
    """The same session's next decision; None for its newest."""
    session = Decision.objects.filter(id=decision_id).values("session_id")
    return Decision.objects.filter(session_id__in=session, id__gt=decision_id).order_by("id").values_list("id", flat=True).first()


def decision_for_order(order_id: UUID) -> DecisionView | None:
    """The decision that wanted this order; None for a manual one."""
    row = _decision_rows().filter(order_id=order_id).first()
    return _decision_view(row) if row else None


def latest_decision(session_id: UUID) -> DecisionView | None:
    """The newest decision of a session."""
    row = _decision_rows().filter(session_id=session_id).first()
    return _decision_view(row) if row else None


def restart_state(venue_id: UUID) -> RestartState | None:
    """The newest restart asked for on a replay."""
    row = ReplayRequest.objects.filter(venue_id=venue_id).first()
    if row is None:
        return None
    return RestartState(row.requested_by, row.requested_at, row.starts_at, row.done_at is not None, row.error)


def _session_rows(venue_id: UUID | None) -> QuerySet[TradingSession]:
    rows = TradingSession.objects.select_related("strategy", "account", "instrument")
    return rows.filter(account__venue_id=venue_id) if venue_id is not None else rows


def _decision_rows() -> QuerySet[Decision]:
    return Decision.objects.select_related("session", "session__strategy", "instrument")


def _one_decision(condition: Q, message: str) -> DecisionView:
    row = _decision_rows().filter(condition).first()
    if row is None:
        raise NotFound(message, where="decision_id")
    return _decision_view(row)


def _strategy_view(row: Strategy) -> StrategyView:
    cls = session_class(row.kind)
    return StrategyView(
        id=row.id,
        name=row.name,
        kind=row.kind,
        title=session_kinds()[row.kind],
        help=session_help(row.kind),
        parameters=asdict(build_parameters(cls.Parameters, row.parameters)),
        specs=describe_parameters(cls.Parameters),
        note=row.note,
        updated_at=row.updated_at,
    )


def _session_view(row: TradingSession) -> SessionView:
    return SessionView(
        id=row.id, strategy_id=row.strategy_id, strategy=row.strategy.name, kind=row.strategy.kind, account_id=row.account_id,
        account=row.account.name, venue_id=row.account.venue_id, instrument_id=row.instrument_id, symbol=row.instrument.symbol,
        timeframe=Timeframe(row.timeframe), mode=TradingMode(row.mode), capital=row.capital, risk_per_trade=row.risk_per_trade,
        max_positions=row.max_positions, state=SessionState(row.state), state_reason=row.state_reason,
        keep_positions=row.keep_positions, last_bar_at=row.last_bar_at, created_at=row.created_at, started_at=row.started_at,
        stopped_at=row.stopped_at,
    )  # fmt: skip


def _decision_view(row: Decision) -> DecisionView:
    return DecisionView(
        id=row.id, session_id=row.session_id, strategy=row.session.strategy.name, kind=row.session.strategy.kind,
        account_id=row.session.account_id, venue_id=row.instrument.venue_id, instrument_id=row.instrument_id,
        symbol=row.instrument.symbol, timeframe=row.session.timeframe, bar_at=row.bar_at, outcome=Outcome(row.outcome),
        sentence=row.sentence, close=row.close, bars=row.bars, bars_used=row.bars_used, data_hash=row.data_hash,
        features=row.features, forecast_id=row.forecast_id, forecast_refusal=row.forecast_refusal, parameters=row.parameters,
        signal=row.signal, position_before=row.position_before, risk_factor=row.risk_factor,
        risk_factor_reasons=row.risk_factor_reasons, sizing=row.sizing, verdict_id=row.verdict_id, checks=row.checks,
        order_id=row.order_id, order_ids=row.order_ids, actions=row.actions, code_version=row.code_version, decided_at=row.decided_at, duration_ms=row.duration_ms,
    )  # fmt: skip
