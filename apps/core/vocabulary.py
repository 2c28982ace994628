"""Words that every app shares: sides, order types, modes, timeframes."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    """Once the stop is reached, a limit order."""
    TRAILING = "TRAILING"
    """A stop that follows the market at a distance and never loosens."""
    MARKET_ON_OPEN = "MARKET_ON_OPEN"
    MARKET_ON_CLOSE = "MARKET_ON_CLOSE"

    @property
    def takes_limit(self) -> bool:
        """Whether the order has a limit price."""
        return self in (OrderType.LIMIT, OrderType.STOP_LIMIT)

    @property
    def takes_stop(self) -> bool:
        """Whether the order has a stop price of its own."""
        return self in (OrderType.STOP, OrderType.STOP_LIMIT)

    @property
    def is_market(self) -> bool:
        """Whether the order has no price at all."""
        return self in (OrderType.MARKET, OrderType.MARKET_ON_OPEN, OrderType.MARKET_ON_CLOSE)


class TimeInForce(StrEnum):
    GTC = "GTC"
    """Good till cancelled."""
    DAY = "DAY"
    """Until the end of the session."""
    GTD = "GTD"
    """Until a time that the order names."""
    IOC = "IOC"
    """What does not fill at once is cancelled."""
    FOK = "FOK"
    """All at once or not at all."""


class TradingMode(StrEnum):
    PAPER = "paper"
    LIVE = "live"


class Direction(StrEnum):
    """What a strategy wants to hold."""

    LONG = "LONG"
    FLAT = "FLAT"
    SHORT = "SHORT"


class Timeframe(StrEnum):
    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def duration(self) -> timedelta:
        return _DURATIONS[self]

    @property
    def bars_per_year(self) -> float:
        """Bars in a year of a market that is open all the time; 252 for daily bars."""
        if self is Timeframe.D1:
            return 252.0
        return timedelta(days=365) / self.duration


_DURATIONS = {
    Timeframe.M1: timedelta(minutes=1),
    Timeframe.M5: timedelta(minutes=5),
    Timeframe.M15: timedelta(minutes=15),
    Timeframe.H1: timedelta(hours=1),
    Timeframe.H4: timedelta(hours=4),
    Timeframe.D1: timedelta(days=1),
}
