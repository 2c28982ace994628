"""The order calls of an event strategy on one bar, in words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.dashboard.domain.formatting import plain, words
from apps.dashboard.selectors.shapes import CallShown
from apps.orders.domain.engine_codes import EngineOrderType, Reason
from apps.orders.domain.reasons import sentence
from apps.strategies.selectors import DecisionView

_ASKED = frozenset({"submit", "cancel", "cancel_all", "amend"})


def calls_shown(decision: DecisionView | None, instrument: InstrumentSpec) -> tuple[CallShown, ...]:
    """Orders, cancels and changes that the strategy asked for, in their order; empty for other strategies."""
    if decision is None:
        return ()
    refused = decision.actions.get("refused_changes", {})
    asked = [call for call in decision.actions.get("calls", ()) if call["call"] in _ASKED]
    return tuple([_shown(call, instrument) for call in asked] + [_refused_change(*item) for item in refused.items()])


def _shown(call: dict[str, Any], instrument: InstrumentSpec) -> CallShown:
    if call["call"] == "submit":
        order_id = UUID(call["order_id"]) if call["order_id"] else None
        return CallShown(_order(call["order"], instrument), call["refusal"] or "Taken", order_id, order_id is None)
    if call["call"] == "cancel_all":
        what = "Cancel every exit" if call["only_exits"] else "Cancel everything open"
        return CallShown(what, f"{len(call['tickets'])} cancelled, {call['left']} left", None, False)
    reason = Reason(call["reason"])
    what = f"{'Cancel' if call['call'] == 'cancel' else 'Change'} order {call['ticket']}"
    return CallShown(what, "Asked" if reason is Reason.NONE else sentence(reason), None, reason is not Reason.NONE)


def _order(order: dict[str, int], instrument: InstrumentSpec) -> str:
    side = "Buy" if order["side"] > 0 else "Sell"
    kind = words(EngineOrderType(order["order_type"]).name).lower()
    prices = [f"{name} {plain(instrument.price(order[name]))}" for name in ("limit", "stop", "trail") if name in order]
    prices += [
        f"{name} {order[key] / 10_000:g} %"
        for name, key in (("limit", "limit_ppm"), ("stop", "stop_ppm"), ("trail", "trail_ppm"))
        if key in order
    ]
    return ", ".join([f"{side} {plain(instrument.quantity(order['lots']))} {kind}", *prices])


def _refused_change(order_id: str, message: str) -> CallShown:
    return CallShown("Change an order", message, UUID(order_id), True)
