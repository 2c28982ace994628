"""An event strategy in a session: what it is told, the orders it gives, and the record by which both can be repeated after a restart.

Every call that the strategy makes of its desk is recorded with its answer, as JSON has it. A strategy that is told the same bars and fills again
makes the same calls and is given the same answers from the record, so that it ends where it was; nothing is ordered twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import numpy as np

from apps.core.errors import Conflict, InvalidInput
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side
from apps.markets.contracts import BarWindow
from apps.orders.contracts import OrderTerms
from apps.orders.domain.engine import NewOrder
from apps.orders.domain.engine_codes import NO_ROW, REDUCE_ONLY, EngineOrderState, Reason
from apps.orders.domain.instants import microseconds
from apps.strategies.domain.event_strategy import MOST_ORDERS_AT_ONCE, BarEvent, EventStrategy, FillEvent
from apps.strategies.domain.margin_event import MarginCallEvent

Call = dict[str, Any]
"""A call of the desk and its answer: `call` names it, the rest are plain numbers and texts."""

MOST_NEW_ORDERS = 100
"""New orders that a session may give on one bar: each is judged by the gate while the other sessions wait."""
_DEFAULTS = {field.name: field.default for field in fields(NewOrder)}


@dataclass(frozen=True)
class BookedFill:
    """A fill as it was stored: `order_id` says of which order."""

    id: UUID
    order_id: UUID
    at: datetime
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    reason: str


@dataclass(frozen=True)
class Ticket:
    """What is known of an order by its ticket. An order that was refused has no id."""

    order_id: UUID | None
    side: int
    parent: int
    is_exit: bool
    tag: int


@dataclass(frozen=True)
class OrderStanding:
    """An order of the session as it stands when a bar is decided."""

    state: EngineOrderState
    filled: Decimal
    terms: OrderTerms


class Taker(Protocol):
    """Answers the calls that are made on one bar."""

    def submit(self, ticket: int, order: NewOrder) -> Call:
        """`state`, `order_id` (None if refused) and `refusal`."""
        ...

    def cancel(self, ticket: int) -> Reason: ...

    def cancel_all(self, *, only_exits: bool) -> tuple[list[int], int]:
        """The tickets that were cancelled, and how many orders are left open."""
        ...

    def amend(self, ticket: int, *, lots: int | None, limit: int | None, stop: int | None) -> Reason: ...

    def state(self, ticket: int) -> EngineOrderState: ...

    def sized_lots(self) -> int: ...

    def equity(self) -> Decimal: ...


class SessionDesk:
    """The desk of a strategy in a session. Between bars, while it warms up, and on bars that came late, orders do nothing."""

    def __init__(self, instrument: InstrumentSpec) -> None:
        self.instrument = instrument
        self.position_lots = 0
        self.tickets: dict[int, Ticket] = {}
        self.calls: list[Call] = []
        self.next_group = 1
        self._taker: Taker | None = None
        self._script: Sequence[Call] = ()
        self._takes_orders = False
        self._equity = Decimal(0)

    def open_bar(self, position_lots: int, taker: Taker | None, script: Sequence[Call], *, takes_orders: bool) -> None:
        """Calls are answered by `taker` or, without one, from the script."""
        self.position_lots = position_lots
        self._taker, self._script, self._takes_orders = taker, script, takes_orders
        self.calls = []

    def close_bar(self) -> None:
        """No more calls on this bar."""
        self._taker, self._script, self._takes_orders = None, (), False

    def follow(self, script: Sequence[Call]) -> None:
        """Know the tickets of calls that were not made again."""
        for call in script:
            self._note(call)

    def submit(self, order: NewOrder) -> int:
        if not self._takes_orders:
            return NO_ROW
        ticket = len(self.tickets)

        def ask(taker: Taker) -> Call:
            return taker.submit(ticket, order)

        return int(self._call("submit", {"ticket": ticket, "order": order_as_json(order)}, ask)["ticket"])

    def cancel(self, ticket: int) -> Reason:
        if not self._takes_orders:
            return Reason.NOT_OPEN
        return Reason(self._call("cancel", {"ticket": ticket}, lambda taker: {"reason": int(taker.cancel(ticket))})["reason"])

    def cancel_all(self, *, only_exits: bool = False) -> int:
        if not self._takes_orders:
            return 0

        def ask(taker: Taker) -> Call:
            tickets, left = taker.cancel_all(only_exits=only_exits)
            return {"tickets": tickets, "left": left}

        return int(self._call("cancel_all", {"only_exits": only_exits}, ask)["left"])

    def amend(self, ticket: int, *, lots: int | None, limit: int | None, stop: int | None) -> Reason:
        if not self._takes_orders:
            return Reason.NOT_OPEN

        def ask(taker: Taker) -> Call:
            return {"reason": int(taker.amend(ticket, lots=lots, limit=limit, stop=stop))}

        return Reason(self._call("amend", {"ticket": ticket, "lots": lots, "limit": limit, "stop": stop}, ask)["reason"])

    def state(self, ticket: int) -> EngineOrderState:
        if not self._takes_orders or ticket not in self.tickets:
            return EngineOrderState.REFUSED
        return EngineOrderState(self._call("state", {"ticket": ticket}, lambda taker: {"state": int(taker.state(ticket))})["state"])

    def new_group(self) -> int:
        self.next_group += 1
        return self.next_group - 1

    def sized_lots(self) -> int:
        if not self._takes_orders:
            return 0
        return int(self._call("sized_lots", {}, lambda taker: {"lots": taker.sized_lots()})["lots"])

    def equity(self) -> Decimal:
        """The account's, at the last closes; before the first bar that takes orders it is 0."""
        if self._takes_orders:
            self._equity = Decimal(self._call("equity", {}, lambda taker: {"value": str(taker.equity())})["value"])
        return self._equity

    def _call(self, name: str, question: Call, ask: Callable[[Taker], Call]) -> Call:
        self._refuse_endless(name)
        asked = {"call": name, **question}
        answered = {**asked, **ask(self._taker)} if self._taker is not None else self._recorded(asked)
        self.calls.append(answered)
        self._note(answered)
        return answered

    def _refuse_endless(self, name: str) -> None:
        orders = sum(call["call"] == "submit" for call in self.calls) if name == "submit" else 0
        if len(self.calls) >= MOST_ORDERS_AT_ONCE or orders >= MOST_NEW_ORDERS:
            most = MOST_NEW_ORDERS if name == "submit" else MOST_ORDERS_AT_ONCE
            raise InvalidInput(
                f"The strategy gave more than {most} orders on one bar.", where="strategy", hint="Look for an endless loop of orders."
            )

    def _recorded(self, asked: Call) -> Call:
        known = self._script[len(self.calls)] if len(self.calls) < len(self._script) else {}
        if asked.items() <= known.items():
            return known
        raise _not_repeated(asked["call"], known.get("call", "nothing"))

    def _note(self, call: Call) -> None:
        if call["call"] != "submit":
            return
        order = call["order"]
        self.next_group = max(self.next_group, order.get("group", 0) + 1)
        self.tickets[call["ticket"]] = Ticket(
            order_id=UUID(call["order_id"]) if call["order_id"] else None,
            side=order["side"],
            parent=order.get("parent", NO_ROW),
            is_exit=bool(order.get("flags", 0) & REDUCE_ONLY),
            tag=order.get("tag", 0),
        )


