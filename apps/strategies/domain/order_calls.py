"""The order calls of one bar, answered: each new order goes through the gate at once; cancels and changes are wishes that follow the new orders.

The venue sees them after the bar is decided: first what is cancelled, then what is changed, then what is new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.errors import InvalidInput
from apps.core.ids import client_order_id, deterministic_uuid
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.orders.contracts import Amendment, OrderOrigin, OrderRequest, OrderTerms
from apps.orders.domain.engine import NewOrder
from apps.orders.domain.engine_codes import (
    NEVER,
    NO_ROW,
    POST_ONLY,
    REDUCE_ONLY,
    EngineOrderState,
    EngineOrderType,
    EngineTimeInForce,
    Reason,
)
from apps.orders.domain.instants import moment
from apps.orders.domain.reasons import sentence
from apps.orders.domain.terms import PPM_PER_PERCENT, amended
from apps.orders.domain.validation import check_order
from apps.risk.domain.values import OrderProposal, Verdict
from apps.strategies.domain.evaluation import AccountDesk, Assumed, Ids, Terms
from apps.strategies.domain.event_session import Call, EventSession
from apps.strategies.domain.event_strategy import TAG_ENTRY, TAG_EXIT, TAG_STOP, TAG_TARGET, TAG_TRAIL

_PURPOSES = {
    TAG_ENTRY: "entry",
    TAG_EXIT: "exit",
    TAG_STOP: "stop",
    TAG_TARGET: "target",
    TAG_TRAIL: "trailing stop",
}
_ENTRY_REFUSED = "This session opens no position beyond {most}, and the account holds {held}."


@dataclass(frozen=True)
class Prices:
    """What the gate compares an order with."""

    last: Decimal
    previous: Decimal | None


@dataclass
class OrderCalls:
    """Answers a strategy's calls on one bar and collects what is to be done."""

    session: EventSession
    terms: Terms
    account: AccountDesk
    ids: Ids
    life: str
    """Names this run of the session, so that groups of different runs differ."""
    kind: str
    position: Decimal
    prices: Prices
    sizer: Callable[[], int]
    """What an entry buys, in lots, when the strategy leaves it to the session."""
    assumed: Assumed
    base: OrderRequest
    """The request that is the same for all orders of the bar."""
    requests: list[OrderRequest] = field(default_factory=list)
    cancels: list[UUID] = field(default_factory=list)
    amendments: dict[UUID, Amendment] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    _new: dict[int, OrderRequest] = field(default_factory=dict)
    _states: dict[int, EngineOrderState] = field(default_factory=dict)

    def submit(self, ticket: int, order: NewOrder) -> Call:
        """Check, ask the gate, and keep the order; `state` says whether it was taken."""
        try:
            request, state = self._request(ticket, order)
            check_order(request.instrument, request.terms, is_child=request.parent_id is not None)
            if request.terms.is_relative and not request.is_reduce_only:
                raise InvalidInput("A price relative to the parent is for exits only.", where="order")
        except InvalidInput as error:
            return self._refused(ticket, error.message)
        if state is EngineOrderState.REFUSED:
            return self._refused(ticket, sentence(Reason.PARENT_ENDED))
        held = self.account.open_positions()
        if not request.is_reducing and not self.position and self.terms.max_positions and held >= self.terms.max_positions:
            return self._refused(ticket, _ENTRY_REFUSED.format(most=self.terms.max_positions, held=held))
        verdict = self.account.assess(self._proposal(request, self._waits_for(order.parent, state)))
        self.verdicts.append(verdict)
        failure = verdict.first_failure
        if failure is not None:
            return self._refused(ticket, failure.message)
        request = replace(request, verdict_id=verdict.id)
        self.requests.append(request)
        self._new[ticket], self._states[ticket] = request, state
        return {"state": int(state), "order_id": str(request.id), "refusal": ""}

    def cancel(self, ticket: int) -> Reason:
        state = self._state(ticket)
        if state is None:
            return Reason.UNKNOWN_ORDER
        if state > EngineOrderState.OPEN:
            return Reason.NOT_OPEN
        order_id = self.session.desk.tickets[ticket].order_id
        assert order_id is not None
        self.cancels.append(order_id)
        self._states[ticket] = EngineOrderState.CANCELLED
        if not self._filled(ticket):
            self._end_children(ticket)
        return Reason.NONE

    def cancel_all(self, *, only_exits: bool) -> tuple[list[int], int]:
        cancelled, left = [], 0
        for ticket in [*self.session.unsettled, *self._new]:
            if self._state(ticket) is not EngineOrderState.OPEN:
                continue
            if only_exits and not self.session.desk.tickets[ticket].is_exit:
                left += 1
            elif self.cancel(ticket) is Reason.NONE:
                cancelled.append(ticket)
        return cancelled, left

    def amend(self, ticket: int, *, lots: int | None, limit: int | None, stop: int | None) -> Reason:
        state, spec = self._state(ticket), self.session.instrument
        if state is None:
            return Reason.UNKNOWN_ORDER
        if state > EngineOrderState.OPEN:
            return Reason.NOT_OPEN
        order_id = self.session.desk.tickets[ticket].order_id
        assert order_id is not None
        known = self.amendments.get(order_id, Amendment())
        wanted = Amendment(
            quantity=known.quantity if lots is None else spec.quantity(lots),
            limit_price=known.limit_price if limit is None else spec.price(limit),
            stop_price=known.stop_price if stop is None else spec.price(stop),
        )
        if lots is not None and spec.quantity(lots) <= self._filled(ticket):
            return Reason.BAD_QUANTITY
        try:
            check_order(spec, amended(self._terms(ticket), wanted), is_child=self.session.desk.tickets[ticket].parent != NO_ROW)
        except InvalidInput:
            return Reason.BAD_PRICE
        if not wanted.is_empty:
            self.amendments[order_id] = wanted
        return Reason.NONE

    def state(self, ticket: int) -> EngineOrderState:
        found = self._state(ticket)
        return EngineOrderState.REFUSED if found is None else found

    def sized_lots(self) -> int:
        return self.sizer()

    def equity(self) -> Decimal:
        return self.account.equity()

    def _state(self, ticket: int) -> EngineOrderState | None:
        if ticket in self._states:
            return self._states[ticket]
        standing = self.session.standings.get(ticket)
        if standing is not None:
            return standing.state
        return EngineOrderState.REFUSED if ticket in self.session.desk.tickets else None

    def _filled(self, ticket: int) -> Decimal:
        standing = self.session.standings.get(ticket)
        return standing.filled if standing else Decimal(0)

    def _terms(self, ticket: int) -> OrderTerms:
        return self._new[ticket].terms if ticket in self._new else self.session.standings[ticket].terms

    def _end_children(self, parent: int) -> None:
        tickets = self.session.desk.tickets
        for ticket in [*self.session.unsettled, *self._new]:
            if tickets[ticket].parent == parent and self._state(ticket) is EngineOrderState.WAITING:
                self._states[ticket] = EngineOrderState.CANCELLED
                self._end_children(ticket)

    def _refused(self, ticket: int, message: str) -> Call:
        self._states[ticket] = EngineOrderState.REFUSED
        self.refusals.append(message)
        return {"state": int(EngineOrderState.REFUSED), "order_id": None, "refusal": message}

    def _state_of_child(self, parent: int) -> EngineOrderState:
        """A child waits until its parent trades; one of a parent that ended without is not taken."""
        if parent == NO_ROW or self._filled(parent):
            return EngineOrderState.OPEN
        state = self._state(parent)
        if state is EngineOrderState.FILLED:
            return EngineOrderState.OPEN
        return EngineOrderState.WAITING if state is not None and state <= EngineOrderState.OPEN else EngineOrderState.REFUSED

    def _waits_for(self, parent: int, state: EngineOrderState) -> Decimal | None:
        """What the parent may trade, while the child waits for it."""
        return self._terms(parent).quantity if state is EngineOrderState.WAITING else None

    def _request(self, ticket: int, order: NewOrder) -> tuple[OrderRequest, EngineOrderState]:
        spec = self.session.instrument
        state = self._state_of_child(order.parent)
        known = self.session.desk.tickets.get(order.parent) if order.parent != NO_ROW else None
        side = Side.BUY if order.side > 0 else Side.SELL
        is_exit = bool(order.flags & REDUCE_ONLY)
        opens = known is None and not is_exit and not self._only_reduces(side, spec.quantity(order.lots))
        if self.assumed.quantity is not None and opens:
            order = replace(order, lots=spec.quantity_lots(self.assumed.quantity))
        request = replace(
            self.base,
            id=self.ids.new_order_id(),
            client_order_id=client_order_id(
                account_id=self.terms.account_id,
                origin=f"{self.terms.session_id}|{self.base.market_at.isoformat()}",
                sequence=len(self._states),
            ),
            side=side,
            is_reducing=is_exit or self._only_reduces(side, spec.quantity(order.lots)),
            parent_id=known.order_id if known else None,
            group_id=deterministic_uuid("group", self.terms.session_id, self.life, order.group) if order.group else None,
            reason=f"{self.session.strategy.title}: {_PURPOSES.get(order.tag, 'order')}.",
            **vars(order_terms(order, self.session)),
        )
        return (replace(request, quantity=self._terms(order.parent).quantity) if self._is_known(order.parent) else request), state

    def _is_known(self, ticket: int) -> bool:
        return ticket in self._new or ticket in self.session.standings

    def _only_reduces(self, side: Side, quantity: Decimal) -> bool:
        """Whether the order closes no more than what is held, beside every other order that does."""
        if self.position * side.sign >= 0:
            return False
        tickets = self.session.desk.tickets
        others = sum(
            (
                self._terms(ticket).quantity - self._filled(ticket)
                for ticket in [*self.session.unsettled, *self._new]
                if tickets[ticket].side == side.sign and self._state(ticket) is EngineOrderState.OPEN
            ),
            Decimal(0),
        )
        return others + quantity <= abs(self.position)

    @property
    def _confidence(self) -> float:
        return self.session.strategy.confidence if self.assumed.confidence is None else self.assumed.confidence

    def _proposal(self, request: OrderRequest, parent_quantity: Decimal | None) -> OrderProposal:
        """The order as the gate judges it."""
        return OrderProposal(
            order_id=request.id,
            account_id=request.account_id,
            instrument=request.instrument,
            side=request.side,
            order_type=request.order_type,
            quantity=request.quantity,
            reference_price=self.prices.last,
            previous_close=self.prices.previous,
            data_at=request.market_at,
            is_reducing=request.is_reducing,
            mode=request.mode,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            confidence=Decimal(str(round(self._confidence, 6))),
            data_age_bars=0,
            strategy=self.kind,
            origin_id=request.origin_id,
            is_reduce_only=request.is_reduce_only,
            parent_quantity=parent_quantity,
            has_relative_price=request.terms.is_relative,
            entries_before=sum(not made.is_reducing for made in self.requests),
        )


