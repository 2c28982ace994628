"""Opening a world: a venue, an account on it, sessions, and the training that must end before the clock starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from apps.common.leases import HeldLease, fence
from apps.common.locks import Lock, lock_in_transaction
from apps.common.notify import Channel, notify
from apps.core.errors import Conflict, InvalidInput, NotFound, OwnershipLost, TradingError
from apps.core.vocabulary import Timeframe, TradingMode
from apps.events.services import record_event
from apps.forecasts import services as forecasts
from apps.markets import selectors as markets
from apps.markets import services as market_services
from apps.markets.contracts import VenueKind, VenueView
from apps.orders import services as orders
from apps.portfolio import selectors as books
from apps.portfolio import services as portfolio
from apps.strategies.contracts import ReplayOpened, SessionState
from apps.strategies.models import ReplayRequest, TradingSession
from apps.strategies.services.parameters import ensure_strategy
from apps.strategies.services.sessions import create_session, finish_session, start_session

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SessionPlan:
    """A session to be opened in a new world."""

    strategy_id: UUID
    symbol: str
    capital: Decimal
    risk_per_trade: Decimal
    max_positions: int = 10
    is_running: bool = True


def default_plans() -> list[SessionPlan]:
    """What a first start trades: momentum on an index and four stocks, the forecast strategy on both indices, equal capital."""
    momentum = ensure_strategy(name="Momentum", kind="momentum")
    forecast = ensure_strategy(name="Forecast", kind="forecast")
    wanted = [(momentum, symbol) for symbol in ("SP500", "AAPL", "JPM", "WMT", "XOM")] + [
        (forecast, symbol) for symbol in ("SP500", "NASDAQ")
    ]
    capital = (settings.INITIAL_CAPITAL / len(wanted)).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
    return [SessionPlan(strategy_id, symbol, capital, settings.RISK_PER_TRADE) for strategy_id, symbol in wanted]


@transaction.atomic
def open_replay_world(*, starts_at: datetime | None, reason: str, actor: str, plans: Sequence[SessionPlan] | None = None) -> VenueView:
    """Close the present replay with everything on it and open a fresh one: new venue, account and sessions; its models are trained first.

    `plans` are the sessions to open; None takes those of the present replay, or what a first start trades.
    """
    lock_in_transaction(Lock.BOOTSTRAP)
    old = _current_replay()
    if plans is None:
        plans = _plans_of(old.id) if old is not None else default_plans()
    if old is not None:
        _close_world(old, reason=reason, actor=actor)
    venue = market_services.open_replay_venue(starts_at=starts_at, reason=reason, actor=actor)
    account_id = portfolio.open_account(
        name=f"Paper {venue.code}",
        venue_id=venue.id,
        currency="USD",
        cash_scale=8,
        initial_capital=settings.INITIAL_CAPITAL,
        mode=TradingMode.PAPER,
        broker="simulated",
        opened_at=venue.now_at,
        make_default=True,
    )
    instrument_ids = _open_sessions(venue.id, account_id, plans, timeframe=Timeframe.D1, actor=actor)
    forecasts.request_training(
        venue_id=venue.id, instrument_ids=instrument_ids, trained_through=venue.now_at, reason="first models of this replay"
    )
    record_event(
        ReplayOpened(venue_id=venue.id, venue=venue.code, starts_at=venue.starts_at or venue.now_at, account_id=account_id, reason=reason),
        occurred_at=venue.now_at,
        actor=actor,
        subject=str(venue.id),
    )
    notify(Channel.CONTROL)
    return venue


@transaction.atomic
def open_live_world(*, exchange: str, symbol: str, timeframe: Timeframe, mode: TradingMode, actor: str = "up") -> VenueView:
    """A live venue fed by public data, a paper account and a momentum session on it. Opening the same again returns it as it is."""
    lock_in_transaction(Lock.BOOTSTRAP)
    if mode is TradingMode.LIVE:
        raise InvalidInput("Live trading is not available: no broker for real money is connected.", where="mode", hint="Use --mode paper.")
    venue = market_services.open_live_venue(exchange=exchange, symbol=symbol, timeframe=timeframe)
    if not books.open_accounts(venue.id):
        portfolio.open_account(
            name=f"Paper {exchange}",
            venue_id=venue.id,
            currency=symbol.partition("/")[2].partition(":")[0] or "USD",
            cash_scale=8,
            initial_capital=settings.INITIAL_CAPITAL,
            mode=mode,
            broker="simulated",
            opened_at=venue.now_at,
            make_default=True,
        )
    open_live_sessions(venue, actor=actor)
    return venue


def open_live_sessions(venue: VenueView, *, actor: str = "sessions") -> bool:
    """Start momentum on a live venue that has instruments but no session yet; its instruments come with the exchange's first answer."""
    accounts = books.open_accounts(venue.id)
    instruments = markets.instruments(venue.id)
    if not accounts or not instruments or TradingSession.objects.filter(account__venue_id=venue.id).exists():
        return False
    with transaction.atomic():
        momentum = ensure_strategy(name="Momentum", kind="momentum")
        capital = settings.INITIAL_CAPITAL / len(instruments)
        plans = [SessionPlan(momentum, item.symbol, capital, settings.RISK_PER_TRADE) for item in instruments]
        used = _open_sessions(venue.id, accounts[0].id, plans, timeframe=venue.timeframe, actor=actor)
        forecasts.request_training(
            venue_id=venue.id, instrument_ids=used, trained_through=venue.now_at, reason="first models of this market"
        )
    return True


