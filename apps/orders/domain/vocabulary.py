"""Words of orders: states, origins, liquidity."""

from __future__ import annotations

from enum import StrEnum


class OrderStatus(StrEnum):
    PENDING = "PENDING"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
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
        OrderStatus.ACKNOWLEDGED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.CANCEL_PENDING,
    }
)


UNSETTLED_STATUSES = frozenset({OrderStatus.PENDING, OrderStatus.SENDING, OrderStatus.UNKNOWN})
"""The venue has not taken the order yet, as far as we know."""


class OrderOrigin(StrEnum):
    SESSION = "SESSION"
    MANUAL = "MANUAL"
    HALT = "HALT"


class Liquidity(StrEnum):
    MAKER = "MAKER"
    TAKER = "TAKER"
