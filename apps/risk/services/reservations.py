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


def widen_reservation(order_id: UUID, reserved: Reserved) -> None:
    """An open order may become a larger one: hold the larger of both, until it is known what it has become."""
    row = Reservation.objects.select_for_update().filter(order_id=order_id, ended_at=None).first()
    if row is None:
        return
    row.quantity = max(row.quantity, reserved.quantity, key=abs)
    row.notional, row.cash = max(row.notional, reserved.notional), max(row.cash, reserved.cash)
    row.save(update_fields=["quantity", "notional", "cash"])


@transaction.atomic
def update_reservation(order_id: UUID, remaining: Decimal) -> None:
    """After a fill, in the same transaction: hold only what `remaining` (unsigned) may still use. Never grows; zero ends it.

    What holds no quantity (a reduce-only exit) ends with its order alone.
    """
    row = Reservation.objects.select_for_update().filter(order_id=order_id, ended_at=None).first()
    if row is None or not row.quantity:
        return
    left = shrink(Reserved(row.quantity, row.notional, row.cash, row.is_reducing), remaining=remaining)
    row.quantity, row.notional, row.cash = left.quantity, left.notional, left.cash
    row.save(update_fields=["quantity", "notional", "cash"])
    if left.quantity == 0:
        end_reservation(order_id)


def end_reservation(order_id: UUID) -> None:
    """The order can trade no more: release what it held. Ending twice, or what was never reserved, changes nothing."""
    Reservation.objects.filter(order_id=order_id, ended_at=None).update(ended_at=Now())


def held_by_open_orders(*, account_id: UUID, instrument_id: UUID, side: Side, but_not: UUID | None = None) -> Held:
    """Sums over the active reservations of the account, without that of one order if it is named."""
    rows = Reservation.objects.filter(account_id=account_id, ended_at=None)
    holds = [
        Hold(row.instrument_id, Reserved(row.quantity, row.notional, row.cash, row.is_reducing)) for row in rows if row.order_id != but_not
    ]
    return held_by(holds, instrument_id=instrument_id, side=side)