@transaction.atomic
def request_replay_restart(*, venue_id: UUID, starts_at: datetime | None, actor: str) -> UUID:
    """Record the wish to start the replay afresh (at `starts_at`, or where it usually starts); the owner of the sessions carries it out."""
    venue = markets.venue(venue_id)
    if venue.kind is not VenueKind.REPLAY:
        raise Conflict(f"{venue.name} is not a replay; only replays can be restarted.", where="venue_id")
    current = _current_replay()
    if current is None or current.id != venue_id:
        raise Conflict(f"{venue.name} is an earlier run; only the current replay can be restarted.", where="venue_id")
    if ReplayRequest.objects.filter(venue_id=venue_id, done_at=None).exists():
        raise Conflict("A restart of this replay is already under way.", where="venue_id", hint="Wait a few seconds.")
    if starts_at is not None and venue.ends_at is not None and starts_at >= venue.ends_at:
        raise InvalidInput(
            f"The replay's data ends on {venue.ends_at:%Y-%m-%d}; it cannot start on {starts_at:%Y-%m-%d}.", where="starts_at"
        )
    row = ReplayRequest.objects.create(venue_id=venue_id, starts_at=starts_at, requested_by=actor, requested_at=datetime.now(UTC))
    notify(Channel.CONTROL)
    return row.id


def serve_replay_requests(*, lease: HeldLease | None = None) -> bool:
    """Carry out the oldest open request; True if there was one. A request that cannot be served is closed with its error.

    Each is carried out once, whoever else is at it. With a lease, a process that has lost it raises `OwnershipLost` and changes nothing.
    """
    row = ReplayRequest.objects.filter(done_at=None).order_by("requested_at").first()
    if row is None:
        return False
    try:
        with transaction.atomic():
            if lease is not None:
                fence(lease)
            if not ReplayRequest.objects.select_for_update().filter(id=row.id, done_at=None).exists():
                return True
            venue = open_replay_world(starts_at=row.starts_at, reason=f"restarted by {row.requested_by}", actor=row.requested_by)
            ReplayRequest.objects.filter(id=row.id).update(done_at=datetime.now(UTC), opened_venue_id=venue.id)
    except OwnershipLost:
        raise
    except TradingError as error:
        log.warning("replay_request_refused", request=str(row.id), error=str(error))
        ReplayRequest.objects.filter(id=row.id).update(done_at=datetime.now(UTC), error=str(error)[:300])
    return True


def _current_replay() -> VenueView | None:
    try:
        venue = markets.active_venue()
    except NotFound:
        return None
    return venue if venue is not None and venue.kind is VenueKind.REPLAY else None


def _plans_of(venue_id: UUID) -> list[SessionPlan]:
    """The sessions of a world as plans for the next one."""
    rows = TradingSession.objects.filter(account__venue_id=venue_id).select_related("instrument").order_by("created_at")
    ended_by_person = (SessionState.STOPPED, SessionState.FAILED, SessionState.CREATED)
    plans = [
        SessionPlan(
            row.strategy_id, row.instrument.symbol, row.capital, row.risk_per_trade, row.max_positions, row.state not in ended_by_person
        )
        for row in rows
    ]
    return plans or default_plans()


def _close_world(venue: VenueView, *, reason: str, actor: str) -> None:
    """End the sessions, cancel what is open, close the accounts. Everything stays readable."""
    for session_id in TradingSession.objects.filter(
        account__venue_id=venue.id, state__in=[SessionState.RUNNING, SessionState.STOPPING]
    ).values_list("id", flat=True):
        finish_session(session_id=session_id, reason=f"The replay ended: {reason}.")
    for account in books.open_accounts(venue.id):
        orders.request_cancel_all(account_id=account.id, actor=actor, reason=f"the replay ended: {reason}")
        portfolio.close_account(account.id, closed_at=venue.now_at)


def _open_sessions(venue_id: UUID, account_id: UUID, plans: Sequence[SessionPlan], *, timeframe: Timeframe, actor: str) -> list[UUID]:
    instruments = {item.symbol: item for item in markets.instruments(venue_id)}
    used: dict[UUID, None] = {}
    for plan in plans:
        instrument = instruments.get(plan.symbol)
        if instrument is None:
            log.warning("session_not_carried_over", symbol=plan.symbol)
            continue
        session_id = create_session(
            strategy_id=plan.strategy_id,
            account_id=account_id,
            instrument_id=instrument.id,
            capital=plan.capital,
            risk_per_trade=plan.risk_per_trade,
            max_positions=plan.max_positions,
            timeframe=timeframe,
            actor=actor,
        )
        if plan.is_running:
            start_session(session_id=session_id, actor=actor)
        used[instrument.id] = None
    return list(used)
