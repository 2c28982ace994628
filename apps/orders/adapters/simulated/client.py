"""The simulated venue itself: its tables, its transactions. Nothing in here looks at our orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, QuerySet

from apps.common.failpoints import failpoint
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import TimeInForce
from apps.markets.selectors import bar_window, bars_closed_at, instrument_spec, venue
from apps.orders.adapters.simulated import mapping
from apps.orders.adapters.simulated.book import VenueBook
from apps.orders.contracts import Amendment, OrderTerms
from apps.orders.domain.engine_codes import Reason
from apps.orders.domain.pricing_nb import relative_price
from apps.orders.domain.reasons import sentence
from apps.orders.domain.terms import amended, ppm_of_percent
from apps.orders.domain.validation import check_order
from apps.orders.models import SimulatedAccount, SimulatedFill, SimulatedOrder, SimulatedPosition
from apps.orders.ports import AccountRef, BrokerOrder, VenueOrderStatus

FILLS_PER_PAGE = 500
WORKING = (VenueOrderStatus.WAITING, VenueOrderStatus.OPEN)
_CHANGING = {
    "status": "text",
    "quantity": "numeric",
    "filled": "numeric",
    "limit_price": "numeric",
    "stop_price": "numeric",
    "trail_amount": "numeric",
    "trail_percent": "numeric",
    "best_price": "numeric",
    "flags": "smallint",
    "trail_was_raised": "boolean",
    "reason": "text",
    "acceptance": "bigint",
    "active_at": "timestamptz",
    "day_ends_at": "timestamptz",
}
_SAVE_CHANGED = f"""
    UPDATE orders_simulatedorder AS stored SET {", ".join(f"{name} = new.{name}" for name in _CHANGING)}
    FROM unnest(%s::bigint[], {", ".join(f"%s::{kind}[]" for kind in _CHANGING.values())}) AS new(id, {", ".join(_CHANGING)})
    WHERE stored.venue_order_id = new.id
"""
_SAVE_POSITIONS = """
    INSERT INTO orders_simulatedposition (account_id, instrument_id, quantity) SELECT %s, * FROM unnest(%s::uuid[], %s::numeric[])
    ON CONFLICT (account_id, instrument_id) DO UPDATE SET quantity = excluded.quantity
