"""What every broker adapter promises. A promise is a function that takes a bench: run all of them over a new adapter.

The bench is how a test talks to the venue behind the adapter: it makes instruments tradable, trades against what rests there, and builds
a fresh adapter on the same account, as a restarted process would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from apps.core.vocabulary import Side
from apps.orders.contracts import Amendment
from apps.orders.ports import AmendOutcome, Broker, BrokerOrder, PlaceOutcome, VenueOrderStatus


class BrokerBench(Protocol):
    """One account at one venue, flat and without orders at first."""

    def broker(self) -> Broker:
        """A fresh adapter on the account."""
        ...

    def resting_order(self, name: str) -> BrokerOrder:
        """A buy that the venue accepts and that nothing fills until `trade` is called."""
        ...

    def impossible_order(self, name: str) -> BrokerOrder:
        """An order that the venue must refuse."""
        ...

    def trade(self) -> None:
        """Let the market fill every resting order completely."""
        ...


class LinkingBench(BrokerBench, Protocol):
    """The same at a venue that knows parents, groups and reduce-only."""

    def exit_order(self, name: str, parent: BrokerOrder) -> BrokerOrder:
        """A reduce-only sell that waits for `parent`, and that `trade` fills once it is open."""
        ...


def an_accepted_order_is_open_and_found_by_our_id(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    answer = broker.place(order)
    assert answer.outcome is PlaceOutcome.ACCEPTED
    assert answer.venue_order_id
    state = bench.broker().order_state(order.client_order_id)
    assert state is not None
    assert (state.status, state.venue_order_id, state.filled) == (VenueOrderStatus.OPEN, answer.venue_order_id, Decimal(0))


def a_refused_order_says_why_and_does_not_exist(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.impossible_order("a")
    answer = broker.place(order)
    assert answer.outcome is PlaceOutcome.REJECTED
    assert answer.reason
    state = broker.order_state(order.client_order_id)
    assert state is None or state.status is VenueOrderStatus.REJECTED
    assert list(broker.open_orders()) == []


def an_order_that_was_never_sent_is_not_found(bench: BrokerBench) -> None:
    assert bench.broker().order_state("ts-never-sent") is None


def the_same_client_order_id_never_makes_two_orders(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    first = broker.place(order)
    second = bench.broker().place(replace(order, quantity=order.quantity * 2))
    assert second.outcome is PlaceOutcome.REJECTED or second.venue_order_id == first.venue_order_id
    assert len(broker.open_orders()) == 1
    bench.trade()
    assert sum(fill.quantity for fill in broker.fills_since(0)) == order.quantity


def a_cancelled_order_is_cancelled_and_cancelling_again_changes_nothing(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    broker.place(order)
    broker.cancel(order.client_order_id)
    broker.cancel(order.client_order_id)
    state = broker.order_state(order.client_order_id)
    assert state is not None
    assert state.status is VenueOrderStatus.CANCELLED
    bench.trade()
    assert list(broker.fills_since(0)) == []


def cancelling_what_is_unknown_or_filled_changes_nothing(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    broker.cancel("ts-never-sent")
    broker.place(order)
    bench.trade()
    broker.cancel(order.client_order_id)
    state = broker.order_state(order.client_order_id)
    assert state is not None
    assert (state.status, state.filled) == (VenueOrderStatus.FILLED, order.quantity)


def open_orders_are_those_that_may_still_trade(bench: BrokerBench) -> None:
    broker = bench.broker()
    kept, cancelled = bench.resting_order("a"), bench.resting_order("b")
    broker.place(kept)
    broker.place(cancelled)
    broker.cancel(cancelled.client_order_id)
    assert [state.client_order_id for state in broker.open_orders()] == [kept.client_order_id]
    bench.trade()
    assert list(broker.open_orders()) == []


def fills_are_read_by_cursor_ascending_and_again_the_same(bench: BrokerBench) -> None:
    broker = bench.broker()
    for name in "abc":
        broker.place(bench.resting_order(name))
    bench.trade()
    fills = list(broker.fills_since(0))
    assert len(fills) == 3
    assert [fill.sequence for fill in fills] == sorted({fill.sequence for fill in fills})
    assert list(bench.broker().fills_since(0)) == fills
    assert list(broker.fills_since(fills[0].sequence)) == fills[1:]
    assert list(broker.fills_since(fills[-1].sequence)) == []
    assert len({(fill.venue_order_id, fill.venue_trade_id) for fill in fills}) == 3


def positions_and_balances_are_what_the_fills_made_of_them(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    before = {balance.asset: balance.total for balance in broker.balances()}
    assert [position for position in broker.positions() if position.quantity] == []
    broker.place(order)
    bench.trade()
    fill = broker.fills_since(0)[0]
    assert {position.symbol: position.quantity for position in broker.positions()} == {order.symbol: order.quantity * order.side.sign}
    after = {balance.asset: balance.total for balance in broker.balances()}
    assert order.side is Side.BUY
    assert after[fill.fee_asset] == before[fill.fee_asset] - fill.quantity * fill.price - fill.fee


def an_amended_order_works_with_its_new_terms_and_amending_again_changes_nothing(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    broker.place(order)
    amendment = Amendment(quantity=order.quantity * 2)
    for _ in range(2):
        assert broker.amend(order.client_order_id, amendment).outcome is AmendOutcome.CONFIRMED
    state = bench.broker().order_state(order.client_order_id)
    assert state is not None
    assert (state.status, state.terms.quantity, state.terms.limit_price) == (VenueOrderStatus.OPEN, order.quantity * 2, order.limit_price)
    bench.trade()
    assert sum(fill.quantity for fill in broker.fills_since(0)) == order.quantity * 2


def an_amendment_is_made_or_refused_in_words_and_nothing_in_between(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    broker.place(order)
    answer = broker.amend(order.client_order_id, Amendment(quantity=order.quantity * 2))
    bench.trade()
    traded = sum(fill.quantity for fill in broker.fills_since(0))
    if answer.outcome is AmendOutcome.CONFIRMED:
        assert traded == order.quantity * 2
    else:
        assert answer.outcome is AmendOutcome.REFUSED
        assert (traded, bool(answer.reason)) == (order.quantity, True)


def amending_what_has_ended_or_is_unknown_is_refused_in_words(bench: BrokerBench) -> None:
    broker, cancelled, filled = bench.broker(), bench.resting_order("a"), bench.resting_order("b")
    broker.place(cancelled)
    broker.cancel(cancelled.client_order_id)
    broker.place(filled)
    bench.trade()
    for client_id in (cancelled.client_order_id, filled.client_order_id, "ts-never-sent"):
        answer = broker.amend(client_id, Amendment(quantity=cancelled.quantity * 2))
        assert answer.outcome is AmendOutcome.REFUSED
        assert answer.reason
    state = broker.order_state(filled.client_order_id)
    assert state is not None
    assert state.filled == filled.quantity


def an_impossible_amendment_is_refused_and_leaves_the_order_as_it_is(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    broker.place(order)
    before = broker.order_state(order.client_order_id)
    impossible = bench.impossible_order("b")
    answer = broker.amend(order.client_order_id, Amendment(quantity=impossible.quantity, limit_price=impossible.limit_price))
    assert answer.outcome is AmendOutcome.REFUSED
    assert broker.order_state(order.client_order_id) == before


def a_child_waits_for_its_parent_and_trades_what_that_has_traded(bench: LinkingBench) -> None:
    broker, parent = bench.broker(), bench.resting_order("a")
    child = bench.exit_order("b", parent)
    broker.place(parent)
    answer = broker.place(child)
    assert (answer.outcome, answer.is_waiting) == (PlaceOutcome.ACCEPTED, True)
    waiting = broker.order_state(child.client_order_id)
    assert waiting is not None
    assert waiting.status is VenueOrderStatus.WAITING
    assert {state.client_order_id for state in broker.open_orders()} == {parent.client_order_id, child.client_order_id}
    bench.trade()
    opened = bench.broker().order_state(child.client_order_id)
    assert opened is not None
    assert (opened.status, opened.terms.quantity) == (VenueOrderStatus.OPEN, parent.quantity)
    bench.trade()
    assert [position for position in broker.positions() if position.quantity] == []


def a_child_that_comes_after_its_parent_has_filled_opens_at_once(bench: LinkingBench) -> None:
    broker, parent = bench.broker(), bench.resting_order("a")
    broker.place(parent)
    bench.trade()
    answer = broker.place(bench.exit_order("b", parent))
    assert (answer.outcome, answer.is_waiting) == (PlaceOutcome.ACCEPTED, False)
    bench.trade()
    assert [position for position in broker.positions() if position.quantity] == []


def children_of_an_order_that_ends_unfilled_end_with_it(bench: LinkingBench) -> None:
    broker, parent = bench.broker(), bench.resting_order("a")
    child = bench.exit_order("b", parent)
    broker.place(parent)
    broker.place(child)
    broker.cancel(parent.client_order_id)
    state = broker.order_state(child.client_order_id)
    assert state is not None
    assert state.status is VenueOrderStatus.CANCELLED
    assert state.reason
    late = broker.place(bench.exit_order("c", parent))
    assert late.outcome is PlaceOutcome.REJECTED
    bench.trade()
    assert list(broker.fills_since(0)) == []


def a_child_of_an_unknown_order_is_refused(bench: LinkingBench) -> None:
    answer = bench.broker().place(bench.exit_order("b", bench.resting_order("never-sent")))
    assert answer.outcome is PlaceOutcome.REJECTED
    assert answer.reason


def of_a_group_no_more_trades_than_one_of_it_asked_for(bench: LinkingBench) -> None:
    broker, group_id = bench.broker(), UUID(int=1)
    members = [replace(bench.resting_order(name), group_id=group_id) for name in "abc"]
    for member in members:
        broker.place(member)
    bench.trade()
    assert sum(fill.quantity for fill in broker.fills_since(0)) == members[0].quantity
    assert list(broker.open_orders()) == []
    states = [broker.order_state(member.client_order_id) for member in members]
    assert sorted(state.status for state in states if state) == ["CANCELLED", "CANCELLED", "FILLED"]
    assert all(state.reason for state in states if state and state.status is VenueOrderStatus.CANCELLED)


def reduce_only_without_a_position_trades_nothing(bench: LinkingBench) -> None:
    broker = bench.broker()
    lone = replace(bench.exit_order("a", bench.resting_order("p")), parent_client_order_id="")
    broker.place(lone)
    bench.trade()
    assert list(broker.fills_since(0)) == []
    assert [position for position in broker.positions() if position.quantity] == []


def what_cannot_be_linked_is_refused_in_words(bench: BrokerBench) -> None:
    broker, order = bench.broker(), bench.resting_order("a")
    broker.place(order)
    child = replace(bench.resting_order("b"), parent_client_order_id=order.client_order_id)
    for linked in (child, replace(bench.resting_order("c"), group_id=UUID(int=1))):
        answer = broker.place(linked)
        assert answer.outcome is PlaceOutcome.REJECTED
        assert answer.reason
    assert len(broker.open_orders()) == 1


PROMISES: tuple[Callable[[BrokerBench], None], ...] = (
    an_accepted_order_is_open_and_found_by_our_id,
    a_refused_order_says_why_and_does_not_exist,
    an_order_that_was_never_sent_is_not_found,
    the_same_client_order_id_never_makes_two_orders,
    a_cancelled_order_is_cancelled_and_cancelling_again_changes_nothing,
    cancelling_what_is_unknown_or_filled_changes_nothing,
    open_orders_are_those_that_may_still_trade,
    fills_are_read_by_cursor_ascending_and_again_the_same,
    positions_and_balances_are_what_the_fills_made_of_them,
    an_amendment_is_made_or_refused_in_words_and_nothing_in_between,
    amending_what_has_ended_or_is_unknown_is_refused_in_words,
)
"""Of every broker."""

AMENDING_PROMISES: tuple[Callable[[BrokerBench], None], ...] = (
    an_amended_order_works_with_its_new_terms_and_amending_again_changes_nothing,
    an_impossible_amendment_is_refused_and_leaves_the_order_as_it_is,
)
"""Of a broker that can change open orders; it tells with what they work."""

PLAIN_PROMISES: tuple[Callable[[BrokerBench], None], ...] = (what_cannot_be_linked_is_refused_in_words,)
"""Of a broker that knows single orders alone."""

LINKING_PROMISES: tuple[Callable[[LinkingBench], None], ...] = (
    a_child_waits_for_its_parent_and_trades_what_that_has_traded,
    a_child_that_comes_after_its_parent_has_filled_opens_at_once,
    children_of_an_order_that_ends_unfilled_end_with_it,
    a_child_of_an_unknown_order_is_refused,
    of_a_group_no_more_trades_than_one_of_it_asked_for,
    reduce_only_without_a_position_trades_nothing,
)
"""Of a broker that knows parents, groups and reduce-only."""
