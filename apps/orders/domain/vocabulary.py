"""Words of orders: states, origins, liquidity."""

from __future__ import annotations

from enum import StrEnum


class OrderStatus(StrEnum):
    PENDING = "PENDING"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    WAITING = "WAITING"
    """The venue has it, and it waits for its parent to fill."""
    ACKNOWLEDGED = "ACKNOWLEDGED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    CANCEL_PENDING = "CANCEL_PENDING"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_open(self) -> bool:
        """Whether the order may still trade."""
        return self in OPEN_STATUSES


OPEN_STATUSES = frozenset(
    {
        OrderStatus.PENDING,
        OrderStatus.SENDING,
        OrderStatus.UNKNOWN,
        OrderStatus.WAITING,
        OrderStatus.ACKNOWLEDGED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.CANCEL_PENDING,
    }
)


UNSETTLED_STATUSES = frozenset({OrderStatus.PENDING, OrderStatus.SENDING, OrderStatus.UNKNOWN})
"""The venue has not taken the order yet, as far as we know."""


AT_THE_VENUE = (OrderStatus.WAITING, OrderStatus.ACKNOWLEDGED, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCEL_PENDING)
"""The venue has the order, and it has not ended."""


class AmendmentStatus(StrEnum):
    """What became of the wish to change an order."""

    REQUESTED = "REQUESTED"
    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"


class VenueProfile(StrEnum):
    """By whose rules the simulated venue fills orders against bars."""

    DEFAULT = "default"
    IDEAL = "ideal"
    FREQTRADE = "freqtrade"
    LEAN = "lean"


class SlippageChoice(StrEnum):
    """How what an order pays beyond the price grows with its size."""

    FIXED = "FIXED"
    VOLUME_SHARE = "VOLUME_SHARE"
    SQUARE_ROOT = "SQUARE_ROOT"


class OrderOrigin(StrEnum):
    SESSION = "SESSION"
    MANUAL = "MANUAL"
    HALT = "HALT"
    VENUE = "VENUE"
    """The venue closed what the account could not carry any more."""


class Liquidity(StrEnum):
    MAKER = "MAKER"
    TAKER = "TAKER"