"""


class SimulatedVenue:
    """One account's place at the venue."""

    def __init__(self, ref: AccountRef) -> None:
        self._ref = ref
        self._check: Callable[[], None] = lambda: None
        self._marked_at: datetime | None = None
        self._closes: dict[UUID, int] = {}

    def fence_with(self, check: Callable[[], None]) -> None:
        """Take and change orders only while `check` does not raise; it is called in the transaction that does it."""
        self._check = check

    def accept(self, order: BrokerOrder) -> SimulatedOrder:
        """Take the order in a transaction of the venue's own. The same client order id again returns the first order unchanged.

        Raises NotFound, Conflict or InvalidInput with the engine's reason in words, and then there is no order.
        """
        with transaction.atomic(durable=True):
            self._check()
            account = self.locked_account()
            stored = SimulatedOrder.objects.filter(client_order_id=order.client_order_id).first()
            if stored is None:
                stored = self._take(account, order)
            elif stored.account_id != account.pk:
                raise Conflict(f"Another account has used {order.client_order_id}.", where="client_order_id")
            failpoint("simulated.before_commit")
        return stored

    def _take(self, account: SimulatedAccount, order: BrokerOrder) -> SimulatedOrder:
        now_at = venue(account.venue_id).now_at
        accepted_at = max(now_at, account.matched_through) if account.matched_through else now_at
        row = mapping.to_row(order, account_id=self._ref.id, accepted_at=accepted_at)
        parent = self._parent(order)
        row.parent = parent
        book = self._book(account, with_instrument=order.instrument_id)
        book.set_clock(accepted_at)
        terms, works_alone = _against_parent(order.terms, parent, instrument_spec(order.instrument_id))
        working = next((item for item in book.rows if parent and item.pk == parent.pk), None)
        reason = book.submit(row, terms, parent=None if works_alone else working)
        if reason is not Reason.NONE:
            raise InvalidInput(sentence(reason), where="order")
        self._save(account, book)
        return row

    def _parent(self, order: BrokerOrder) -> SimulatedOrder | None:
        if not order.parent_client_order_id:
            return None
        parent = self.order(order.parent_client_order_id)
        if parent is None:
            raise NotFound("The venue does not have the order that this one waits for.", where="parent_client_order_id")
        if not parent.filled and VenueOrderStatus(parent.status) not in WORKING:
            raise Conflict(sentence(Reason.PARENT_ENDED), where="parent_client_order_id")
        return parent

    def cancel(self, client_order_id: str) -> None:
        """Cancel the order if it works, and with it the children that wait for it, in a transaction of the venue's own."""
        with transaction.atomic(durable=True):
            account = self.locked_account()
            book = self._book(account)
            found = _row_in(book, client_order_id)
            if found is not None:
                book.cancel(found)
                self._save(account, book)

    def amend(self, client_order_id: str, amendment: Amendment) -> None:
        """Change a working order, in a transaction of the venue's own; raises NotFound, Conflict or InvalidInput in words."""
        with transaction.atomic(durable=True):
            self._check()
            account = self.locked_account()
            book = self._book(account)
            row = _row_in(book, client_order_id)
            if row is None:
                ended = self.order(client_order_id)
                raise Conflict(f"The order is {ended.status}." if ended else sentence(Reason.UNKNOWN_ORDER), where="client_order_id")
            terms = amended(mapping.working_terms(row), amendment)
            check_order(instrument_spec(row.instrument_id), terms, is_child=row.parent_id is not None)
            reason = book.amend(row, terms)
            if reason is not Reason.NONE:
                raise InvalidInput(sentence(reason), where="order")
            mapping.take_terms(row, terms)
            self._save(account, book)

    def match(self, account: SimulatedAccount, closed_at: datetime) -> list[SimulatedOrder]:
        """Match the book of a locked account against the bars that closed then, in the caller's transaction.

        Returns the orders that changed. The account's own row is changed and left to the caller to save.
        """
        if not self._has_something_to_meet(account):
            return []
        bars = bars_closed_at(account.venue_id, closed_at)
        book = self._book(account)
        is_daily = any(row.time_in_force == TimeInForce.DAY for row in book.rows) and venue(account.venue_id).timeframe.duration.days >= 1
        book.step(bars, is_daily=is_daily)
        return self._save_book(book)

    def _has_something_to_meet(self, account: SimulatedAccount) -> bool:
        """Orders, or positions that the venue might close itself: shorts, and anything on margin."""
        held = SimulatedPosition.objects.filter(account=account)
        at_risk = held.exclude(quantity=0) if mapping.venue_terms(account).can_liquidate else held.filter(quantity__lt=0)
        return SimulatedAccount.objects.filter(Exists(self._working()) | Exists(at_risk), pk=account.pk).exists()

    def _book(self, account: SimulatedAccount, *, with_instrument: UUID | None = None) -> VenueBook:
        """The account's working orders and positions in an engine, with the last closes as marks."""
        orders = list(self._working().select_related("instrument"))
        positions = self.positions()
        ids = {order.instrument_id for order in orders} | positions.keys() | ({with_instrument} if with_instrument else set())
        specs = sorted((instrument_spec(key) for key in ids), key=lambda spec: spec.symbol)
        return VenueBook(self._ref, account, specs, orders=orders, positions=positions, marks=self._marks(account, specs))

    def _marks(self, account: SimulatedAccount, specs: Sequence[InstrumentSpec]) -> dict[UUID, int]:
        """The last closes that the account has met, in price units; nothing where there is none yet. Read once for each close."""
        if account.matched_through is None:
            return {}
        if self._marked_at != account.matched_through:
            last = bars_closed_at(account.venue_id, account.matched_through)
            self._marked_at, self._closes = account.matched_through, {key: bar.close for key, bar in last.items()}
        for spec in specs:
            if spec.id not in self._closes:
                window = bar_window(spec, venue(account.venue_id).timeframe, until=account.matched_through, count=1)
                if len(window):
                    self._closes[spec.id] = int(window.close[-1])
        return self._closes

    def _save(self, account: SimulatedAccount, book: VenueBook) -> None:
        self._save_book(book)
        account.save(update_fields=["next_sequence", "next_acceptance", "cash_flow", "traded_value"])

    def _save_book(self, book: VenueBook) -> list[SimulatedOrder]:
        """Write back what the engine changed, a statement per table; returns the orders that changed, new ones last."""
        changed = book.take_back()
        new = [row for row in book.rows if row.venue_order_id is None]
        SimulatedOrder.objects.bulk_create(new)
        _save_changed(changed)
        fills = book.new_fills()
        SimulatedFill.objects.bulk_create(fills)
        if fills:
            self._save_positions(book.positions())
        return changed + new

    def _save_positions(self, held: dict[UUID, Decimal]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_SAVE_POSITIONS, [str(self._ref.id), [str(key) for key in held], list(held.values())])

    def locked_account(self) -> SimulatedAccount:
        """The account's row, locked until the end of the transaction; raises NotFound."""
        account = SimulatedAccount.objects.select_for_update().filter(pk=self._ref.id).first()
        if account is None:
            raise NotFound(f"The simulated venue has no account {self._ref.id}.", where="account_id")
        return account

    def order(self, client_order_id: str) -> SimulatedOrder | None:
        return SimulatedOrder.objects.filter(account_id=self._ref.id, client_order_id=client_order_id).first()

    def open_orders(self) -> Sequence[SimulatedOrder]:
        return list(self._working())

    def _working(self) -> QuerySet[SimulatedOrder]:
        return SimulatedOrder.objects.filter(account_id=self._ref.id, status__in=WORKING).order_by("venue_order_id")

    def fills_since(self, sequence: int) -> Sequence[SimulatedFill]:
        """The next page of fills after the cursor."""
        rows = SimulatedFill.objects.select_related("order").filter(account_id=self._ref.id, sequence__gt=sequence)
        return list(rows.order_by("sequence")[:FILLS_PER_PAGE])

    def positions(self) -> dict[UUID, Decimal]:
        """Signed quantities by instrument, without zeros."""
        rows = SimulatedPosition.objects.filter(account_id=self._ref.id).exclude(quantity=0)
        return dict(rows.values_list("instrument_id", "quantity"))

    def cash_flow(self) -> Decimal:
        """Cash that the trades have brought, fees deducted."""
        flow: Decimal = SimulatedAccount.objects.values_list("cash_flow", flat=True).get(pk=self._ref.id)
        return flow


