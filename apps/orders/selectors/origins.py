"""What whoever runs a strategy bar by bar needs to know of its orders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from apps.orders.contracts import AT_THE_VENUE, OPEN_STATUSES, AmendmentStatus, FillView, OrderView
from apps.orders.models import Fill, Order, OrderAmendment
from apps.orders.selectors.orders import fill_view, order_view


def orders_of_origins(*, order_ids: Collection[UUID], origin_ids: Collection[UUID]) -> list[OrderView]:
    """These orders, and whatever else of these origins is open, in the order of their recording."""
    wanted = Q(id__in=order_ids) | Q(origin_id__in=origin_ids, status__in=sorted(OPEN_STATUSES))
    return [order_view(row) for row in Order.objects.select_related("instrument").filter(wanted).order_by("id")]


def fills_after(origin_id: UUID, *, after: UUID | None, until: datetime) -> list[FillView]:
    """Fills of one origin's orders that were stored after the fill `after` and happened by `until`, in the order of their storing."""
    rows = Fill.objects.select_related("instrument").filter(order__origin_id=origin_id, occurred_at__lte=until)
    if after is not None:
        rows = rows.filter(id__gt=after)
    return [fill_view(row) for row in rows.order_by("id")]


def fills_by_id(fill_ids: Collection[UUID]) -> dict[UUID, FillView]:
    """These fills."""
    return {row.id: fill_view(row) for row in Fill.objects.select_related("instrument").filter(id__in=fill_ids)}


def unanswered_wishes(venue_id: UUID) -> int:
    """Cancels and changes that somebody wants of orders at the venue and that it has not answered yet."""
    cancels = Order.objects.filter(status__in=AT_THE_VENUE, instrument__venue_id=venue_id).exclude(cancel_requested_by="").count()
    changes = OrderAmendment.objects.filter(
        status=AmendmentStatus.REQUESTED, order__status__in=AT_THE_VENUE, order__instrument__venue_id=venue_id
    ).count()
    return cancels + changes
