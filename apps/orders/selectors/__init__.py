"""Reads of orders, fills and the simulated book."""

from apps.orders.selectors.audit import Difference, audit
from apps.orders.selectors.orders import (
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
