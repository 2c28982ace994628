"""Reads of orders and fills, as frozen views."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, Subquery, Sum, When

from apps.core.errors import NotFound
from apps.core.vocabulary import OrderType, Side, TimeInForce, TradingMode
from apps.orders.contracts import (
    OPEN_STATUSES,
    UNSETTLED_STATUSES,
    Amendment,
    AmendmentStatus,
    AmendmentView,
    FillView,
    Liquidity,
    OrderDetail,
    OrderOrigin,
    OrderStatus,
    OrderStep,
    OrderView,
    Standing,
)
from apps.orders.domain.attribution import position_of
from apps.orders.domain.prices import average_price
from apps.orders.models import Fill, FillCursor, Order, OrderAmendment, OrderEvent, SimulatedAccount

MAX_ROWS = 1_000


def order(order_id: UUID) -> OrderView:
    """One order; raises NotFound."""
    row = Order.objects.select_related("instrument").filter(pk=order_id).first()
    if row is None:
        raise NotFound(f"There is no order {order_id}.", where="order_id")
    return order_view(row)


def order_detail(order_id: UUID) -> OrderDetail:
    """One order with its history, its fills and the orders that belong to it; raises NotFound."""
    view = order(order_id)
    return OrderDetail(
        order=view,
        history=tuple(order_history(order_id)),
        fills=tuple(fills(order_id=order_id)[::-1]),
        parent=order(view.parent_id) if view.parent_id else None,
        children=_views(Order.objects.filter(parent_id=order_id)),
        group=_views(Order.objects.filter(group_id=view.group_id).exclude(id=order_id)) if view.group_id else (),
        amendments=tuple(amendments(order_id)),
    )


def _views(rows: QuerySet[Order]) -> tuple[OrderView, ...]:
    return tuple(order_view(row) for row in rows.select_related("instrument").order_by("id"))


def amendments(order_id: UUID) -> list[AmendmentView]:
    """Every wish to change the order, oldest first."""
    return [
        AmendmentView(
            id=row.id,
            order_id=row.order_id,
            amendment=Amendment(row.quantity, row.limit_price, row.stop_price, row.trail_amount, row.trail_percent),
            status=AmendmentStatus(row.status),
            requested_by=row.requested_by,
            reason=row.reason,
            created_at=row.created_at,
        )
        for row in OrderAmendment.objects.filter(order_id=order_id).order_by("id")
    ]


def orders(
    *,
    account_id: UUID | None = None,
    instrument_id: UUID | None = None,
    origin_id: UUID | None = None,
    decision_id: UUID | None = None,
    statuses: Collection[OrderStatus] | None = None,
    before: UUID | None = None,
    limit: int = 100,
) -> list[OrderView]:
    """Orders that fit every filter given, newest first; `before` is the id of the last one of the page before."""
    wanted = Q()
    for name, value in (
        ("account_id", account_id),
        ("instrument_id", instrument_id),
        ("origin_id", origin_id),
        ("decision_id", decision_id),
    ):
        if value is not None:
            wanted &= Q(**{name: value})
    if statuses is not None:
        wanted &= Q(status__in=sorted(statuses))
    if before is not None:
        wanted &= Q(id__lt=before)
    rows = Order.objects.select_related("instrument").filter(wanted).order_by("-id")[: min(limit, MAX_ROWS)]
    return [order_view(row) for row in rows]


def open_orders(account_id: UUID | None = None) -> list[OrderView]:
    """Orders that may still trade, newest first."""
    return orders(account_id=account_id, statuses=OPEN_STATUSES, limit=MAX_ROWS)


def order_history(order_id: UUID) -> list[OrderStep]:
    """What happened to an order, oldest first."""
    return [
        OrderStep(
            sequence=row.sequence,
            trigger=row.trigger,
            from_status=OrderStatus(row.from_status) if row.from_status else None,
            to_status=OrderStatus(row.to_status),
            detail=row.detail,
            recorded_at=row.recorded_at,
        )
        for row in OrderEvent.objects.filter(order_id=order_id).order_by("sequence")
    ]


def fills(
    *,
    account_id: UUID | None = None,
    order_id: UUID | None = None,
    instrument_id: UUID | None = None,
    origin_id: UUID | None = None,
    since: datetime | None = None,
    before: UUID | None = None,
    limit: int = MAX_ROWS,
) -> list[FillView]:
    """Fills that fit every filter given, newest first; `since` is on the venue's clock."""
    rows: QuerySet[Fill] = Fill.objects.select_related("instrument").order_by("-id")
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    if order_id is not None:
        rows = rows.filter(order_id=order_id)
    if instrument_id is not None:
        rows = rows.filter(instrument_id=instrument_id)
    if origin_id is not None:
        rows = rows.filter(order__origin_id=origin_id)
    if since is not None:
        rows = rows.filter(occurred_at__gte=since)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [fill_view(row) for row in rows[: min(limit, MAX_ROWS)]]


