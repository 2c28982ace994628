"""What the risk app may do to orders (its port OrderControl)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.core.ids import client_order_id, uuid7
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.markets.selectors import instrument_spec
from apps.orders.contracts import OPEN_STATUSES, OrderOrigin, OrderRequest
from apps.orders.models import Order
from apps.orders.ports import AccountDirectory, AccountRef
from apps.orders.services.cancels import request_cancel
from apps.orders.services.intents import submit
from apps.orders.services.reference import market_reference
from apps.risk.ports import OpenOrderView


class OrderControlService:
    """Open orders as risk sees and stops them."""

    def open_orders(self, account_id: UUID | None = None) -> list[OpenOrderView]:
        orders = Order.objects.filter(status__in=OPEN_STATUSES).order_by("id")
        if account_id is not None:
            orders = orders.filter(account_id=account_id)
        return [
            OpenOrderView(
                order_id=order.id,
                account_id=order.account_id,
                instrument=instrument_spec(order.instrument_id),
                side=Side(order.side),
                remaining=order.quantity - order.filled_quantity,
                is_reducing=order.is_reducing,
                order_type=OrderType(order.order_type),
            )
            for order in orders
        ]

    def orders_since(self, account_id: UUID, market_since: datetime) -> int:
        return Order.objects.filter(account_id=account_id, market_at__gte=market_since, is_reducing=False).count()

    def same_order_within(self, account_id: UUID, instrument_id: UUID, side: Side, quantity: Decimal, seconds: float) -> bool:
        since = datetime.now(UTC) - timedelta(seconds=seconds)
        return Order.objects.filter(
            account_id=account_id, instrument_id=instrument_id, side=side, quantity=quantity, created_at__gte=since
        ).exists()

    def request_cancel(self, order_id: UUID, *, actor: str, reason: str) -> None:
        request_cancel(order_id=order_id, actor=actor, reason=reason)

    @transaction.atomic
    def request_flatten(self, account_id: UUID, *, actor: str, reason: str) -> int:
        """Record a reducing market order for what is held and not already on its way out; each passes the gate as any order does."""
        directory = port(AccountDirectory)
        account = directory.account(account_id)
        recorded = 0
        for instrument_id, held in sorted(directory.positions(account_id).items()):
            left = abs(held) - _already_leaving(account_id, instrument_id, held)
            if left > 0:
                recorded += _submit_exit(account, instrument_id, held, left, actor=actor, reason=reason)
        return recorded


def _already_leaving(account_id: UUID, instrument_id: UUID, held: Decimal) -> Decimal:
    """Quantity of open reducing market orders against the position that nobody has asked to cancel."""
    side = Side.SELL if held > 0 else Side.BUY
    rows = Order.objects.filter(
        account_id=account_id,
        instrument_id=instrument_id,
        side=side,
        is_reducing=True,
        order_type=OrderType.MARKET,
        status__in=OPEN_STATUSES,
        cancel_requested_by="",
    )
    return sum((order.quantity - order.filled_quantity for order in rows), Decimal(0))


def _submit_exit(account: AccountRef, instrument_id: UUID, held: Decimal, quantity: Decimal, *, actor: str, reason: str) -> int:
    instrument = instrument_spec(instrument_id)
    market = market_reference(instrument)
    order_id = uuid7()
    request = OrderRequest(
        id=order_id,
        client_order_id=client_order_id(account_id=account.id, origin=f"halt|{order_id}"),
        account_id=account.id,
        instrument=instrument,
        side=Side.SELL if held > 0 else Side.BUY,
        order_type=OrderType.MARKET,
        quantity=quantity,
        mode=account.mode,
        market_at=market.market_at,
        origin=OrderOrigin.HALT,
        is_reducing=True,
        time_in_force=TimeInForce.GTC,
        reason=reason,
    )
    return int(submit(request, market, actor=actor, now=datetime.now(UTC)).order_id is not None)
