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
from apps.orders.selectors.origins import fills_after, fills_by_id, orders_of_origins, unanswered_wishes

__all__ = [
    "Difference",
    "amendments",
    "audit",
    "fills",
    "fills_after",
    "fills_by_id",
    "has_open_order",
    "matched_through",
    "open_orders",
    "order",
    "order_detail",
    "order_history",
    "orders",
    "orders_of_origins",
    "session_position",
    "standings",
    "unanswered_wishes",
    "unsent_intents",
]
