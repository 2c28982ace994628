"""Every order and decision of a run explains itself: its page is crawled and each value compared with the stored row."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from tests.invariants import resume, settle
from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop
from tests.system import RunningSystem, wait_until

VALUE = re.compile(r'data-field="([^"]*)" data-value="([^"]*)"')
RUN_BARS = 600
PLACES = ("decision", "signal", "forecast", "sizing", "order", "features", "check", "bars")


def fields_of(page: str) -> dict[str, str]:
    """The stored values that a page shows, by field name."""
    return {html.unescape(name): html.unescape(value) for name, value in VALUE.findall(page)}


def flatten(value: Any, prefix: str) -> dict[str, Any]:
    """Nested JSON as dotted names."""
    if isinstance(value, dict):
        return {name: item for key, part in value.items() for name, item in flatten(part, f"{prefix}.{key}").items()}
    return {prefix: value}


def same(shown: str, stored: Any) -> bool:
    """Equal as text or, for numbers, exactly equal in value."""
    if stored is None:
        return shown == ""
    if isinstance(stored, bool):
        return shown.lower() == str(stored).lower()
    try:
        return float(shown) == float(stored)
    except (TypeError, ValueError):
        return shown == str(stored)


def stored_decision(row: dict[str, Any]) -> dict[str, Any]:
    """What a why page must show of a decision row."""
    wanted = (
        flatten(row["features"], "features")
        | flatten(row["signal"], "signal")
        | flatten(row["sizing"], "sizing")
        | flatten(row["parameters"], "parameters")
    )
    for check in row["checks"]:
        wanted |= {f"check.{check['code']}.{name}": check[name] for name in ("value", "limit", "passed", "message")}
    for index in range(len(row["bars"]["close"])):
        wanted |= {f"bars.{index}.{name}": row["bars"][name][index] for name in ("open", "high", "low", "close", "volume")}
    if row["forecast"] is not None:
        wanted |= {
            f"forecast.{name}": row["forecast"][name] for name in ("expected_return", "lower", "upper", "probability_up", "confidence")
        }
        wanted["forecast.model_id"] = row["forecast"]["model_id"]
    else:
        wanted |= flatten(row["forecast_refusal"], "forecast_refusal")
    return wanted


DECISIONS = """
    SELECT d.id::text, json_build_object('features', d.features, 'signal', d.signal, 'sizing', d.sizing, 'parameters', d.parameters, 'checks', d.checks,
        'bars', d.bars, 'forecast', (SELECT row_to_json(f) FROM forecasts_forecast f WHERE f.id = d.forecast_id),
        'forecast_refusal', d.forecast_refusal, 'outcome', d.outcome, 'sentence', d.sentence, 'order_id', d.order_id)::text
    FROM strategies_decision d
"""
SKIPPED_FIELDS = {"signal.is_refused"}


def compare(page: str, row: dict[str, Any]) -> list[str]:
    """What the page shows wrongly or not at all."""
    shown = fields_of(page)
    wrong = []
    for name, stored in stored_decision(row).items():
        if name in SKIPPED_FIELDS:
            continue
        if name not in shown:
            wrong.append(f"{name} is not shown")
        elif not same(shown[name], stored):
            wrong.append(f"{name}: shown {shown[name]!r}, stored {stored!r}")
    if html.escape(row["sentence"], quote=False) not in page and html.escape(row["sentence"]) not in page:
        wrong.append("the sentence is not shown")
    return wrong


def crawl(system: RunningSystem, *, limit: int | None = None) -> tuple[int, int, list[str]]:
    """Every order's page, and every decision's; returns how many of each and what was wrong."""
    wrong: list[str] = []
    stored = {decision_id: json.loads(text) for decision_id, text in system.query(DECISIONS)}
    orders = system.query("SELECT id::text, decision_id::text FROM orders_order WHERE status = 'FILLED' ORDER BY id")[:limit]
    for order_id, decision_id in orders:
        page = system.get(f"/orders/{order_id}/")
        shown = fields_of(page)
        if decision_id:
            wrong += [f"order {order_id}: {item}" for item in compare(page, stored[decision_id])]
        wrong += [f"order {order_id}: {item}" for item in wrong_fills(system, order_id, page)]
        for name, value in _order_values(system, order_id).items():
            if not same(shown.get(name, "absent"), value):
                wrong.append(f"order {order_id}: {name} shown {shown.get(name)!r}, stored {value!r}")
    decisions = sorted(stored)[:limit]
    for decision_id in decisions:
        wrong += [f"decision {decision_id}: {item}" for item in compare(system.get(f"/decisions/{decision_id}/"), stored[decision_id])]
    return len(orders), len(decisions), wrong


def _order_values(system: RunningSystem, order_id: str) -> dict[str, Any]:
    row = system.query(
        "SELECT quantity::text, filled_quantity::text, status, side, client_order_id FROM orders_order WHERE id = %s", [order_id]
    )[0]
    names = ("quantity", "filled_quantity", "status", "side", "client_order_id")
    return {f"order.{name}": value for name, value in zip(names, row, strict=True)}


def wrong_fills(system: RunningSystem, order_id: str, page: str) -> list[str]:
    """Fills that the page shows otherwise than they are stored, whatever their order."""
    columns = ("quantity", "price", "fee", "venue_trade_id")
    shown = zip(
        *([html.unescape(value) for name, value in VALUE.findall(page) if name == f"fill.{column}"] for column in columns), strict=True
    )
    rows = system.query("SELECT quantity::text, price::text, fee::text, venue_trade_id FROM orders_fill WHERE order_id = %s", [order_id])
    by_trade = {row[-1]: row for row in rows}
    wrong = [f"a fill is shown as {item}" for item in shown if not all(map(same, item, by_trade.pop(item[-1], ("", "", "", ""))))]
    return wrong + [f"fill {trade} is not shown" for trade in by_trade]


@proof(
    cap="spine",
    name="why-crawl",
    line="Every order and decision of a ten-minute run opens a why page equal to the stored rows",
    bound="0 differences",
)
def why_pages(workshop: Workshop) -> Measured:
    system = workshop.system
    played = "SELECT max(bars_done) FROM markets_venueclock WHERE status <> 'ARCHIVED'"
    wait_until(lambda: (system.try_value(played) or 0) >= RUN_BARS, within=900, what=f"{RUN_BARS} bars")
    settle(system)
    orders, decisions, wrong = crawl(system)
    silent = system.value("SELECT count(*) FROM strategies_decision WHERE outcome <> 'TRADE' AND length(sentence) < 20")
    resume(system)
    value = f"{orders} orders, {decisions} decisions, {len(wrong)} differences, {silent} silent non-trades"
    return Measured(value, not wrong and not silent and orders > 0, tuple(wrong[:8]))
