"""A small market of our own making with an account in it: bars are added one at a time, as a stream would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from apps.common.notify import Channel, notify
from apps.core.ids import client_order_id, uuid7
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, Timeframe, TimeInForce, TradingMode
from apps.markets.candles import candles
from apps.markets.contracts import CandleSource, ClockStatus, VenueKind
from apps.markets.domain.bars import CandleBatch
from apps.markets.models import Instrument, Venue, VenueClock
from apps.orders.contracts import OrderOrigin, OrderRequest
from apps.orders.services import place_order
from apps.portfolio.services import open_account

FIRST_CLOSE = datetime(2015, 1, 5, 21, tzinfo=UTC)
PRICE_SCALE = 4
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """Ids of what was opened."""

    venue_id: UUID
    account_id: UUID
    instruments: tuple[InstrumentSpec, ...]

    @property
    def instrument(self) -> InstrumentSpec:
        return self.instruments[0]

    @property
    def now_at(self) -> datetime:
        return VenueClock.objects.get(venue_id=self.venue_id).now_at


def open_world(*, symbols: int = 1, capital: Decimal = Decimal(1_000_000), close: str = "100") -> World:
    """A daily replay venue with one bar behind it and an account matched through that bar."""
    venue = Venue.objects.create(
        code=f"test-{uuid7().hex[-12:]}", name="Test market", kind=VenueKind.REPLAY, source="bundled", timeframe="1d"
    )
    VenueClock.objects.create(venue=venue, status=ClockStatus.RUNNING, now_at=FIRST_CLOSE - timedelta(days=1))
    instruments = tuple(_instrument(venue, index).spec() for index in range(symbols))
    account_id = open_account(name="Test account", venue_id=venue.id, initial_capital=capital, opened_at=FIRST_CLOSE)
    world = World(venue.id, account_id, instruments)
    add_bar(world, close, close, close, close)
    return world


def _instrument(venue: Venue, index: int) -> Instrument:
    return Instrument.objects.create(
        venue=venue, symbol=f"SYM{index}", name=f"Symbol {index}", base_asset=f"SYM{index}", price_scale=PRICE_SCALE,
        tick_size=Decimal("0.01"), lot_size=Decimal(1), min_quantity=Decimal(1), min_notional=Decimal(1),
        max_price=Decimal(100_000), max_quantity=Decimal(100_000),
    )  # fmt: skip


def add_bar(world: World, open_: str, high: str, low: str, close: str, *, volume: int = 1_000) -> datetime:
    """Store the next daily bar of every instrument and move the venue's clock to its close, which is returned."""
    clock = VenueClock.objects.get(venue_id=world.venue_id)
    closed_at = clock.now_at + timedelta(days=1)
    prices = [int(Decimal(price).scaleb(PRICE_SCALE)) for price in (open_, high, low, close)]
    row = [_micros(closed_at - timedelta(hours=6)), _micros(closed_at), *prices, volume, 0]
    batch = CandleBatch(*(np.array([value], np.int64) for value in row))
    candles().write(
        [(instrument.id, batch) for instrument in world.instruments],
        scope=world.venue_id,
        timeframe=Timeframe.D1,
        source=CandleSource.BUNDLED,
    )
    clock.now_at = closed_at
    clock.save(update_fields=["now_at"])
    notify(Channel.MARKET)
    return closed_at


def _micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def place(
    world: World,
    side: Side = Side.BUY,
    quantity: str = "10",
    *,
    origin: str = "",
    limit_price: str | None = None,
    stop_price: str | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
    instrument: InstrumentSpec | None = None,
    is_reducing: bool = False,
    origin_id: UUID | None = None,
    mode: TradingMode = TradingMode.PAPER,
    order_type: OrderType | None = None,
    **terms: Any,
) -> UUID:
    """Record an intent as a session would after the gate has passed it; the type follows from the prices given unless it is named."""
    order_type = order_type or (OrderType.LIMIT if limit_price else OrderType.STOP if stop_price else OrderType.MARKET)
    order_id = uuid7()
    return place_order(
        OrderRequest(
            id=order_id,
            client_order_id=client_order_id(account_id=world.account_id, origin=origin or str(order_id)),
            account_id=world.account_id,
            instrument=instrument or world.instrument,
            side=side,
            order_type=order_type,
            quantity=Decimal(quantity),
            mode=mode,
            market_at=world.now_at,
            origin=OrderOrigin.SESSION,
            is_reducing=is_reducing,
            time_in_force=time_in_force,
            limit_price=Decimal(limit_price) if limit_price else None,
            stop_price=Decimal(stop_price) if stop_price else None,
            origin_id=origin_id,
            reason="test",
            **terms,
        )
    )
