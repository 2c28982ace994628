"""The broker port over the simulated venue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from apps.common.failpoints import failpoint
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.markets.selectors import instrument_spec
from apps.orders.adapters.simulated import mapping
from apps.orders.adapters.simulated.client import SimulatedVenue
from apps.orders.contracts import Amendment
from apps.orders.domain.validation import check_order
from apps.orders.models import SimulatedOrder
from apps.orders.ports import (
    AccountRef,
    AmendAnswer,
    AmendOutcome,
    BrokerBalance,
    BrokerFill,
    BrokerOrder,
    BrokerOrderState,
    BrokerPosition,
    PlaceAnswer,
    PlaceOutcome,
    VenueOrderStatus,
)


class SimulatedBroker:
    """One account at the simulated venue. Its book is a table beside ours, so a look-up is final."""

    is_lookup_final = True

    def __init__(self, account: AccountRef) -> None:
        self._account = account
        self._venue = SimulatedVenue(account)

    def fence_with(self, check: Callable[[], None]) -> None:
        self._venue.fence_with(check)

    def place(self, order: BrokerOrder) -> PlaceAnswer:
        """Accept or reject; repeating a client order id answers with the first order."""
        try:
            check_order(instrument_spec(order.instrument_id), order.terms, is_child=bool(order.parent_client_order_id))
            row = self._venue.accept(order)
        except (InvalidInput, NotFound, Conflict) as error:
            return PlaceAnswer(PlaceOutcome.REJECTED, reason=error.message)
        failpoint("simulated.after_accept")
        is_waiting = row.status == VenueOrderStatus.WAITING
        return PlaceAnswer(PlaceOutcome.ACCEPTED, venue_order_id=str(row.venue_order_id), is_waiting=is_waiting)

    def cancel(self, client_order_id: str) -> None:
        self._venue.cancel(client_order_id)

    def amend(self, client_order_id: str, amendment: Amendment) -> AmendAnswer:
        try:
            self._venue.amend(client_order_id, amendment)
        except (InvalidInput, NotFound, Conflict) as error:
            return AmendAnswer(AmendOutcome.REFUSED, reason=error.message)
        failpoint("simulated.after_amend")
        return AmendAnswer(AmendOutcome.CONFIRMED)

    def order_state(self, client_order_id: str) -> BrokerOrderState | None:
        row = self._venue.order(client_order_id)
        return mapping.to_state(row) if row else None

    def open_orders(self) -> Sequence[BrokerOrderState]:
        return [mapping.to_state(row) for row in self._venue.open_orders()]

    def fills_since(self, sequence: int) -> Sequence[BrokerFill]:
        rows = self._venue.fills_since(sequence)
        return [mapping.to_fill(row, fee_asset=instrument_spec(row.order.instrument_id).quote_asset) for row in rows]

    def positions(self) -> Sequence[BrokerPosition]:
        held = self._venue.positions()
        return [BrokerPosition(symbol=instrument_spec(key).symbol, quantity=quantity) for key, quantity in held.items()]

    def balances(self) -> Sequence[BrokerBalance]:
        total = self._account.initial_capital + self._venue.cash_flow()
        return [BrokerBalance(asset=self._account.currency, total=total, free=total)]

    def match(self, closed_at: datetime) -> Sequence[BrokerOrderState]:
        """Match the book against the bars that closed then, in the caller's transaction, once: matching up to an earlier or the same
        close again changes nothing. Returns every order that it changed."""
        account = self._venue.locked_account()
        if account.matched_through is not None and closed_at <= account.matched_through:
            return []
        changed = self._venue.match(account, closed_at)
        account.matched_through = closed_at
        account.save(update_fields=["matched_through", "next_sequence", "next_acceptance", "cash_flow", "traded_value"])
        return [self._state(row, closed_at) for row in changed]

    def _state(self, row: SimulatedOrder, closed_at: datetime) -> BrokerOrderState:
        """An order that came into being at this close is the venue's own."""
        is_own = row.accepted_at == closed_at
        symbol = instrument_spec(row.instrument_id).symbol
        return mapping.to_state(row, made_by_venue=mapping.to_broker_order(row, symbol=symbol) if is_own else None)


BROKER = SimulatedBroker
