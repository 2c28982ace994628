"""Our orders and fills against the simulated venue's own book: every difference by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, Q

from apps.core.vocabulary import Side
from apps.orders.contracts import AT_THE_VENUE, OrderStatus
from apps.orders.models import Fill, Order, SimulatedAccount, SimulatedFill, SimulatedOrder, SimulatedPosition
from apps.orders.ports import VenueOrderStatus

_TAKEN = frozenset(
    {
        *AT_THE_VENUE,
        OrderStatus.FILLED,
        OrderStatus.EXPIRED,
    }
)
_UNDER_WAY = frozenset({OrderStatus.SENDING, OrderStatus.UNKNOWN})
_OPEN_AT_VENUE = frozenset(AT_THE_VENUE)


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be."""

    code: str
    subject: str
    message: str


def audit() -> list[Difference]:
    """Compare every account of the simulated venue, in one consistent snapshot; an empty list means that all is equal.

    Intents that still wait (PENDING) are no difference, nor is an order that is being sent at this moment.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        accounts = list(SimulatedAccount.objects.values_list("account_id", flat=True))
        found = [difference for account_id in accounts for difference in _audit_account(account_id)]
        return found + list(_decisions_taken_twice())


def _audit_account(account_id: UUID) -> Iterator[Difference]:
    ours = {row.client_order_id: row for row in Order.objects.filter(account_id=account_id)}
    theirs = {row.client_order_id: row for row in SimulatedOrder.objects.filter(account_id=account_id)}
    for client_id in theirs.keys() - ours.keys():
        yield Difference("FOREIGN_ORDER", client_id, "The venue has an order that we never intended.")
    for client_id, order in ours.items():
        yield from _compare_order(order, theirs.get(client_id))
    yield from _compare_fills(account_id, ours)
    yield from _venue_books(account_id)


def _compare_order(order: Order, venue_row: SimulatedOrder | None) -> Iterator[Difference]:
    subject = order.client_order_id
    status = OrderStatus(order.status)
    if status is OrderStatus.UNKNOWN:
        yield Difference("UNRESOLVED", subject, "What became of it is not known.")
    if venue_row is None:
        if status in _TAKEN or order.venue_order_id:
            yield Difference("LOST_ORDER", subject, f"We say {status}, the venue does not have it.")
    elif status not in _UNDER_WAY:
        if not order.venue_order_id:
            yield Difference("UNKNOWN_TO_US", subject, f"We say {status} and never sent, the venue has it as {venue_row.status}.")
        elif VenueOrderStatus(venue_row.status).is_open != (status in _OPEN_AT_VENUE) and status is not OrderStatus.CANCEL_PENDING:
            yield Difference("STATUS_DIFFERS", subject, f"We say {status}, the venue says {venue_row.status}.")
        if (venue_row.quantity, venue_row.side, venue_row.instrument_id) != (order.quantity, order.side, order.instrument_id):
            yield Difference("TERMS_DIFFER", subject, "Side, quantity or instrument are not what was intended.")
    if (order.filled_quantity == order.quantity) != (status is OrderStatus.FILLED):
        yield Difference("FILLED_DIFFERS", subject, f"{status} with {order.filled_quantity} of {order.quantity} filled.")


def _compare_fills(account_id: UUID, ours: dict[str, Order]) -> Iterator[Difference]:
    booked = {
        (row.venue_order_id, row.venue_trade_id): (row.quantity, row.price, row.fee, row.order_id)
        for row in Fill.objects.filter(account_id=account_id)
    }
    order_ids = {client_id: row.id for client_id, row in ours.items()}
    reported = {
        (str(row.order_id), row.venue_trade_id): (row.quantity, row.price, row.fee, order_ids.get(row.order.client_order_id))
        for row in SimulatedFill.objects.select_related("order").filter(account_id=account_id)
    }
    for key in reported.keys() - booked.keys():
        yield Difference("LOST_FILL", "/".join(key), "The venue traded it, we have not stored it.")
    for key in booked.keys() - reported.keys():
        yield Difference("INVENTED_FILL", "/".join(key), "We stored it, the venue never traded it.")
    for key in booked.keys() & reported.keys():
        if booked[key] != reported[key]:
            yield Difference("FILL_DIFFERS", "/".join(key), f"We have {booked[key][:3]}, the venue {reported[key][:3]}.")
    totals: dict[UUID, Decimal] = {}
    for quantity, _, _, order_id in booked.values():
        totals[order_id] = totals.get(order_id, Decimal(0)) + quantity
    for order in ours.values():
        if totals.get(order.id, Decimal(0)) != order.filled_quantity:
            yield Difference("SUM_DIFFERS", order.client_order_id, "The order's filled quantity is not the sum of its fills.")


def _venue_books(account_id: UUID) -> Iterator[Difference]:
    """The positions and the cash that the venue keeps against its own trades."""
    cash, held = Decimal(0), dict[UUID, Decimal]()
    trades = SimulatedFill.objects.filter(account_id=account_id).select_related("order__instrument")
    for trade in trades:
        signed = Side(trade.order.side).sign * trade.quantity
        cash -= signed * trade.price * trade.order.instrument.multiplier + trade.fee
        held[trade.order.instrument_id] = held.get(trade.order.instrument_id, Decimal(0)) + signed
    kept = SimulatedAccount.objects.values_list("cash_flow", flat=True).get(pk=account_id)
    if kept != cash:
        yield Difference("VENUE_CASH_DIFFERS", str(account_id), f"The venue has a cash flow of {kept}, its trades make {cash}.")
    stored = dict(SimulatedPosition.objects.filter(account_id=account_id).exclude(quantity=0).values_list("instrument_id", "quantity"))
    if stored != {key: quantity for key, quantity in held.items() if quantity}:
        yield Difference("VENUE_POSITION_DIFFERS", str(account_id), "The venue's positions are not the sums of its trades.")


def _decisions_taken_twice() -> Iterator[Difference]:
    """A decision orders what it does at one close, for one origin, and each order passes the gate by itself."""
    rows = (
        Order.objects.exclude(decision_id=None)
        .values("decision_id")
        .annotate(
            orders=Count("id"),
            verdicts=Count("verdict_id", distinct=True),
            closes=Count("market_at", distinct=True),
            origins=Count("origin_id", distinct=True),
        )
    )
    twice = rows.filter(Q(orders__gt=1), ~Q(verdicts=F("orders")) | Q(closes__gt=1) | Q(origins__gt=1))
    for row in twice.order_by("decision_id"):
        yield Difference(
            "DECIDED_TWICE", str(row["decision_id"]), f"{row['orders']} orders of one decision were not ordered by it together."
        )