def session_position(origin_id: UUID, instrument_id: UUID) -> Decimal:
    """Net quantity that the orders of one origin have bought (positive) or sold of an instrument, less what others closed of it.

    Orders without an origin (a halt's exits, a person's) that were on the other side have closed what the origins of the account held,
    the oldest origin's first, so that a session does not count on what is gone.
    """
    accounts = Order.objects.filter(origin_id=origin_id, instrument_id=instrument_id).values("account_id")[:1]
    rows = Order.objects.filter(account_id=Subquery(accounts), instrument_id=instrument_id, filled_quantity__gt=0)
    signed = Case(When(side=Side.BUY, then=F("filled_quantity")), default=-F("filled_quantity"))
    net: dict[UUID | None, Decimal] = dict(rows.order_by("origin_id").values_list("origin_id").annotate(net=Sum(signed)))
    return position_of(origin_id, net)


def standings(wanted: Collection[tuple[UUID, UUID, UUID]]) -> dict[UUID, Standing]:
    """`session_position` and `has_open_order` of several origins, given as (origin, account, instrument), in one read."""
    signed = Case(When(side=Side.BUY, then=F("filled_quantity")), default=-F("filled_quantity"))
    rows = (
        Order.objects.filter(account_id__in={item[1] for item in wanted}, instrument_id__in={item[2] for item in wanted})
        .order_by()
        .values_list("account_id", "instrument_id", "origin_id")
        .annotate(net=Sum(signed), open=Count("id", filter=Q(status__in=OPEN_STATUSES)))
    )
    net: dict[tuple[UUID, UUID], dict[UUID | None, Decimal]] = {}
    with_open: set[UUID | None] = set()
    for account_id, instrument_id, origin_id, quantity, count in rows:
        net.setdefault((account_id, instrument_id), {})[origin_id] = quantity
        if count:
            with_open.add(origin_id)
    return {
        origin_id: Standing(position_of(origin_id, net.get((account_id, instrument_id), {})), origin_id in with_open)
        for origin_id, account_id, instrument_id in wanted
    }


def has_open_order(origin_id: UUID) -> bool:
    """Whether an order of this origin may still trade."""
    return Order.objects.filter(origin_id=origin_id, status__in=OPEN_STATUSES).exists()


def unsent_intents(venue_id: UUID) -> int:
    """Orders at the venue that are not settled there yet: waiting to be sent, being sent, or with an answer that was lost."""
    return Order.objects.filter(status__in=UNSETTLED_STATUSES, instrument__venue_id=venue_id).count()


def matched_through(account_id: UUID) -> datetime | None:
    """Close of the last bar that the account was marked against, and matched against where the venue is simulated; None before the first."""
    simulated = SimulatedAccount.objects.filter(pk=account_id).values_list("matched_through", flat=True).first()
    return simulated or FillCursor.objects.filter(pk=account_id).values_list("matched_through", flat=True).first()


def order_view(row: Order) -> OrderView:
    """The row, whose instrument has been read, as others see it."""
    return OrderView(
        id=row.id,
        client_order_id=row.client_order_id,
        account_id=row.account_id,
        instrument_id=row.instrument_id,
        symbol=row.instrument.symbol,
        mode=TradingMode(row.mode),
        side=Side(row.side),
        order_type=OrderType(row.order_type),
        time_in_force=TimeInForce(row.time_in_force),
        quantity=row.quantity,
        limit_price=row.limit_price,
        stop_price=row.stop_price,
        status=OrderStatus(row.status),
        filled_quantity=row.filled_quantity,
        average_price=average_price(row.filled_value, row.filled_quantity) if row.filled_quantity else None,
        venue_order_id=row.venue_order_id,
        origin=OrderOrigin(row.origin),
        origin_id=row.origin_id,
        decision_id=row.decision_id,
        verdict_id=row.verdict_id,
        is_reducing=row.is_reducing,
        reason=row.reason,
        status_reason=row.status_reason,
        cancel_requested_by=row.cancel_requested_by,
        market_at=row.market_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        trail_amount=row.trail_amount,
        trail_percent=row.trail_percent,
        expires_at=row.expires_at,
        is_post_only=row.is_post_only,
        is_reduce_only=row.is_reduce_only,
        limit_offset_percent=row.limit_offset_percent,
        stop_offset_percent=row.stop_offset_percent,
        parent_id=row.parent_id,
        group_id=row.group_id,
    )


def fill_view(row: Fill) -> FillView:
    """The row, whose instrument has been read, as others see it."""
    return FillView(
        id=row.id,
        order_id=row.order_id,
        account_id=row.account_id,
        instrument_id=row.instrument_id,
        symbol=row.instrument.symbol,
        side=Side(row.side),
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_asset=row.fee_asset,
        liquidity=Liquidity(row.liquidity),
        reason=row.reason,
        venue_order_id=row.venue_order_id,
        venue_trade_id=row.venue_trade_id,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
    )
