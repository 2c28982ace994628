"""From the books and what open orders hold to the facts that the gate judges by: the same arithmetic for every clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.vocabulary import Side, TradingMode
from apps.risk.domain.facts import Facts, Reserved


@dataclass(frozen=True)
class AccountExposure:
    """The account as the books have it, in its base currency."""

    account_id: UUID
    currency: str
    mode: TradingMode
    is_open: bool
    cash: Decimal
    equity: Decimal
    day_start_equity: Decimal
    peak_equity: Decimal
    gross_exposure: Decimal
    position_quantity: Decimal
    """Signed quantity held of the instrument asked for."""
    position_notional: Decimal
    day_started_at: datetime | None = None
    """Start of the venue's day, by the newest valuation; None before the first."""
    leverage: Decimal = Decimal(1)
    """Exposure that one unit of equity may carry at the venue."""


@dataclass(frozen=True)
class Hold:
    """What one open order of the account still reserves."""

    instrument_id: UUID
    reserved: Reserved


@dataclass(frozen=True)
class Held:
    """All that the open orders of an account hold, and what matters of it for one instrument and side."""

    cash: Decimal
    notional: Decimal
    same_side: Decimal
    exits: Decimal
    orders: int


def held_by(holds: Iterable[Hold], *, instrument_id: UUID, side: Side) -> Held:
    """Sums over what the open orders of an account hold; quantities are of the instrument alone and unsigned."""
    standing = list(holds)
    here = [hold.reserved for hold in standing if hold.instrument_id == instrument_id]
    return Held(
        cash=_total(hold.reserved.cash for hold in standing),
        notional=_total(hold.reserved.notional for hold in standing),
        same_side=_total(abs(item.quantity) for item in here if not item.is_reducing and item.quantity * side.sign > 0),
        exits=_total(abs(item.quantity) for item in here if item.is_reducing),
        orders=len(standing),
    )


def facts_of(
    exposure: AccountExposure, held: Held, *, halt_reason: str | None, live_refusal: str, orders_today: int, is_duplicate: bool
) -> Facts:
    """What the gate judges a proposal by."""
    return Facts(
        halt_reason=halt_reason,
        live_refusal=live_refusal,
        account_mode=exposure.mode,
        currency=exposure.currency,
        is_open=exposure.is_open,
        cash=exposure.cash,
        equity=exposure.equity,
        day_start_equity=exposure.day_start_equity,
        peak_equity=exposure.peak_equity,
        gross_exposure=exposure.gross_exposure,
        position_quantity=exposure.position_quantity,
        reserved_cash=held.cash,
        reserved_notional=held.notional,
        reserved_same_side=held.same_side,
        reserved_exits=held.exits,
        open_orders=held.orders,
        orders_today=orders_today,
        is_duplicate=is_duplicate,
        leverage=exposure.leverage,
    )


def _total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
