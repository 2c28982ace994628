"""Between the rows of the simulated venue, the matching domain and the broker port (pure)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.markets.contracts import Bar
from apps.orders.contracts import Amendment, Liquidity
from apps.orders.domain.costs import Costs
from apps.orders.domain.matching import BarRange, Match, RestingOrder
from apps.orders.models import SimulatedAccount, SimulatedFill, SimulatedOrder
from apps.orders.ports import NOTHING_TOLD, BrokerFill, BrokerOrder, BrokerOrderState, VenueOrderStatus


def to_row(order: BrokerOrder, *, account_id: UUID, accepted_at: datetime) -> SimulatedOrder:
    """The venue's row of an order that it accepts now."""
    return SimulatedOrder(
        account_id=account_id,
        client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        side=order.side,
        accepted_at=accepted_at,
        **asdict(order.terms),
    )


def to_resting(row: SimulatedOrder) -> RestingOrder:
    """What the matching function needs of a row."""
    return RestingOrder(
        side=Side(row.side),
        order_type=OrderType(row.order_type),
        remaining=row.quantity - row.filled,
        limit_price=row.limit_price,
        stop_price=row.stop_price,
        accepted_at=row.accepted_at,
        day_ends_at=row.day_ends_at,
    )


def to_range(bar: Bar) -> BarRange:
    """What the matching function needs of a bar."""
    return BarRange(opened_at=bar.opened_at, closed_at=bar.closed_at, open=bar.open, high=bar.high, low=bar.low)


def to_costs(account: SimulatedAccount) -> Costs:
    """The account's costs; raises InvalidInput if somebody set them off the grid."""
    return Costs.from_bps(fee_bps=account.fee_bps, spread_bps=account.spread_bps, slippage_bps=account.slippage_bps)


def to_fill_row(order: SimulatedOrder, outcome: Match, *, sequence: int, at: datetime) -> SimulatedFill:
    """The venue's record of a trade; the trade id follows from the order and the bar alone, so it is the same whoever matches."""
    return SimulatedFill(
        account_id=order.account_id,
        sequence=sequence,
        order=order,
        venue_trade_id=f"{order.venue_order_id}-{int(at.timestamp())}",
        quantity=outcome.quantity,
        price=outcome.price,
        fee=outcome.fee,
        liquidity=outcome.reason.liquidity,
        reason=outcome.reason.name,
        occurred_at=at,
    )


def is_day_order(row: SimulatedOrder) -> bool:
    """Whether the order ends with its session."""
    return row.time_in_force == TimeInForce.DAY


def to_state(row: SimulatedOrder) -> BrokerOrderState:
    """The port's view of a row."""
    return BrokerOrderState(
        client_order_id=row.client_order_id,
        venue_order_id=str(row.venue_order_id),
        status=VenueOrderStatus(row.status),
        filled=row.filled,
        reason=row.reason,
        terms=_told(row),
    )


def _told(row: SimulatedOrder) -> Amendment:
    """With what the order works or has filled; of one that ended otherwise there is nothing to tell."""
    if row.status in (VenueOrderStatus.CANCELLED, VenueOrderStatus.EXPIRED, VenueOrderStatus.REJECTED):
        return NOTHING_TOLD
    return Amendment(row.quantity, row.limit_price, row.stop_price, row.trail_amount, row.trail_percent)


def to_fill(row: SimulatedFill, *, fee_asset: str) -> BrokerFill:
    """The port's view of a trade."""
    return BrokerFill(
        sequence=row.sequence,
        client_order_id=row.order.client_order_id,
        venue_order_id=str(row.order_id),
        venue_trade_id=row.venue_trade_id,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_asset=fee_asset,
        liquidity=Liquidity(row.liquidity),
        reason=row.reason,
        occurred_at=row.occurred_at,
    )
