"""Event strategies as they live in this process, between the bars of their sessions, and how they are brought back after a restart.

The rows are the truth: a strategy is used again only if it was told exactly as many bars of this run of its session as the row says, with the
parameters in force. In every other case it is built afresh and told everything again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from apps.core.errors import Conflict
from apps.core.vocabulary import Timeframe
from apps.markets import selectors as markets
from apps.markets.domain.bars import to_micros
from apps.orders import selectors as orders
from apps.orders.contracts import FillView, OrderStatus, OrderTerms, OrderView
from apps.orders.domain.engine_codes import EngineOrderState
from apps.strategies.domain.catalog import build_for_session
from apps.strategies.domain.evaluation import parameters_of
from apps.strategies.domain.event_session import BookedFill, EventSession, OrderStanding, bar_events
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.domain.margin_event import call_from_stored
from apps.strategies.models import Decision, TradingSession

log = structlog.get_logger(__name__)

_STATES = {
    OrderStatus.FILLED: EngineOrderState.FILLED,
    OrderStatus.CANCELLED: EngineOrderState.CANCELLED,
    OrderStatus.EXPIRED: EngineOrderState.EXPIRED,
    OrderStatus.REJECTED: EngineOrderState.REFUSED,
    OrderStatus.WAITING: EngineOrderState.WAITING,
}
_AT_VENUE_SOON = (OrderStatus.PENDING, OrderStatus.SENDING, OrderStatus.UNKNOWN)
_TERMS = tuple(field.name for field in fields(OrderTerms))
_A_MOMENT = timedelta(microseconds=1)


@dataclass
class Living:
    """A strategy that has been told the bars of a session's present run so far."""

    session_id: UUID
    session: EventSession
    kind: str
    parameters: dict[str, Any]
    starts_after: datetime
    last_fill_id: UUID | None = None


@dataclass(frozen=True)
class _Told:
    """A bar as the record has it."""

    bar_at: datetime
    actions: dict[str, Any]
    parameters: dict[str, Any]
    position: Any


_living: dict[UUID, Living] = {}


def take_living(row: TradingSession) -> Living:
    """The session's strategy, taken out of this process's memory or brought back. Give it back with `keep_living` after the commit.

    Raises InvalidInput for parameters that do not fit, Conflict where the strategy does not repeat itself, and whatever it raises.
    """
    built = build_for_session(row.strategy.kind, row.strategy.parameters)
    assert isinstance(built, EventStrategy)
    parameters = parameters_of(built)
    known = _living.pop(row.id, None)
    if known is not None and _is_current(known, row, parameters):
        return known
    return _brought_back(row, built, parameters)


def keep_living(told: Iterable[Living]) -> None:
    """Remember strategies that were told a bar which is stored now."""
    for living in told:
        _living[living.session_id] = living


def forget_living(session_ids: Iterable[UUID]) -> None:
    """Sessions that have ended need no memory."""
    for session_id in session_ids:
        _living.pop(session_id, None)


def _is_current(living: Living, row: TradingSession, parameters: dict[str, Any]) -> bool:
    return (
        (living.kind, living.parameters) == (row.strategy.kind, parameters)
        and living.starts_after == row.starts_after
        and living.session.bars_told == row.bars_told
    )


def _brought_back(row: TradingSession, strategy: EventStrategy, parameters: dict[str, Any]) -> Living:
    spec = markets.instrument_spec(row.instrument_id)
    assert row.starts_after is not None
    living = Living(row.id, EventSession(strategy, spec), row.strategy.kind, parameters, row.starts_after)
    told = _told(row)
    if not told:
        return living
    log.info("strategy_brought_back", session=str(row.id), bars=len(told))
    heard = orders.fills_by_id([UUID(key) for item in told for key in item.actions["fills"]])
    window = markets.bars_between(spec, Timeframe(row.timeframe), since=row.starts_after - _A_MOMENT, until=told[-1].bar_at)
    places = {int(closed): place for place, closed in enumerate(window.closed_at)}
    changed = max(
        (place for place, item in enumerate(told) if (item.actions["kind"], item.parameters) != (living.kind, parameters)), default=-1
    )
    for number, item in enumerate(told):
        place = places.get(to_micros(item.bar_at))
        if place is None:
            raise Conflict(f"The bar of {item.bar_at:%Y-%m-%d %H:%M} UTC that {strategy.title} was told is not stored any more.")
        booked = [booked_fill(heard[UUID(key)]) for key in item.actions["fills"]]
        living.session.retell(
            bar_events(window.part(place, place + 1), first_index=number)[0],
            position=item.position,
            fills=booked,
            script=item.actions["calls"],
            is_repeated=number > changed and not item.actions["is_late"],
            margin_call=call_from_stored(item.actions.get("margin_call"), to_micros(item.bar_at)),
        )
        living.last_fill_id = booked[-1].id if booked else living.last_fill_id
    return living


def _told(row: TradingSession) -> list[_Told]:
    rows = Decision.objects.filter(session_id=row.id, bar_at__gt=row.starts_after, actions__has_key="index").order_by("bar_at")
    return [_Told(*values) for values in rows.values_list("bar_at", "actions", "parameters", "position_before")]


def untold_fills(living: Living, *, until: datetime) -> list[BookedFill]:
    """Fills of the session's orders that its strategy has not heard of, for one that listens."""
    if not living.session.hears_fills:
        return []
    found = orders.fills_after(living.session_id, after=living.last_fill_id, until=until)
    return [booked_fill(item) for item in found if item.occurred_at > living.starts_after]


def booked_fill(fill: FillView) -> BookedFill:
    """A stored fill as a strategy hears of it."""
    return BookedFill(fill.id, fill.order_id, fill.occurred_at, fill.side, fill.quantity, fill.price, fill.fee, fill.reason)


@dataclass(frozen=True)
class Standings:
    """How a session's orders stand: those that its strategy gave, by ticket, and open ones of nobody's ticket, by id."""

    by_ticket: dict[int, OrderStanding]
    strays: dict[UUID, OrderStanding]


def standings_of(living: Sequence[Living]) -> dict[UUID, Standings]:
    """The orders of several sessions, in one read."""
    wanted = {order_id for item in living for order_id in item.session.unsettled.values()}
    rows = orders.orders_of_origins(order_ids=wanted, origin_ids=[item.session_id for item in living])
    by_id = {row.id: row for row in rows}
    return {
        item.session_id: Standings(
            by_ticket={
                ticket: _standing(by_id[order_id], by_id) for ticket, order_id in item.session.unsettled.items() if order_id in by_id
            },
            strays={
                row.id: _standing(row, by_id) for row in rows if row.origin_id == item.session_id and item.session.ticket_of(row.id) is None
            },
        )
        for item in living
    }


def _standing(row: OrderView, known: dict[UUID, OrderView]) -> OrderStanding:
    state = _STATES.get(row.status, EngineOrderState.OPEN)
    parent = known.get(row.parent_id) if row.parent_id else None
    if row.status in _AT_VENUE_SOON and parent is not None and not parent.filled_quantity:
        state = EngineOrderState.WAITING
    return OrderStanding(state, row.filled_quantity, OrderTerms(**{name: getattr(row, name) for name in _TERMS}))
