"""A market with a year and a half of daily bars, and a runner that trades on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from apps.backtests.contracts import RunConfig, RunMode
from apps.backtests.domain import runners
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.candles import candles
from apps.markets.contracts import CandleSource, ClockStatus, VenueKind
from apps.markets.domain.bars import CandleBatch, from_micros
from apps.markets.models import Instrument, Venue, VenueClock
from tests.factories.windows import COLUMNS, make_window
from tests.integration.backtests.cross_runner import KIND, install

BARS = 400


@dataclass(frozen=True)
class Market:
    venue: Venue
    spec: InstrumentSpec

    def config(self, **changes: Any) -> RunConfig:
        """A run of the test strategy over all bars."""
        parameters = {} if changes.get("strategy", KIND) != KIND else {"fast": 3, "slow": 8, **changes.pop("parameters", {})}
        changes.pop("parameters", None)
        given = {"strategy": KIND, "timeframe": Timeframe.D1, "mode": RunMode.EVENT, "instrument_ids": (self.spec.id,), **changes}
        return RunConfig(parameters=parameters, **given)


def prices(count: int, *, seed: int = 7) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Closes of a random walk in price units of a millionth, on a grid of a hundredth."""
    steps = np.random.default_rng(seed).normal(0.0005, 0.012, count)
    return np.rint(100.0 * np.exp(np.cumsum(steps)) * 100).astype(np.int64) * 10_000


@pytest.fixture
def cross_runner() -> Iterator[None]:
    runners.modes()
    before = dict(runners._registry)
    install()
    yield
    runners._registry.clear()
    runners._registry.update(before)


@pytest.fixture
def market(request: pytest.FixtureRequest, cross_runner: None) -> Market:
    """Needs the database of the test."""
    return open_market()


def open_market(*, bars: int = BARS, seed: int = 7) -> Market:
    closes = prices(bars, seed=seed)
    opens = np.concatenate([closes[:1], closes[:-1]])
    high, low = np.maximum(closes, opens) + 100_000, np.minimum(closes, opens) - 100_000
    window = make_window(closes, open=opens, high=high, low=low)
    venue = Venue.objects.create(code=f"lib-{Venue.objects.count() + 1}", name="Library", kind=VenueKind.LIBRARY, source="files")
    VenueClock.objects.create(venue=venue, status=ClockStatus.RUNNING, now_at=from_micros(int(window.closed_at[-1])))
    row = Instrument.objects.create(
        venue=venue, symbol="TEST", name="Test", base_asset="TEST", price_scale=6, tick_size=Decimal("0.01"), lot_size=Decimal(1),
        min_quantity=Decimal(1), max_price=Decimal(10_000), max_quantity=Decimal(100_000),
    )  # fmt: skip
    batch = CandleBatch(*(getattr(window, name) for name in COLUMNS))
    candles().write([(row.id, batch)], scope=venue.id, timeframe=Timeframe.D1, source=CandleSource.FILES)
    return Market(venue, row.spec())