def order_terms(order: NewOrder, session: EventSession) -> OrderTerms:
    """An order in the engine's units as the order service takes it."""
    spec = session.instrument

    def price(units: int) -> Decimal | None:
        return spec.price(units) if units else None

    def percent(ppm: int) -> Decimal | None:
        return Decimal(ppm) / PPM_PER_PERCENT if ppm else None

    return OrderTerms(
        order_type=OrderType[EngineOrderType(order.order_type).name],
        time_in_force=TimeInForce[EngineTimeInForce(order.time_in_force).name],
        quantity=spec.quantity(order.lots),
        limit_price=price(order.limit),
        stop_price=price(order.stop),
        trail_amount=price(order.trail),
        trail_percent=percent(order.trail_ppm),
        expires_at=moment(order.expires_at) if order.expires_at != NEVER else None,
        is_post_only=bool(order.flags & POST_ONLY),
        is_reduce_only=bool(order.flags & REDUCE_ONLY),
        limit_offset_percent=percent(order.limit_ppm),
        stop_offset_percent=percent(order.stop_ppm),
    )


def base_request(terms: Terms, ids: Ids, session: EventSession, bar_at: datetime) -> OrderRequest:
    """What all orders of a bar have in common."""
    return OrderRequest(
        id=ids.decision_id,
        client_order_id="",
        account_id=terms.account_id,
        instrument=session.instrument,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=Decimal(0),
        mode=terms.mode,
        market_at=bar_at,
        origin=OrderOrigin.SESSION,
        is_reducing=False,
        origin_id=terms.session_id,
        decision_id=ids.decision_id,
    )
