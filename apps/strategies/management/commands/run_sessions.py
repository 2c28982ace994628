"""`manage.py run_sessions`: owns the trading sessions and decides on every bar, in order, once."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from apps.common.daemon import DATABASE_GONE, Daemon, DaemonCommand
from apps.common.leases import HeldLease, acquire, release
from apps.common.notify import Channel
from apps.core.errors import OwnershipLost
from apps.forecasts import selectors as forecasts
from apps.forecasts.contracts import TrainingStatus
from apps.markets import selectors as markets
from apps.markets import services as market_services
from apps.markets.contracts import ClockStatus, VenueKind, VenueView
from apps.orders import selectors as orders
from apps.strategies import selectors, services
from apps.strategies.contracts import Outcome, SessionState
from apps.strategies.selectors import ActiveSession
from apps.strategies.services import Decided, Due

log = structlog.get_logger(__name__)

LEASE = "sessions"
LEASE_SECONDS = 15.0


class SessionOwner(Daemon):
    """Holds the lease, starts the clock when the first models are there, feeds sessions their bars, ends them."""

    name = "sessions"
    channels = (Channel.MATCHED, Channel.CONTROL, Channel.ORDERS)

    def __init__(self) -> None:
        super().__init__()
        self._lease: HeldLease | None = None
        self._renewed_at = datetime.min.replace(tzinfo=UTC)

    def work(self) -> bool:
        if not self._hold_lease():
            self.detail = "another process owns the sessions"
            return False
        if services.serve_replay_requests(lease=self._lease):
            return True
        venue = markets.active_venue()
        if venue is None:
            self.detail = "no venue"
            return False
        if venue.kind is VenueKind.LIVE and services.open_live_sessions(venue):
            return True
        self._start_prepared_clock(venue)
        sessions = selectors.active_sessions()
        self.detail = f"{len(sessions)} sessions"
        matched = {account_id: orders.matched_through(account_id) for account_id in {session.account_id for session in sessions}}
        due = {session: item for session in sessions if (item := self._due(session, matched[session.account_id]))}
        ended = [self._end_if_done(session, venue) for session in sessions if session not in due]
        return self._decide(due) or any(ended)

    def finish(self) -> None:
        if self._lease is not None:
            release(self._lease)

    def prepare(self) -> None:
        self._lease = None
        self._renewed_at = datetime.min.replace(tzinfo=UTC)

    def _hold_lease(self) -> bool:
        now = datetime.now(UTC)
        if self._lease is None or (now - self._renewed_at).total_seconds() > LEASE_SECONDS / 3:
            self._lease = acquire(LEASE, seconds=LEASE_SECONDS)
            self._renewed_at = now
        return self._lease is not None

    def _start_prepared_clock(self, venue: VenueView) -> None:
        """PREPARING ends with the first training, well or badly: without a model the sessions say so bar by bar."""
        if venue.status is not ClockStatus.PREPARING:
            return
        training = forecasts.training_state(venue.id)
        if training is None or training.status not in (TrainingStatus.QUEUED, TrainingStatus.RUNNING):
            market_services.start_clock(venue.id)

    def _due(self, session: ActiveSession, matched: datetime | None) -> Due | None:
        """The next bar that the session has to decide on, once its account is matched through it."""
        if matched is None:
            return None
        if session.last_bar_at is not None and matched <= session.last_bar_at:
            late = selectors.undecided_closes(session) if session.venue_kind is VenueKind.LIVE else []
            return Due(session.id, late[0], is_late=True) if late else None
        if session.venue_kind is VenueKind.REPLAY:
            return Due(session.id, matched)
        closes = [at for at in markets.closes_after(session.venue_id, session.last_bar_at or matched) if at <= matched]
        return Due(session.id, closes[0], is_late=len(closes) > 1) if closes else None

    def _decide(self, due: dict[ActiveSession, Due]) -> bool:
        """Decide with one commit; if that fails, one by one, so that a broken session stops alone."""
        if not due:
            return False
        try:
            results = services.decide_bars(list(due.values()), lease=self._lease)
        except (*DATABASE_GONE, OwnershipLost):
            raise
        except Exception:
            log.exception("round_failed", sessions=len(due))
            results = [self._decide_alone(item) for item in due.values()]
        for session, decided in zip(due, results, strict=True):
            if decided is None:
                self._finish_without_bars(session)
            elif decided.outcome is Outcome.FAILED:
                services.fail_session(session_id=session.id, reason=decided.sentence)
        return True

    def _decide_alone(self, item: Due) -> Decided | None:
        try:
            return services.decide_bar(session_id=item.session_id, bar_at=item.bar_at, is_late=item.is_late, lease=self._lease)
        except (*DATABASE_GONE, OwnershipLost):
            raise
        except Exception as error:
            log.exception("decision_failed", session=str(item.session_id))
            services.fail_session(
                session_id=item.session_id, reason=f"The decision on {item.bar_at:%Y-%m-%d %H:%M} failed: {type(error).__name__}: {error}"
            )
            return None

    def _finish_without_bars(self, session: ActiveSession) -> bool:
        """The instrument had no bar: if it will never have one again, the session is FINISHED."""
        if session.venue_kind is not VenueKind.REPLAY or markets.has_more_bars(session.instrument_id):
            return True
        services.finish_session(session_id=session.id, reason=f"The data of {session.symbol} has no further bars.")
        return True

    def _end_if_done(self, session: ActiveSession, venue: VenueView) -> bool:
        """STOPPING and flat (or keeping) → STOPPED; no more bars, and the last one decided on → FINISHED."""
        if session.state is SessionState.STOPPING and not orders.has_open_order(session.id):
            position = orders.session_position(session.id, session.instrument_id)
            if session.keep_positions or not position:
                reason = session.state_reason or "stopped"
                services.finish_session(session_id=session.id, reason=reason, state=SessionState.STOPPED)
                return True
        is_through = session.last_bar_at is not None and session.last_bar_at >= venue.now_at
        if session.venue_id == venue.id and venue.status is ClockStatus.ENDED and is_through:
            return self._finish_without_bars(session)
        return False


class Command(DaemonCommand):
    help = "Own the trading sessions: decide on every bar, in order, once."
    daemon_class = SessionOwner
