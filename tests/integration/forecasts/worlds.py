"""A venue with real bars in the database, for tests of training and forecasting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.core.clock import FixedClock
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.forecasts.services import request_training, run_training
from apps.markets.candles import candles
from apps.markets.contracts import BarWindow, CandleSource, ClockStatus, VenueKind
from apps.markets.domain.bars import CandleBatch
from apps.markets.models import Instrument, Venue, VenueClock
from tests.factories.windows import COLUMNS, cut, real_window

NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


@dataclass
class World:
    venue: Venue
    specs: dict[str, InstrumentSpec]
    windows: dict[str, BarWindow]
    clock: FixedClock
    start: int

    @property
    def now_at(self) -> datetime:
        return VenueClock.objects.get(venue=self.venue).now_at

    def window(self, symbol: str = "NASDAQ") -> BarWindow:
        """The bars of an instrument with its real id."""
        stored = self.windows[symbol]
        return BarWindow(self.specs[symbol], Timeframe.D1, *(getattr(stored, name) for name in COLUMNS))

    def request(self, *symbols: str) -> UUID:
        with transaction.atomic():
            return request_training(
                venue_id=self.venue.id,
                instrument_ids=[self.specs[symbol].id for symbol in symbols or self.specs],
                trained_through=self.now_at,
                reason="test",
            )

    def train(self, *symbols: str) -> UUID:
        run_id = self.request(*symbols)
        assert run_training(run_id, clock=self.clock)
        return run_id

    def play(self, bars: int) -> None:
        """Move the venue's clock over the next bars of the data (they are stored as a replay would)."""
        for symbol in self.windows:
            whole, known = real_window(symbol.lower()), len(self.windows[symbol])
            stop = self.start + known + bars
            store(self, symbol, cut(whole, self.start + known, stop))
            self.windows[symbol] = cut(whole, self.start, stop)
        VenueClock.objects.filter(venue=self.venue).update(now_at=next(iter(self.windows.values())).last_closed_at)


def make_world(*symbols: str, bars: int = 900, status: ClockStatus = ClockStatus.RUNNING) -> World:
    """A replay venue with `bars` real days of each symbol (SP500, NASDAQ)."""
    names = symbols or ("NASDAQ",)
    windows = {symbol: real_window(symbol.lower(), bars=bars) for symbol in names}
    venue = Venue.objects.create(code=f"replay-{Venue.objects.count() + 1}", name="Replay", kind=VenueKind.REPLAY, source="bundled")
    VenueClock.objects.create(venue=venue, status=status, now_at=windows[names[0]].last_closed_at)
    world = World(venue, {}, windows, FixedClock(NOW), 3_500 - bars)
    for symbol in names:
        row = Instrument.objects.create(
            venue=venue, symbol=symbol, name=symbol, base_asset=symbol, price_scale=6, tick_size=Decimal("0.01"), lot_size=Decimal(1),
            min_quantity=Decimal(1), max_price=Decimal(10_000), max_quantity=Decimal(100_000),
        )  # fmt: skip
        world.specs[symbol] = row.spec()
        store(world, symbol, windows[symbol])
    return world


def store(world: World, symbol: str, window: BarWindow) -> None:
    batch = CandleBatch(*(getattr(window, name) for name in COLUMNS))
    candles().write([(world.specs[symbol].id, batch)], scope=world.venue.id, timeframe=Timeframe.D1, source=CandleSource.BUNDLED)


def later(world: World, seconds: float) -> datetime:
    """Move the wall clock of the test."""
    world.clock.set(world.clock.now() + timedelta(seconds=seconds))
    return world.clock.now()
