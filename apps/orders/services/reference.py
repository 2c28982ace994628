"""What the market last said of an instrument, for the gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.core.values import InstrumentSpec
from apps.markets.selectors import bar_window, venue


@dataclass(frozen=True)
class MarketReference:
    """Closes of the last two bars; None where there is no bar. `data_age_bars` counts bars behind the venue's clock."""

    market_at: datetime
    last_close: Decimal | None
    previous_close: Decimal | None
    data_at: datetime | None
    data_age_bars: int | None


def market_reference(instrument: InstrumentSpec) -> MarketReference:
    """The newest stored bars of `instrument` against the clock of its venue."""
    clock = venue(instrument.venue_id)
    window = bar_window(instrument, clock.timeframe, until=None, count=2)
    if not len(window):
        return MarketReference(clock.now_at, None, None, None, None)
    behind = clock.now_at - window.last_closed_at
    return MarketReference(
        market_at=clock.now_at,
        last_close=instrument.price(window.close[-1]),
        previous_close=instrument.price(window.close[-2]) if len(window) > 1 else None,
        data_at=window.last_closed_at,
        data_age_bars=max(0, behind // clock.timeframe.duration),
    )
