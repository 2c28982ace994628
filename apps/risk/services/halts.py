"""The emergency stop: latched in PostgreSQL, verified by the executor, reset by a person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from django.db import OperationalError, transaction

from apps.common.locks import Lock, lock_in_transaction
from apps.common.notify import Channel, notify
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.ports import port
from apps.core.vocabulary import OrderType
from apps.events.services import record_event
from apps.risk.contracts import EmergencyStop, HaltReset, HaltVerified
from apps.risk.models import Halt
from apps.risk.ports import OpenOrderView, OrderControl, PortfolioView

log = structlog.get_logger(__name__)


@transaction.atomic
def engage_halt(*, actor: str, reason: str, now: datetime, account_id: UUID | None = None, flatten: bool = False) -> UUID:
    """Stop everything (or one account) until a person resets it. Returns the halt's id; engaging what is engaged returns the same one.

    The exclusive HALT lock is waited for, so that when this commits no send is in flight (executors hold it shared, with an empty scope,
    around each bounded send, and ask `active_halt` inside). Should a send not end within the lock timeout, the halt is engaged all the same.
    """
    if not reason.strip():
        raise InvalidInput("Say why trading is stopped.", where="reason", hint="The reason is shown and kept.")
    _wait_for_sends()
    known = Halt.objects.filter(account_id=account_id, reset_at=None, flatten__gte=flatten).order_by("engaged_at").first()
    if known is not None:
        return known.id
    halt = Halt.objects.create(account_id=account_id, reason=reason[:300], flatten=flatten, engaged_by=actor, engaged_at=now)
    scope = f"account {account_id}" if account_id else "everything"
    record_event(
        EmergencyStop(halt_id=halt.id, scope=scope, reason=halt.reason, flatten=flatten), occurred_at=now, actor=actor, subject=str(halt.id)
    )
    notify(Channel.CONTROL)
    notify(Channel.INTENTS)
    return halt.id


def _wait_for_sends() -> None:
    try:
        with transaction.atomic():
            lock_in_transaction(Lock.HALT)
    except OperationalError as error:
        log.warning("halt_without_lock", error=str(error).strip().splitlines()[0])


def verify_halts(*, now: datetime) -> int:
    """Enforce every engaged halt: cancel what can increase exposure, flatten if asked. Returns how many were verified by this call.

    Called by the executor in its loop; a halt is verified once no exposure-increasing order is open and, if it flattens, nothing is held.
    It goes on being enforced until it is reset.
    """
    engaged = list(Halt.objects.filter(reset_at=None).order_by("engaged_at"))
    return [_enforce(halt.id, now=now) for halt in engaged].count(True)


@transaction.atomic
def _enforce(halt_id: UUID, *, now: datetime) -> bool:
    halt = Halt.objects.select_for_update().filter(id=halt_id, reset_at=None).first()
    if halt is None:
        return False
    orders = port(OrderControl).open_orders(halt.account_id)
    increasing = [order for order in orders if not order.is_reducing]
    _cancel(halt, increasing)
    held = _flatten(halt, [order for order in orders if order.is_reducing]) if halt.flatten else 0
    if len(increasing) > halt.orders_cancelled:
        halt.orders_cancelled = len(increasing)
        halt.save(update_fields=["orders_cancelled"])
    if increasing or held or halt.verified_at is not None:
        return False
    halt.verified_at = now
    halt.save(update_fields=["verified_at"])
    _report_verified(halt, now=now)
    return True


def _flatten(halt: Halt, exits: list[OpenOrderView]) -> int:
    """Ask for market exits of everything held; returns how many positions are still held.

    Resting exits (a limit, a stop) hold the quantity that a market exit needs, so they are cancelled first.
    """
    resting = [order for order in exits if order.order_type is not OrderType.MARKET]
    _cancel(halt, resting)
    waiting = {order.account_id for order in resting}
    held = 0
    for account_id in _accounts(halt):
        positions = port(PortfolioView).open_positions(account_id)
        held += positions
        if positions and account_id not in waiting:
            port(OrderControl).request_flatten(account_id, actor=halt.engaged_by, reason=_reason(halt))
    return held


def _cancel(halt: Halt, orders: list[OpenOrderView]) -> None:
    for order in orders:
        port(OrderControl).request_cancel(order.order_id, actor=halt.engaged_by, reason=_reason(halt))


def _reason(halt: Halt) -> str:
    return f"Emergency stop: {halt.reason}"[:300]


def _accounts(halt: Halt) -> list[UUID]:
    return [halt.account_id] if halt.account_id else port(PortfolioView).open_account_ids()


def _report_verified(halt: Halt, *, now: datetime) -> None:
    held = [port(PortfolioView).open_positions(account_id) for account_id in _accounts(halt)]
    record_event(
        HaltVerified(halt_id=halt.id, orders_cancelled=halt.orders_cancelled, exposure_increasing_orders=0, positions_open=sum(held)),
        occurred_at=now,
        subject=str(halt.id),
    )
    notify(Channel.CONTROL)


@transaction.atomic
def reset_halt(*, halt_id: UUID, actor: str, reason: str, now: datetime) -> None:
    """Release the latch. Only a person does this, and says why; a halt that is not engaged raises Conflict."""
    if not reason.strip():
        raise InvalidInput("Say why trading may go on.", where="reason", hint="The reason is shown and kept.")
    halt = Halt.objects.select_for_update().filter(id=halt_id).first()
    if halt is None:
        raise NotFound(f"There is no halt {halt_id}.", where="halt_id")
    if halt.reset_at is not None:
        raise Conflict(f"The halt was reset by {halt.reset_by} already.", where="halt_id")
    halt.reset_by, halt.reset_at, halt.reset_reason = actor, now, reason[:300]
    halt.save(update_fields=["reset_by", "reset_at", "reset_reason"])
    record_event(HaltReset(halt_id=halt.id, reason=halt.reset_reason), occurred_at=now, actor=actor, subject=str(halt.id))
    notify(Channel.CONTROL)
