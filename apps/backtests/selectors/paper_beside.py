"""What happened to a paper account beside its sessions' decisions, read from rows: people's trades and cancels, halts, limits as they stood."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from apps.backtests.domain.session_beside import Beside, GivenTrade
from apps.events import selectors as events
from apps.markets import selectors as markets
from apps.markets.domain.bars import to_micros
from apps.orders import selectors as orders
from apps.orders.contracts import FillView, OrderOrigin, OrderStatus, OrderView
from apps.orders.selectors.simulated import profiles_over_time
from apps.risk import selectors as risk
from apps.risk.contracts import HaltView
from apps.risk.domain.facts import Limits
from apps.strategies.contracts import SessionStopping
from apps.strategies.selectors import RecordedDecision, SessionView

_HALTS_READ = 10_000
SESSION_ENDED = "sessions"
"""Who cancels what a session has open when it ends."""


def beside(account_id: UUID, decisions: Sequence[RecordedDecision], fills: Sequence[FillView]) -> Beside:
    """Everything beside these decisions, which are all that the account's sessions made; `fills` are all of the account's. What the venue
    closed itself is not beside them: it follows from them."""
    wanted = {order_id: item for item in decisions for order_id in item.order_ids}
    placed = list(_all_orders(account_id))
    venues_own = {order.id for order in placed if order.origin is OrderOrigin.VENUE}
    last_bars = {item.session_id: item.bar_at for item in decisions}
    filled_at = {fill.order_id: fill.occurred_at for fill in fills}
    trades: dict[int, list[GivenTrade]] = defaultdict(list)
    for fill in fills:
        if fill.order_id not in wanted and fill.order_id not in venues_own:
            instrument = markets.instrument_spec(fill.instrument_id)
            given = GivenTrade(fill.occurred_at, instrument, fill.side, fill.quantity, fill.price, fill.fee)
            trades[to_micros(fill.occurred_at)].append(given)
    cancels: dict[int, list[UUID]] = defaultdict(list)
    entries: Counter[int] = Counter()
    for order in placed:
        made = wanted.get(order.id)
        if made is None:
            entries[to_micros(order.market_at)] += not order.is_reducing
        elif order.status is OrderStatus.CANCELLED and order.cancel_requested_by not in ("", f"session {made.session_id}"):
            is_end = order.cancel_requested_by == SESSION_ENDED
            since = last_bars[made.session_id] if is_end else filled_at.get(order.id, made.bar_at)
            cancels[to_micros(since)].append(made.session_id)
    return Beside(
        trades={key: tuple(some) for key, some in trades.items()},
        cancels={key: tuple(some) for key, some in cancels.items()},
        entries={key: count for key, count in entries.items() if count},
        halts=_halts(account_id, decisions),
        profiles={to_micros(since): profile for since, profile in profiles_over_time(account_id)[1:]},
    )


def limits_as_they_stood(session: SessionView, decisions: Sequence[RecordedDecision]) -> dict[datetime, Limits]:
    """The limits that a session's decisions met, by the close of the first that met them; empty without decisions."""
    spells = risk.limits_over_time(
        account_id=session.account_id, mode=session.mode, strategy=session.kind, instrument_id=session.instrument_id
    )
    met: dict[datetime, Limits] = {}
    place = -1
    for made in decisions:
        current = place
        while current + 1 < len(spells) and spells[current + 1][0] <= made.decided_at:
            current += 1
        if current != place:
            met[made.bar_at] = spells[current][1]
            place = current
    return met


def stops_since(session: SessionView, decisions: Sequence[RecordedDecision]) -> datetime | None:
    """The first bar that was decided after the session had been told to stop."""
    told = [item.recorded_at for item in events.events_for_subject(str(session.id)) if item.event_type == SessionStopping.event_type]
    return next((made.bar_at for made in decisions if told and made.decided_at > told[-1]), None)


def _halts(account_id: UUID, decisions: Sequence[RecordedDecision]) -> dict[tuple[UUID, datetime], str]:
    """The oldest halt that was engaged when each decision was made."""
    standing = [item for item in risk.halts(limit=_HALTS_READ) if item.account_id in (None, account_id)]
    standing.sort(key=lambda item: item.engaged_at)
    met: dict[tuple[UUID, datetime], str] = {}
    for made in decisions if standing else ():
        found = next((item for item in standing if _holds(item, made.decided_at)), None)
        if found is not None:
            met[made.session_id, made.bar_at] = found.reason
    return met


def _holds(halt: HaltView, at: datetime) -> bool:
    return halt.engaged_at <= at and (halt.reset_at is None or at < halt.reset_at)


def _all_orders(account_id: UUID) -> Iterator[OrderView]:
    before: UUID | None = None
    while page := orders.orders(account_id=account_id, before=before, limit=1_000):
        yield from page
        before = page[-1].id
