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


class TimeInForce(StrEnum):
    GTC = "GTC"
    DAY = "DAY"


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