def _not_repeated(now: str, then: str) -> Conflict:
    return Conflict(
        f"Told the same bars again, the strategy did not do the same: {now} now, {then} then.",
        where="strategy",
        hint="Its code has changed, or it depends on more than what it is told. Start the session afresh.",
    )


def order_as_json(order: NewOrder) -> Call:
    """What is given of an order."""
    given = {name: int(getattr(order, name)) for name in _DEFAULTS}
    return {name: value for name, value in given.items() if value != _DEFAULTS[name]}


class EventSession:
    """A strategy that has been told a session's bars so far. One whose strategy raised is not to be told anything more."""

    def __init__(self, strategy: EventStrategy, instrument: InstrumentSpec) -> None:
        self.strategy = strategy
        self.desk = SessionDesk(instrument)
        self.bars_told = 0
        self.standings: dict[int, OrderStanding] = {}
        """Orders as they stood when the last bar was decided, by ticket; those that were refused at once are not among them."""
        self.unsettled: dict[int, UUID] = {}
        """Tickets of orders that may have changed since the last bar."""
        self._ticket_of: dict[UUID, int] = {}
        self._known = 0
        strategy.start(self.desk)

    @property
    def instrument(self) -> InstrumentSpec:
        return self.desk.instrument

    @property
    def hears_fills(self) -> bool:
        return type(self.strategy).on_fill is not EventStrategy.on_fill

    @property
    def hears_margin_calls(self) -> bool:
        return type(self.strategy).on_margin_call is not EventStrategy.on_margin_call

    def tell(
        self,
        bar: BarEvent,
        *,
        position: Decimal,
        fills: Sequence[BookedFill],
        taker: Taker | None,
        margin_call: MarginCallEvent | None = None,
    ) -> list[Call]:
        """Tell fills, a margin call and the bar; the calls with their answers. Without a taker (a late bar) nothing is ordered."""
        desk = self.desk
        takes_orders = taker is not None and bar.index >= self.strategy.warmup_bars
        desk.open_bar(self.instrument.quantity_lots(position), taker, (), takes_orders=takes_orders)
        self._tell_fills(fills)
        if margin_call is not None:
            self.strategy.on_margin_call(margin_call)
        self.strategy.on_bar(bar)
        desk.close_bar()
        self._end_bar()
        return desk.calls

    def retell(
        self,
        bar: BarEvent,
        *,
        position: Decimal,
        fills: Sequence[BookedFill],
        script: Sequence[Call],
        is_repeated: bool,
        margin_call: MarginCallEvent | None = None,
    ) -> None:
        """Tell again what was told. With `is_repeated` the script answers the same calls; otherwise nothing could be ordered then or other
        parameters were in force, and it is only remembered what was. Raises Conflict where the strategy does not repeat itself."""
        desk = self.desk
        takes_orders = is_repeated and bar.index >= self.strategy.warmup_bars
        desk.open_bar(self.instrument.quantity_lots(position), None, script if is_repeated else (), takes_orders=takes_orders)
        self._tell_fills(fills)
        if margin_call is not None:
            self.strategy.on_margin_call(margin_call)
        self.strategy.recall(bar)
        desk.close_bar()
        left = script[len(desk.calls) :]
        if left and is_repeated and type(self.strategy).recall is EventStrategy.recall:
            raise _not_repeated("nothing", left[0]["call"])
        desk.follow(left)
        self._end_bar()

    def _end_bar(self) -> None:
        self.bars_told += 1
        for ticket in range(self._known, len(self.desk.tickets)):
            order_id = self.desk.tickets[ticket].order_id
            if order_id is not None:
                self._ticket_of[order_id] = ticket
                self.unsettled[ticket] = order_id
        self._known = len(self.desk.tickets)

    def _tell_fills(self, fills: Sequence[BookedFill]) -> None:
        if not self.hears_fills:
            return
        for fill in fills:
            ticket = self.ticket_of(fill.order_id)
            if ticket is not None:
                self.strategy.on_fill(
                    FillEvent(
                        order=ticket, at=microseconds(fill.at), side=fill.side.sign, quantity=fill.quantity, price=fill.price, fee=fill.fee,
                        reason=Reason[fill.reason], tag=self.desk.tickets[ticket].tag, symbol=self.instrument.symbol,
                    )
                )  # fmt: skip

    def ticket_of(self, order_id: UUID) -> int | None:
        """The ticket of an order; None for one that the strategy did not give."""
        return self._ticket_of.get(order_id)

    def settle(self, standings: Mapping[int, OrderStanding]) -> None:
        """Know how the orders stand now."""
        self.standings.update(standings)
        for ticket, standing in standings.items():
            if standing.state > EngineOrderState.OPEN:
                self.unsettled.pop(ticket, None)


def bar_events(window: BarWindow, *, first_index: int = 0) -> list[BarEvent]:
    """Stored bars as a strategy is told them; a bar without volume does not know it."""
    spec = window.instrument
    unit, scale = float(spec.price_unit), spec.price_scale
    prices = [(column * unit).round(scale).tolist() for column in (window.open, window.high, window.low, window.close)]
    volumes = (lots_of_volume(window) * float(spec.lot_size)).tolist()
    columns = zip(window.closed_at.tolist(), *prices, volumes, window.opened_at.tolist(), [spec.symbol] * len(window), strict=True)
    return [BarEvent(index, *column) for index, column in enumerate(columns, first_index)]


def lots_of_volume(window: BarWindow) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Volumes in lots, -1 where a bar has none."""
    spec = window.instrument
    units, lots = spec.lot_size.scaleb(spec.volume_scale).as_integer_ratio()
    return np.where(window.volume > 0, window.volume * lots // units, -1)
