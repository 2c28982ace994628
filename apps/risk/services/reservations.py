"""What approved orders hold until they end."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from apps.core.vocabulary import Side
from apps.risk.domain.exposure import Held, Hold, held_by
from apps.risk.domain.facts import Reserved, shrink
from apps.risk.models import Reservation


def reserve(*, order_id: UUID, account_id: UUID, instrument_id: UUID, reserved: Reserved) -> None:
    """Store the reservation of an approved order in the caller's transaction."""
    Reservation.objects.create(
        order_id=order_id,
        account_id=account_id,
        instrument_id=instrument_id,
        quantity=reserved.quantity,
        notional=reserved.notional,
        cash=reserved.cash,
        is_reducing=reserved.is_reducing,
    )


@transaction.atomic
def update_reservation(order_id: UUID, remaining: Decimal) -> None:
    """After a fill, in the same transaction: hold only what `remaining` (unsigned) may still use. Never grows; zero ends it."""
    row = Reservation.objects.select_for_update().filter(order_id=order_id, ended_at=None).first()
    if row is None:
        return
    left = shrink(Reserved(row.quantity, row.notional, row.cash, row.is_reducing), remaining=remaining)
    row.quantity, row.notional, row.cash = left.quantity, left.notional, left.cash
    row.save(update_fields=["quantity", "notional", "cash"])
    if left.quantity == 0:
        end_reservation(order_id)


def end_reservation(order_id: UUID) -> None:
    """The order can trade no more: release what it held. Ending twice, or what was never reserved, changes nothing."""
    Reservation.objects.filter(order_id=order_id, ended_at=None).update(ended_at=Now())


def held_by_open_orders(*, account_id: UUID, instrument_id: UUID, side: Side) -> Held:
    """Sums over the active reservations of the account."""
    rows = Reservation.objects.filter(account_id=account_id, ended_at=None)
    holds = [Hold(row.instrument_id, Reserved(row.quantity, row.notional, row.cash, row.is_reducing)) for row in rows]
    return held_by(holds, instrument_id=instrument_id, side=side)
