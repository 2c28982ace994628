"""The life of a trading session: CREATED, RUNNING, STOPPING, STOPPED, FAILED, FINISHED."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.common.notify import Channel, notify
from apps.core.errors import Conflict, InvalidInput, NotFound, Refused
from apps.core.vocabulary import Timeframe, TradingMode
from apps.events.services import record_event
from apps.markets import selectors as markets
from apps.markets import services as market_services
from apps.orders import selectors as orders
from apps.orders import services as order_services
from apps.orders.contracts import OPEN_STATUSES
from apps.portfolio import selectors as portfolio
from apps.strategies.contracts import SessionCreated, SessionStarted, SessionState, SessionStopped, SessionStopping
from apps.strategies.models import Strategy, TradingSession


@transaction.atomic
def create_session(
    *,
    strategy_id: UUID,
    account_id: UUID,
    instrument_id: UUID,
    capital: Decimal,
    risk_per_trade: Decimal | None = None,
    max_positions: int = 10,
    timeframe: Timeframe = Timeframe.D1,
    mode: TradingMode = TradingMode.PAPER,
    actor: str = "system",
) -> UUID:
    """Configure a session; it trades after `start_session`."""
    strategy = Strategy.objects.filter(id=strategy_id).first()
    if strategy is None:
        raise NotFound(f"There is no strategy {strategy_id}.", where="strategy_id")
    account = portfolio.account(account_id)
    instrument = markets.instrument_spec(instrument_id)
    if instrument.venue_id != account.venue_id:
        raise InvalidInput(
            f"{instrument.symbol} is listed at another venue than the account {account.name} trades at.", where="instrument_id"
        )
    risk = settings.RISK_PER_TRADE if risk_per_trade is None else risk_per_trade
    if not capital.is_finite() or capital <= 0:
        raise InvalidInput(f"The capital must be a positive amount, got {capital}.", where="capital")
    if not risk.is_finite() or not 0 < risk <= 1:
        raise InvalidInput(f"The risk per trade must be above 0 and at most 1, got {risk}.", where="risk_per_trade")
    if max_positions < 0:
        raise InvalidInput(f"The number of positions cannot be negative, got {max_positions}.", where="max_positions")
    now_at = markets.venue(account.venue_id).now_at
    row = TradingSession.objects.create(
        strategy=strategy,
        account_id=account.id,
        instrument_id=instrument_id,
        timeframe=timeframe,
        mode=mode,
        capital=capital,
        risk_per_trade=risk,
        max_positions=max_positions,
        last_bar_at=now_at,
    )
    record_event(
        SessionCreated(session_id=row.id, strategy=strategy.name, symbol=instrument.symbol, capital=capital),
        occurred_at=now_at,
        actor=actor,
        subject=str(row.id),
    )
    return row.id


@transaction.atomic
def start_session(*, session_id: UUID, actor: str) -> None:
    """CREATED, STOPPED or FAILED → RUNNING, from the venue's next bar on. Live needs both switches.

    The venue's clock is held until the commit: a replay cannot pass a bar that the session, not yet seen by its barrier, would miss.
    """
    row = _locked(session_id)
    state = SessionState(row.state)
    if state is SessionState.RUNNING:
        return
    if state in (SessionState.STOPPING, SessionState.FINISHED):
        raise Conflict(
            f"The session is {state}; it cannot be started.", where="session_id", hint="Wait until it has stopped, or create a new one."
        )
    if row.account.closed_at is not None:
        raise Conflict(f"The account {row.account.name} is closed.", where="session_id", hint="Create a session on an open account.")
    _require_mode(TradingMode(row.mode))
    venue = market_services.hold_clock(row.account.venue_id)
    row.state = SessionState.RUNNING
    row.state_reason = ""
    row.started_at = datetime.now(UTC)
    row.stopped_at = None
    row.last_bar_at = row.starts_after = venue.now_at
    row.bars_told = 0
    row.save()
    record_event(
        SessionStarted(
            session_id=row.id,
            strategy=row.strategy.name,
            symbol=row.instrument.symbol,
            timeframe=row.timeframe,
            mode=row.mode,
            capital=row.capital,
        ),
        occurred_at=venue.now_at,
        actor=actor,
        subject=str(row.id),
    )
    notify(Channel.CONTROL)


@transaction.atomic
def stop_session(*, session_id: UUID, keep_positions: bool, actor: str, reason: str) -> None:
    """RUNNING → STOPPING: what it holds is sold at the next bar unless it is kept. Stopping a stopped session does nothing."""
    row = _locked(session_id)
    state = SessionState(row.state)
    if state is SessionState.CREATED:
        _end(row, SessionState.STOPPED, reason, actor=actor)
        return
    if not state.is_active:
        return
    row.state = SessionState.STOPPING
    row.keep_positions = keep_positions
    row.state_reason = reason[:300]
    row.save(update_fields=["state", "keep_positions", "state_reason"])
    record_event(
        SessionStopping(session_id=row.id, keep_positions=keep_positions, reason=reason),
        occurred_at=markets.venue(row.account.venue_id).now_at,
        actor=actor,
        subject=str(row.id),
    )
    notify(Channel.CONTROL)


@transaction.atomic
def fail_session(*, session_id: UUID, reason: str) -> None:
    """An active session → FAILED: it decides no more and keeps what it holds; a person looks at it."""
    row = _locked(session_id)
    if SessionState(row.state).is_active:
        _end(row, SessionState.FAILED, reason, actor="sessions")


@transaction.atomic
def finish_session(*, session_id: UUID, reason: str, state: SessionState = SessionState.FINISHED) -> None:
    """An active session → FINISHED (its market has no more bars) or STOPPED (it is flat, or keeps its positions).

    What it still has open is cancelled: no bar can fill it any more, and until it ends it would hold cash and exposure for nothing.
    """
    row = _locked(session_id)
    if not SessionState(row.state).is_active:
        return
    for order in orders.orders(origin_id=session_id, statuses=OPEN_STATUSES):
        order_services.request_cancel(order_id=order.id, actor="sessions", reason=reason)
    _end(row, state, reason, actor="sessions")


def start_configured_sessions(*, venue_id: UUID, actor: str) -> list[UUID]:
    """Start every session of the venue that is not running and can be."""
    ids = list(
        TradingSession.objects.filter(
            account__venue_id=venue_id, account__closed_at=None, state__in=[SessionState.CREATED, SessionState.STOPPED, SessionState.FAILED]
        ).values_list("id", flat=True)
    )
    for session_id in ids:
        start_session(session_id=session_id, actor=actor)
    return ids


def stop_all_sessions(*, venue_id: UUID, keep_positions: bool, actor: str, reason: str) -> list[UUID]:
    """Stop every active session of the venue."""
    ids = list(
        TradingSession.objects.filter(account__venue_id=venue_id, state__in=[SessionState.RUNNING, SessionState.STOPPING]).values_list(
            "id", flat=True
        )
    )
    for session_id in ids:
        stop_session(session_id=session_id, keep_positions=keep_positions, actor=actor, reason=reason)
    return ids


def _locked(session_id: UUID) -> TradingSession:
    row = (
        TradingSession.objects.select_for_update(of=("self",))
        .select_related("account", "instrument", "strategy")
        .filter(id=session_id)
        .first()
    )
    if row is None:
        raise NotFound(f"There is no session {session_id}.", where="session_id")
    return row


def _require_mode(mode: TradingMode) -> None:
    if mode is TradingMode.LIVE:
        raise Refused(
            "Live trading is not available: no broker for real money is connected.",
            where="mode",
            hint="Use paper mode.",
        )


def _end(row: TradingSession, state: SessionState, reason: str, *, actor: str) -> None:
    row.state = state
    row.state_reason = reason[:300]
    row.stopped_at = datetime.now(UTC)
    row.save(update_fields=["state", "state_reason", "stopped_at"])
    record_event(
        SessionStopped(session_id=row.id, state=str(state), reason=reason),
        occurred_at=markets.venue(row.account.venue_id).now_at,
        actor=actor,
        subject=str(row.id),
    )
    notify(Channel.CONTROL)
