"""The simulated venue itself: its tables, its transactions. Nothing in here looks at our orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, DecimalField, ExpressionWrapper, F, QuerySet, Sum, When

from apps.common.failpoints import failpoint
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.vocabulary import Side
from apps.markets.contracts import Bar
from apps.markets.selectors import bars_closed_at, instrument_spec, venue
from apps.orders.adapters.simulated import mapping
from apps.orders.contracts import Amendment
from apps.orders.domain.matching import MatchStatus, day_end, match
from apps.orders.domain.terms import amended
from apps.orders.domain.validation import check_order
from apps.orders.models import SimulatedAccount, SimulatedFill, SimulatedOrder
from apps.orders.ports import BrokerOrder, VenueOrderStatus

FILLS_PER_PAGE = 500
_WIDE: DecimalField[Decimal, Decimal] = DecimalField(max_digits=60, decimal_places=20)
_SAVE_CHANGED = """
    UPDATE orders_simulatedorder AS stored SET
        status = new.status, filled = new.filled, day_ends_at = new.day_ends_at
    FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::timestamptz[]) AS new(id, status, filled, day_ends_at)
    WHERE stored.venue_order_id = new.id
"""


class SimulatedVenue:
    """One account's book."""

    def __init__(self, account_id: UUID) -> None:
        self._account_id = account_id
        self._check: Callable[[], None] = lambda: None

    def fence_with(self, check: Callable[[], None]) -> None:
        """Take orders only while `check` does not raise; it is called in the transaction that takes them."""
        self._check = check

    def accept(self, order: BrokerOrder) -> SimulatedOrder:
        """Take the order in a transaction of the venue's own. The same client order id again returns the first order unchanged."""
        with transaction.atomic(durable=True):
            self._check()
            account = self._account(SimulatedAccount.objects.all())
            now_at = venue(account.venue_id).now_at
            accepted_at = max(now_at, account.matched_through) if account.matched_through else now_at
            row = mapping.to_row(order, account_id=self._account_id, accepted_at=accepted_at)
            SimulatedOrder.objects.bulk_create([row], ignore_conflicts=True)
            failpoint("simulated.before_commit")
        stored = self.order(order.client_order_id)
        if stored is None:
            raise Conflict(f"Another account has used {order.client_order_id}.", where="client_order_id")
        return stored

    def cancel(self, client_order_id: str) -> None:
        """Cancel the order if it is open, in a transaction of the venue's own."""
        with transaction.atomic(durable=True):
            self.locked_account()
            SimulatedOrder.objects.filter(
                account_id=self._account_id, client_order_id=client_order_id, status=VenueOrderStatus.OPEN
            ).update(status=VenueOrderStatus.CANCELLED)

    def amend(self, client_order_id: str, amendment: Amendment) -> None:
        """Change an open order, in a transaction of the venue's own; raises NotFound, Conflict where it has ended, InvalidInput."""
        with transaction.atomic(durable=True):
            self.locked_account()
            row = self.order(client_order_id)
            if row is None:
                raise NotFound(f"The venue has no order {client_order_id}.", where="client_order_id")
            if not VenueOrderStatus(row.status).is_open:
                raise Conflict(f"The order is {row.status}.", where="client_order_id")
            terms = amended(row.terms, amendment)
            check_order(instrument_spec(row.instrument_id), terms, is_child=row.parent_id is not None)
            if terms.quantity <= row.filled:
                raise InvalidInput(f"{row.filled} have filled already.", where="quantity")
            for name, value in vars(terms).items():
                setattr(row, name, value)
            row.save()

    def match(self, account: SimulatedAccount, closed_at: datetime) -> list[SimulatedOrder]:
        """Match the open orders of a locked account against the bars that closed then, in the caller's transaction.

        Orders go in the order of their acceptance. Returns those that changed; fills are written with the next sequence numbers.
        """
        resting = list(SimulatedOrder.objects.filter(account=account, status=VenueOrderStatus.OPEN).order_by("venue_order_id"))
        if not resting:
            return []
        bars = bars_closed_at(account.venue_id, closed_at)
        is_daily = any(map(mapping.is_day_order, resting)) and venue(account.venue_id).timeframe.duration.days >= 1
        changed: list[SimulatedOrder] = []
        fills: list[SimulatedFill] = []
        for order in resting:
            bar = bars.get(order.instrument_id)
            if bar is not None and self._match_one(account, order, bar, is_daily=is_daily, fills=fills):
                changed.append(order)
        SimulatedFill.objects.bulk_create(fills)
        _save_changed(changed)
        return changed

    def _match_one(self, account: SimulatedAccount, order: SimulatedOrder, bar: Bar, *, is_daily: bool, fills: list[SimulatedFill]) -> bool:
        """Whether the bar changed the order."""
        begins_day = mapping.is_day_order(order) and order.day_ends_at is None and bar.closed_at > order.accepted_at
        if begins_day:
            order.day_ends_at = day_end(opened_at=bar.opened_at, closed_at=bar.closed_at, is_daily=is_daily)
        outcome = match(
            mapping.to_resting(order),
            mapping.to_range(bar),
            instrument=instrument_spec(order.instrument_id),
            costs=mapping.to_costs(account),
        )
        if outcome.status is MatchStatus.FILLED:
            fills.append(mapping.to_fill_row(order, outcome, sequence=account.next_sequence, at=bar.closed_at))
            account.next_sequence += 1
            order.filled += outcome.quantity
            order.status = VenueOrderStatus.FILLED
        elif outcome.status is MatchStatus.EXPIRED:
            order.status = VenueOrderStatus.EXPIRED
        return begins_day or outcome.status is not MatchStatus.NOTHING

    def locked_account(self) -> SimulatedAccount:
        """The account's row, locked until the end of the transaction; raises NotFound."""
        return self._account(SimulatedAccount.objects.select_for_update())

    def _account(self, rows: QuerySet[SimulatedAccount]) -> SimulatedAccount:
        account = rows.filter(pk=self._account_id).first()
        if account is None:
            raise NotFound(f"The simulated venue has no account {self._account_id}.", where="account_id")
        return account

    def order(self, client_order_id: str) -> SimulatedOrder | None:
        return SimulatedOrder.objects.filter(account_id=self._account_id, client_order_id=client_order_id).first()

    def open_orders(self) -> Sequence[SimulatedOrder]:
        return list(SimulatedOrder.objects.filter(account_id=self._account_id, status=VenueOrderStatus.OPEN).order_by("venue_order_id"))

    def fills_since(self, sequence: int) -> Sequence[SimulatedFill]:
        """The next page of fills after the cursor."""
        rows = SimulatedFill.objects.select_related("order").filter(account_id=self._account_id, sequence__gt=sequence)
        return list(rows.order_by("sequence")[:FILLS_PER_PAGE])

    def positions(self) -> dict[UUID, Decimal]:
        """Signed quantities by instrument, without zeros."""
        signed = Case(When(side=Side.BUY, then=F("filled")), default=-F("filled"))
        rows = SimulatedOrder.objects.filter(account_id=self._account_id).values("instrument_id").annotate(net=Sum(signed))
        return {row["instrument_id"]: row["net"] for row in rows if row["net"]}

    def cash_flow(self) -> Decimal:
        """Cash that the trades have brought, fees deducted."""
        value = ExpressionWrapper(F("price") * F("quantity") * F("order__instrument__multiplier"), output_field=_WIDE)
        signed = Case(When(order__side=Side.SELL, then=value), default=-value, output_field=_WIDE)
        total = SimulatedFill.objects.filter(account_id=self._account_id).aggregate(
            net=Sum(ExpressionWrapper(signed - F("fee"), output_field=_WIDE))
        )
        return total["net"] or Decimal(0)


def _save_changed(orders: Sequence[SimulatedOrder]) -> None:
    """One statement for all: the ORM's bulk update takes longer to write its SQL than the whole match."""
    if not orders:
        return
    rows = [(row.venue_order_id, str(row.status), row.filled, row.day_ends_at) for row in orders]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_CHANGED, [list(column) for column in zip(*rows, strict=True)])
