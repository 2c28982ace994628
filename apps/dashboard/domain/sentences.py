"""Events in words: one line each, from the payload alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.dashboard.domain.formatting import words

_LONGEST = 240
_IDS = ("_id",)
_LINKS = (("decision_id", "/decisions/{}/"), ("order_id", "/orders/{}/"), ("halt_id", "/halt/{}/"))
_TEMPLATES = {
    "trading.decision_made": "{sentence}",
    "trading.trade_executed": "{side} {quantity} {symbol} at {price}, fee {fee} {fee_asset}",
    "trading.order_executed": "{side} {quantity} {symbol} filled at {average_price} on average",
    "trading.signal_generated": "{symbol} {direction}: {reason}",
    "trading.risk_triggered": "{symbol} refused by {code}: {message}",
    "trading.emergency_stop": "Halt of {scope}: {reason}",
    "trading.position_opened": "{symbol}: {quantity} at {price}",
    "trading.position_closed": "{symbol}: realised {realised_pnl}",
    "trading.margin_called": "{account}: equity {equity}, {missing} less than the {required} asked for",
    "trading.margin_call_cleared": "{account}: cured with an equity of {equity}",
    "trading.performance_updated": "equity {equity}, cash {cash}",
    "market.data_received": "{venue}: {instruments} bars of {closed_at}",
    "market.clock_changed": "{venue}: {action}, {status} at {now_at}",
    "orders.order_created": "{side} {quantity} {symbol} {order_type}",
    "forecast.updated": "{symbol} over {horizon_bars} bars: {expected_return:+.2%}, up with {probability_up:.0%}, confidence {confidence:.0%}",
    "backtests.run_requested": "{strategy} on {symbols} {timeframe}",
    "backtests.run_finished": "{strategy} on {symbols} {timeframe}, {state} after {seconds:.1f} s: {message}",
    "backtests.sweep_requested": "{strategy} on {symbols}, {points} points",
    "backtests.sweep_finished": "{strategy} on {symbols}, {state} after {seconds:.1f} s: {message}",
    "backtests.parity_breached": "{account}: {message}",
    "backtests.parity_tolerance_changed": "tolerance of {account}: {new_value}, before {old_value}",
    "risk.factor_changed": "factor {risk_factor} {reasons}",
}


def sentence(event_type: str, payload: Mapping[str, Any]) -> str:
    """The event in words; an unknown type lists its fields without ids."""
    template = _TEMPLATES.get(event_type)
    try:
        text = template.format_map(payload) if template else ""
    except (KeyError, ValueError, IndexError):
        text = ""
    if not text:
        text = ", ".join(f"{name} {value}" for name, value in payload.items() if not name.endswith(_IDS) and value not in (None, ""))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def changes_in_words(changes: Mapping[str, Any]) -> str:
    """What a what-if changes: `Max order notional 100, confidence 0.6, from here on`."""
    parts = [f"{words(code)} {'off' if value is None else value}" for code, value in changes.get("limits", {}).items()]
    parts += [f"{words(name)} {value}" for name, value in changes.items() if name not in ("limits", "is_lasting")]
    text = ", ".join([parts[0], *(part[0].lower() + part[1:] for part in parts[1:])]) if parts else ""
    return f"{text}, from here on" if changes.get("is_lasting") else text


def path(payload: Mapping[str, Any]) -> str:
    """The page of what the event is about; empty if it has none."""
    return next((address.format(payload[name]) for name, address in _LINKS if payload.get(name)), "")
