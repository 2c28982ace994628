"""Orders by hand: alone, as a bracket, or as a pair of which one cancels the other. All of an entry passes the gate or none of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.core.errors import Conflict, InvalidInput
from apps.core.ids import client_order_id, uuid7
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.markets.selectors import instrument_spec
from apps.orders.contracts import ExitPrices, ManualOrderResult, OrderOrigin, OrderRequest, OrderTerms
from apps.orders.domain.brackets import check_exits
from apps.orders.domain.validation import check_order
from apps.orders.ports import AccountDirectory
from apps.orders.services.intents import submit_together
from apps.orders.services.legs import exit_requests
from apps.orders.services.reference import MarketReference, market_reference


@dataclass(frozen=True)
class OtherLeg:
    """The other order of a pair: quantity and time in force are those of the first, and the side unless another one is given."""

    order_type: OrderType
    side: Side | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None


@transaction.atomic
def submit_manual_order(
    *,
    account_id: UUID,
    instrument_id: UUID,
    side: Side,
    order_type: OrderType,
    quantity: Decimal,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
    trail_amount: Decimal | None = None,
    trail_percent: Decimal | None = None,
    expires_at: datetime | None = None,
    is_post_only: bool = False,
    is_reduce_only: bool = False,
    exits: ExitPrices | None = None,
    other: OtherLeg | None = None,
    actor: str,
    now: datetime,
    request_id: UUID | None = None,
) -> ManualOrderResult:
    """Put a person's order through the same gate as a strategy's, and record it if the gate lets it pass.

    `exits` makes it the entry of a bracket, whose exits open with its fill; `other` makes it one of a pair that share what is left.
    Raises InvalidInput naming the field for what can never be an order; a limit that says no is a verdict, not an error.
    The same `request_id` never makes a second order (Conflict).
    """
    terms = OrderTerms(
        order_type=order_type, time_in_force=time_in_force, quantity=quantity, limit_price=limit_price, stop_price=stop_price,
        trail_amount=trail_amount, trail_percent=trail_percent, expires_at=expires_at, is_post_only=is_post_only,
        is_reduce_only=is_reduce_only,
    )  # fmt: skip
    market = market_reference(instrument_spec(instrument_id))
    request = _request(account_id, instrument_id, side, terms, market, actor=actor, request_id=request_id)
    requests = _all_of_it(request, exits or ExitPrices(), other, market)
    for item in requests:
        _check(item, market)
    return submit_together(requests, market, actor=actor, now=now)


def _all_of_it(request: OrderRequest, exits: ExitPrices, other: OtherLeg | None, market: MarketReference) -> list[OrderRequest]:
    if other is None:
        return [request] if exits.is_empty else _bracket(request, exits, market)
    if not exits.is_empty:
        raise InvalidInput("One of a pair has no exits of its own.", where="other", hint="Send a bracket or a pair.")
    return _pair(request, other)


def _check(request: OrderRequest, market: MarketReference) -> None:
    check_order(request.instrument, request.terms, is_child=request.parent_id is not None, reference_price=market.last_close)
    if request.expires_at is not None and request.expires_at <= market.market_at:
        raise InvalidInput(
            f"expires_at is not after the market's time, {market.market_at:%Y-%m-%d %H:%M} UTC.",
            where="expires_at",
            hint="The clock that counts is the venue's, which in a replay is in the past.",
        )


def _request(
    account_id: UUID,
    instrument_id: UUID,
    side: Side,
    terms: OrderTerms,
    market: MarketReference,
    *,
    actor: str,
    request_id: UUID | None,
) -> OrderRequest:
    """The order as a request; one against what is held and not larger reduces the position."""
    instrument = instrument_spec(instrument_id)
    check_order(instrument, terms, reference_price=market.last_close)
    directory = port(AccountDirectory)
    account = directory.account(account_id)
    if account.venue_id != instrument.venue_id:
        raise Conflict(f"{instrument.symbol} is not traded at the venue of account {account.name}.", where="instrument_id")
    held = directory.position(account_id, instrument_id)
    return OrderRequest(
        id=uuid7(),
        client_order_id=client_order_id(account_id=account_id, origin=f"manual|{request_id or uuid7()}"),
        account_id=account_id,
        instrument=instrument,
        side=side,
        mode=account.mode,
        market_at=market.market_at,
        origin=OrderOrigin.MANUAL,
        is_reducing=terms.is_reduce_only or (held * side.sign < 0 and terms.quantity <= abs(held)),
        reason=f"Entered by {actor}.",
        **vars(terms),
    )


def _bracket(entry: OrderRequest, exits: ExitPrices, market: MarketReference) -> list[OrderRequest]:
    if entry.is_reducing:
        raise InvalidInput(
            "An order that closes a position has no exits of its own.", where="take_profit", hint="Send the exits as a pair instead."
        )
    check_exits(entry.side, exits, entry_price=entry.limit_price or entry.stop_price or market.last_close)
    return [entry, *exit_requests(entry, exits)]


def _pair(first: OrderRequest, other: OtherLeg) -> list[OrderRequest]:
    """Both in one group. Exits become reduce-only, so that the two need no more of the position than one."""
    both = replace(first, group_id=uuid7(), is_reduce_only=first.is_reducing)
    side = other.side or first.side
    is_reducing = first.is_reducing and side is first.side
    second = replace(
        both,
        id=uuid7(),
        side=side,
        is_reducing=is_reducing,
        is_reduce_only=is_reducing,
        client_order_id=client_order_id(account_id=first.account_id, origin=f"{first.client_order_id}|other"),
        order_type=other.order_type,
        limit_price=other.limit_price,
        stop_price=other.stop_price,
        trail_amount=other.trail_amount,
        trail_percent=other.trail_percent,
        is_post_only=False,
    )
    return [both, second]
