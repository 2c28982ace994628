"""Fills that orders has stored, ready to be booked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side
from apps.orders.contracts import FillRecord, Liquidity
from apps.orders.models import Fill
from tests.factories.trading_world import World, place


def make_fill(
    world: World,
    side: Side = Side.BUY,
    quantity: str = "10",
    price: str = "100",
    *,
    fee: str = "1",
    fee_asset: str = "USD",
    instrument: InstrumentSpec | None = None,
) -> FillRecord:
    """Store an order with one fill of all of it, and return the fill as the sink gets it."""
    spec = instrument or world.instrument
    order_id = place(world, side, quantity, instrument=spec)
    row = Fill.objects.create(
        order_id=order_id,
        account_id=world.account_id,
        instrument_id=spec.id,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        fee_asset=fee_asset,
        liquidity=Liquidity.TAKER,
        reason="MARKET_AT_OPEN",
        venue_order_id=str(order_id),
        venue_trade_id="1",
        occurred_at=world.now_at + timedelta(hours=1),
    )
    return FillRecord(
        id=row.id, order_id=order_id, account_id=world.account_id, instrument=spec, side=side, quantity=row.quantity, price=row.price,
        fee=row.fee, fee_asset=fee_asset, venue_order_id=row.venue_order_id, venue_trade_id="1", occurred_at=row.occurred_at,
        liquidity=Liquidity.TAKER, reason=row.reason,
    )  # fmt: skip
