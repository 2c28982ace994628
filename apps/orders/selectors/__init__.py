"""Reads of orders, fills and the simulated book."""

from apps.orders.selectors.audit import Difference, audit
from apps.orders.selectors.orders import (
    amendments,
    fills,
    has_open_order,
    matched_through,
    open_orders,
    order,
    order_detail,
    order_history,
    orders,
    session_position,
    standings,
    unsent_intents,
)

__all__ = [
    "Difference",
    "amendments",
    "audit",
    "fills",
    "has_open_order",
    "matched_through",
    "open_orders",
    "order",
    "order_detail",
    "order_history",
    "orders",
    "session_position",
    "standings",
    "unsent_intents",
]
