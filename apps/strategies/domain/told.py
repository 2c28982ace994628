"""What an event strategy is told: bars, quotes, trades of others, depth, and its own fills.

Prices are floats, times microseconds since 1970 UTC, sizes in units of the instrument. `index` counts the events of a run from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.orders.domain.engine_codes import Reason


class BarEvent:
    """A closed bar of the instrument `symbol`. Prices are floats, `at` is its close and `opened_at` its opening in microseconds since 1970 UTC,
    `index` counts from the first bar told of that instrument. The volume is in units of the instrument, below zero where it is not known."""

    __slots__ = ("at", "close", "high", "index", "low", "open", "opened_at", "symbol", "volume")

    def __init__(  # noqa: PLR0917
        self, index: int, at: int, open: float, high: float, low: float, close: float, volume: float, opened_at: int, symbol: str
    ) -> None:
        self.index = index
        self.at = at
        self.opened_at = opened_at
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
        self.symbol = symbol


class QuoteEvent:
    """The best bid and ask. Sizes are in units of the instrument, below zero where they are not known."""

    __slots__ = ("ask", "ask_size", "at", "bid", "bid_size", "index")

    def __init__(  # noqa: PLR0917
        self, index: int, at: int, bid: float, ask: float, bid_size: float = -1.0, ask_size: float = -1.0
    ) -> None:
        self.index = index
        self.at = at
        self.bid = bid
        self.ask = ask
        self.bid_size = bid_size
        self.ask_size = ask_size


class TradeEvent:
    """A trade of others. The size is in units of the instrument, `side` that of who took: 1 bought, -1 sold, 0 is not known."""

    __slots__ = ("at", "index", "price", "side", "size")

    def __init__(self, index: int, at: int, price: float, size: float, side: int = 0) -> None:
        self.index = index
        self.at = at
        self.price = price
        self.size = size
        self.side = side


class DepthEvent:
    """A depth snapshot: (price, quantity) of each level, best first, in units of the instrument."""

    __slots__ = ("asks", "at", "bids", "index")

    def __init__(self, index: int, at: int, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> None:
        self.index = index
        self.at = at
        self.bids = bids
        self.asks = asks

    @property
    def bid(self) -> float:
        """The best bid."""
        return self.bids[0][0]

    @property
    def ask(self) -> float:
        """The best ask."""
        return self.asks[0][0]


@dataclass(frozen=True, slots=True)
class FillEvent:
    """A trade of the strategy's own. `order` is the ticket that `buy` or `sell` returned, or that of a protection."""

    order: int
    at: int
    side: int
    quantity: Decimal
    price: Decimal
    fee: Decimal
    reason: Reason
    tag: int
    symbol: str
