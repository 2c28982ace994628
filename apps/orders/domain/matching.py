"""The matching kernel for one order in Decimals: converts exactly, calls `matching_nb.match_order`, names the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side
from apps.orders.domain import matching_nb as nb
from apps.orders.domain.costs import Costs
from apps.orders.domain.vocabulary import Liquidity

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class MatchStatus(IntEnum):
    NOTHING = nb.NOTHING
    FILLED = nb.FILLED
    EXPIRED = nb.EXPIRED


class MatchReason(IntEnum):
    """Why an order filled at its price, or why it did not."""

    NO_REASON = nb.NO_REASON
    NOT_YET = nb.NOT_YET
    NOT_REACHED = nb.NOT_REACHED
    TOUCHED_ONLY = nb.TOUCHED_ONLY
    OUT_OF_BOUNDS = nb.OUT_OF_BOUNDS
    DAY_OVER = nb.DAY_OVER
    MARKET_AT_OPEN = nb.MARKET_AT_OPEN
    LIMIT_CROSSED = nb.LIMIT_CROSSED
    LIMIT_GAPPED = nb.LIMIT_GAPPED
    STOP_TRIGGERED = nb.STOP_TRIGGERED
    STOP_GAPPED = nb.STOP_GAPPED

    @property
    def liquidity(self) -> Liquidity:
        """A limit order that waited for the price made the market; everything else took it."""
        return Liquidity.MAKER if self is MatchReason.LIMIT_CROSSED else Liquidity.TAKER


_TYPE_CODES = {OrderType.MARKET: nb.MARKET, OrderType.LIMIT: nb.LIMIT, OrderType.STOP: nb.STOP}


@dataclass(frozen=True)
class RestingOrder:
    """An order waiting at the simulated venue."""

    side: Side
    order_type: OrderType
    remaining: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    accepted_at: datetime
    day_ends_at: datetime | None


@dataclass(frozen=True)
class BarRange:
    """What matching needs of a bar; prices in price units of the instrument."""

    opened_at: datetime
    closed_at: datetime
    open: int
    high: int
    low: int


@dataclass(frozen=True)
class Match:
    """What a bar did to an order. Quantity, price and fee are zero unless it filled."""

    status: MatchStatus
    reason: MatchReason
    quantity: Decimal
    price: Decimal
    fee: Decimal


def match(order: RestingOrder, bar: BarRange, *, instrument: InstrumentSpec, costs: Costs) -> Match:
    """One order against one bar, by the rules of `matching_nb`."""
    status, reason, price, lots, fee = nb.match_order(
        order.side.sign,
        _TYPE_CODES[order.order_type],
        instrument.quantity_lots(order.remaining),
        _units(instrument, order.limit_price),
        _units(instrument, order.stop_price),
        microseconds(order.accepted_at),
        nb.NEVER if order.day_ends_at is None else microseconds(order.day_ends_at),
        microseconds(bar.opened_at),
        microseconds(bar.closed_at),
        bar.open,
        bar.high,
        bar.low,
        instrument.price_units(instrument.tick_size),
        instrument.price_units(instrument.max_price),
        instrument.cash_units_per_price_unit_lot,
        costs.adverse_ppm,
        costs.fee_ppm,
    )
    return Match(
        status=MatchStatus(status),
        reason=MatchReason(reason),
        quantity=instrument.quantity(lots),
        price=instrument.price(price),
        fee=instrument.cash(fee),
    )


def day_end(*, opened_at: datetime, closed_at: datetime, is_daily: bool) -> datetime:
    """When a DAY order ends whose first possible bar is this one: with a daily bar, else with the UTC day in which the bar opened."""
    if is_daily:
        return closed_at
    return datetime(opened_at.year, opened_at.month, opened_at.day, tzinfo=UTC) + timedelta(days=1)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def _units(instrument: InstrumentSpec, price: Decimal | None) -> int:
    return 0 if price is None else instrument.price_units(price)
