"""The simulated venue in memory: the book of one account, met by bars through the matching function of the paper venue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side, TimeInForce
from apps.markets.contracts import Bar
from apps.orders.contracts import OrderRequest
from apps.orders.domain.costs import Costs
from apps.orders.domain.matching import BarRange, Match, MatchStatus, RestingOrder, day_end, match
from apps.orders.domain.vocabulary import Liquidity


@dataclass(frozen=True)
class Traded:
    """A fill: what was traded of which order, when and why, and what of the order is left."""

    order_id: UUID
    session_id: UUID
    instrument: InstrumentSpec
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    liquidity: Liquidity
    reason: str
    at: datetime
    remaining: Decimal


@dataclass(frozen=True)
class _Open:
    """An order in the book; `rest` is what the matching function sees of it."""

    request: OrderRequest
    rest: RestingOrder


class MemoryVenue:
    """Orders in the order of their acceptance. The one place of a run that matches."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._book: dict[UUID, _Open] = {}

    def accept(self, request: OrderRequest, *, at: datetime) -> None:
        """Take an order; bars that close later meet it."""
        rest = RestingOrder(
            side=request.side,
            order_type=request.order_type,
            remaining=request.quantity,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            accepted_at=at,
            day_ends_at=None,
        )
        self._book[request.id] = _Open(request, rest)

    def has_order_of(self, session_id: UUID) -> bool:
        """Whether an order of the session may still trade."""
        return any(item.request.origin_id == session_id for item in self._book.values())

    def cancel_of(self, session_id: UUID) -> list[UUID]:
        """Take the session's orders out of the book; returns which."""
        gone = [key for key, item in self._book.items() if item.request.origin_id == session_id]
        for key in gone:
            del self._book[key]
        return gone

    def open_orders(self) -> list[OrderRequest]:
        """What still waits."""
        return [item.request for item in self._book.values()]

    def meet(self, bars: Mapping[UUID, Bar], *, is_daily: bool) -> tuple[list[Traded], list[UUID]]:
        """Match the book against the bars of one close, by instrument. Returns the fills, and the orders that expired."""
        fills: list[Traded] = []
        expired: list[UUID] = []
        for key, item in list(self._book.items()):
            bar = bars.get(item.request.instrument.id)
            if bar is not None:
                self._meet_one(key, item, bar, fills, expired, is_daily=is_daily)
        return fills, expired

    def _meet_one(self, key: UUID, item: _Open, bar: Bar, fills: list[Traded], expired: list[UUID], *, is_daily: bool) -> None:
        request, rest = item.request, item.rest
        if request.time_in_force is TimeInForce.DAY and rest.day_ends_at is None and bar.closed_at > rest.accepted_at:
            rest = replace(rest, day_ends_at=day_end(opened_at=bar.opened_at, closed_at=bar.closed_at, is_daily=is_daily))
        span = BarRange(opened_at=bar.opened_at, closed_at=bar.closed_at, open=bar.open, high=bar.high, low=bar.low)
        outcome = match(rest, span, instrument=request.instrument, costs=self._costs)
        left = rest.remaining - outcome.quantity
        if outcome.status is MatchStatus.FILLED:
            fills.append(_traded(request, outcome, bar.closed_at, remaining=left))
        if outcome.status is MatchStatus.EXPIRED:
            expired.append(key)
        if outcome.status is MatchStatus.EXPIRED or not left:
            del self._book[key]
        else:
            self._book[key] = _Open(request, replace(rest, remaining=left))


def _traded(request: OrderRequest, outcome: Match, at: datetime, *, remaining: Decimal) -> Traded:
    assert request.origin_id is not None
    return Traded(
        order_id=request.id,
        session_id=request.origin_id,
        instrument=request.instrument,
        side=request.side,
        quantity=outcome.quantity,
        price=outcome.price,
        fee=outcome.fee,
        liquidity=outcome.reason.liquidity,
        reason=outcome.reason.name,
        at=at,
        remaining=remaining,
    )
