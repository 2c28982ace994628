"""Every number on every why page is the stored one, and the chain of each filled order is whole."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from apps.access.models import User
from apps.dashboard.domain.formatting import raw
from apps.forecasts.models import Forecast
from apps.orders.models import Fill, Order
from apps.risk.models import RiskVerdict
from apps.strategies.models import Decision
from tests.world import World

BARS = 12


class Values(HTMLParser):
    """Every data-field of a page with its values, and every link."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.links: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "data-field" in found:
            self.fields.setdefault(found["data-field"] or "", []).append(found.get("data-value") or "")
        if tag == "a":
            self.links.add(found.get("href") or "")

    def one(self, field: str) -> str:
        assert len(set(self.fields[field])) == 1, field
        return self.fields[field][0]


@pytest.fixture
def world(transactional_db: None) -> World:
    world = World(train=True)
    world.step(BARS)
    return world


def expected_of_decision(row: Decision) -> dict[str, Any]:
    """What the page of a decision must show."""
    expected: dict[str, Any] = {
        "decision.position_before": row.position_before,
        "decision.bars_used": row.bars_used,
        "decision.data_hash": row.data_hash,
        "decision.decided_at": row.decided_at,
        "decision.duration_ms": row.duration_ms,
        "decision.code_version": row.code_version,
    }
    if row.risk_factor is not None:
        expected["decision.risk_factor"] = row.risk_factor
    for name in ("direction", "strength", "confidence", "reason"):
        if row.signal:
            expected[f"signal.{name}"] = row.signal[name]
    expected |= {f"parameters.{name}": value for name, value in row.parameters.items()}
    expected |= {f"features.{name}": value for name, value in row.features.items()}
    expected |= {f"forecast_refusal.{name}": value for name, value in row.forecast_refusal.items()}
    if row.sizing:
        expected |= {"sizing.quantity": row.sizing["quantity"], "sizing.reason": row.sizing["reason"]}
        expected |= {f"sizing.inputs.{name}": value for name, value in row.sizing["inputs"].items()}
    for check in row.checks:
        expected |= {f"check.{check['code']}.{name}": check[name] for name in ("code", "passed", "value", "limit", "message")}
    for index, _ in enumerate(row.bars["close"]):
        expected |= {f"bars.{index}.{name}": row.bars[name][index] for name in ("closed_at", "open", "high", "low", "close", "volume")}
    if row.verdict_id is not None:
        expected |= {"verdict.id": row.verdict_id, "verdict.approved": RiskVerdict.objects.get(id=row.verdict_id).approved}
    return expected


def expected_of_forecast(row: Forecast) -> dict[str, Any]:
    names = (
        "id",
        "expected_return",
        "lower",
        "upper",
        "coverage",
        "probability_up",
        "confidence",
        "horizon_bars",
        "as_of",
        "model_id",
        "trend",
    )
    return {f"forecast.{name}": getattr(row, name) for name in names} | {
        "forecast.learner": row.model.learner,
        "forecast.model_label": str(row.model),
    }


def expected_of_order(row: Order) -> dict[str, Any]:
    names = (
        "side", "quantity", "order_type", "filled_quantity", "limit_price", "stop_price", "status", "time_in_force", "mode", "market_at",
        "is_reducing", "origin", "reason", "client_order_id", "venue_order_id",
    )  # fmt: skip
    expected = {f"order.{name}": getattr(row, name) for name in names}
    history = row.history.order_by("sequence")
    return expected | {f"history.{step.sequence}.to_status": step.to_status for step in history}


def assert_shown(values: Values, expected: dict[str, Any]) -> None:
    wrong = {
        name: (values.fields.get(name), raw(value)) for name, value in expected.items() if values.fields.get(name, [None])[0] != raw(value)
    }
    assert wrong == {}


def test_every_page_of_a_run_shows_what_is_stored(world: World, client: Client) -> None:
    client.force_login(User.objects.create_user("vic", role="viewer"))
    decisions = list(Decision.objects.select_related("forecast__model"))
    assert len(decisions) == 7 * BARS
    for row in decisions:
        values = Values(client.get(f"/decisions/{row.id}/").content.decode())
        assert_shown(values, expected_of_decision(row))
        if row.forecast is not None:
            assert_shown(values, expected_of_forecast(row.forecast))
            assert f"/models/#model-{row.forecast.model_id}" in values.links
        assert row.sentence
    orders = list(Order.objects.all())
    assert orders
    for order in orders:
        values = Values(client.get(f"/orders/{order.id}/").content.decode())
        assert_shown(values, expected_of_order(order))
        assert_shown(values, expected_of_decision(Decision.objects.get(order_id=order.id)))
        fills = list(Fill.objects.filter(order=order).order_by("id"))
        for name in ("quantity", "price", "fee", "fee_asset", "reason", "venue_trade_id", "occurred_at"):
            assert values.fields.get(f"fill.{name}", []) == [raw(getattr(fill, name)) for fill in fills]
        assert len(values.fields.get("entry.id", [])) == len(fills)


def test_a_past_run_is_read_only_and_whole(world: World, client: Client) -> None:
    client.force_login(User.objects.create_user("ada", role="admin", is_superuser=True))
    order = Order.objects.order_by("id").first()
    assert order is not None
    old_code = world.venue.code
    World()
    page = client.get(f"/?venue={old_code}").content.decode()
    assert "Reading the past run" in page
    assert 'data-transport="toggle"' not in page
    assert "/sessions/" not in page
    assert "Reading the past run" in client.get(f"/orders/{order.id}/").content.decode()
    runs = client.get("/replays/").content.decode()
    assert f"?venue={old_code}" in runs
    assert client.get("/?venue=no-such-run").status_code == 404