def _row_in(book: VenueBook, client_order_id: str) -> SimulatedOrder | None:
    return next((row for row in book.rows if row.client_order_id == client_order_id), None)


def _against_parent(terms: OrderTerms, parent: SimulatedOrder | None, spec: InstrumentSpec) -> tuple[OrderTerms, bool]:
    """The terms of a child whose parent has filled already, and whether it no longer needs it.

    Relative prices follow from the parent's first fill. A parent that has ended is out of the book: its child trades what it has filled.
    """
    if parent is None or not parent.filled:
        return terms, False
    first = SimulatedFill.objects.filter(order=parent).order_by("sequence").values_list("price", flat=True).first()
    fixed = terms if first is None else _fixed_prices(terms, spec.price_units(first), spec)
    is_over = VenueOrderStatus(parent.status) not in WORKING
    return replace(fixed, quantity=parent.filled), is_over


def _fixed_prices(terms: OrderTerms, first: int, spec: InstrumentSpec) -> OrderTerms:
    tick = spec.price_units(spec.tick_size)

    def price(own: Decimal | None, offset: Decimal | None) -> Decimal | None:
        return own if offset is None else spec.price(max(relative_price(first, ppm_of_percent(offset), tick), tick))

    return replace(
        terms,
        limit_price=price(terms.limit_price, terms.limit_offset_percent),
        stop_price=price(terms.stop_price, terms.stop_offset_percent),
        limit_offset_percent=None,
        stop_offset_percent=None,
    )


def _save_changed(orders: Sequence[SimulatedOrder]) -> None:
    """One statement for all: the ORM's bulk update takes longer to write its SQL than the whole match."""
    if not orders:
        return
    rows = [(row.venue_order_id, *(getattr(row, name) for name in _CHANGING)) for row in orders]
    columns = [[str(value) if isinstance(value, VenueOrderStatus) else value for value in column] for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_CHANGED, columns)
