"""Every read over a replay that has really been played; every value is the stored one."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.common.throttling import WindowThrottle
from apps.markets.models import VenueClock
from apps.orders.models import Fill, Order
from apps.portfolio.domain.metrics import FIGURES
from apps.portfolio.models import EquitySnapshot, JournalEntry
from apps.risk.models import RiskVerdict
from apps.strategies.models import Decision, Strategy, TradingSession
from tests.world import World
from trading_system.api import OLDER_VIEWS, VIEWS

PLAYED_BARS = 12
DECIMAL = re.compile(r"-?\d+(\.\d*[1-9])?")
QUERIES = {"api/v1/candles": "?instrument=AAPL", "api/market/data": "?instrument=AAPL"}


@pytest.fixture
def played(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(WindowThrottle, "limit", 100_000)
    world = World()
    world.step(PLAYED_BARS)
    return world


def get(client: APIClient, address: str) -> Any:
    answer = client.get(f"/api/v1/{address}")
    assert answer.status_code == 200, (address, answer.content)
    return answer.json()


def test_every_read_without_an_id_answers(played: World, viewer: APIClient) -> None:
    """The one that has nothing to say before the sealer and the trainer have run says so with an empty list."""
    reads = [("api/v1/", VIEWS), ("api/", OLDER_VIEWS)]
    for prefix, views in reads:
        for route, view in views.items():
            if "<" in route or not hasattr(view, "get") or "get" not in view.http_method_names:
                continue
            answer = viewer.get(f"/{prefix}{route}{QUERIES.get(prefix + route, '')}")
            assert answer.status_code == 200, (route, answer.content)


def test_every_decision_says_everything_that_is_stored(played: World, viewer: APIClient) -> None:
    seen = 0
    cursor = ""
    while True:
        page = get(viewer, f"decisions/?limit=20{cursor}")
        for item in page["results"]:
            _compare_decision(get(viewer, f"decisions/{item['id']}/"), item)
            seen += 1
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == Decision.objects.count() == PLAYED_BARS * TradingSession.objects.count()


def _compare_decision(detail: dict[str, Any], item: dict[str, Any]) -> None:
    row = Decision.objects.get(id=detail["id"])
    assert {name: detail[name] for name in item} == item
    assert detail["sentence"] == row.sentence
    assert detail["features"] == row.features
    assert detail["checks"] == row.checks
    assert detail["signal"] == row.signal
    assert detail["bars"] == row.bars
    assert detail["sizing"] == row.sizing
    assert detail["parameters"] == row.parameters
    assert (Decimal(detail["close"]) if detail["close"] else None) == row.close
    assert detail["order_id"] == (str(row.order_id) if row.order_id else None)
    if row.forecast_id is None:
        assert detail["forecast"] is None
        assert detail["forecast_refusal"] == row.forecast_refusal != {}


def test_filled_order_leads_from_fill_to_bars(played: World, viewer: APIClient) -> None:
    fills = get(viewer, "fills/")["results"]
    assert len(fills) == Fill.objects.count() > 0
    for fill in fills:
        detail = get(viewer, f"orders/{fill['order_id']}/")
        assert fill in detail["fills"]
        assert detail["history"][0]["to_status"] == "PENDING"
        verdict = get(viewer, f"risk/verdicts/{detail['order']['verdict_id']}/")
        assert verdict["checks"] == RiskVerdict.objects.get(id=verdict["id"]).checks
        decision = get(viewer, f"decisions/{detail['order']['decision_id']}/")
        assert decision["order_id"] == detail["order"]["id"]
        assert decision["checks"] == verdict["checks"]
        newest = decision["bars"]["close"][-1]
        candles = get(viewer, f"candles/?instrument={decision['instrument_id']}&until={_query_time(decision['bar_at'])}&limit=1")
        assert Decimal(candles["results"][0]["close"]) == Decimal(newest)


def test_amounts_are_exact_strings(played: World, viewer: APIClient) -> None:
    order = get(viewer, "orders/")["results"][0]
    row = Order.objects.get(id=order["id"])
    assert DECIMAL.fullmatch(order["quantity"])
    assert Decimal(order["quantity"]) == row.quantity
    summary = get(viewer, "account/summary/")
    newest = EquitySnapshot.objects.order_by("-at")[0]
    for name in ("equity", "cash", "holdings_value", "fees"):
        assert DECIMAL.fullmatch(summary[name])
        assert Decimal(summary[name]) == getattr(newest, name)
    assert get(viewer, "portfolio/")["summary"] == summary


def test_equity_curve_and_journal_are_the_stored_ones(played: World, viewer: APIClient) -> None:
    curve = get(viewer, "equity/")["results"]
    stored = EquitySnapshot.objects.order_by("at")
    assert [(point["at"], Decimal(point["equity"])) for point in curve] == [(_json_time(row.at), row.equity) for row in stored]
    journal = get(viewer, "journal/?limit=200")["results"]
    assert len(journal) == JournalEntry.objects.count()
    for entry in journal:
        sums: dict[str, Decimal] = {}
        for line in entry["lines"]:
            sums[line["asset"]] = sums.get(line["asset"], Decimal(0)) + Decimal(line["amount"])
        assert set(sums.values()) == {Decimal(0)}


def test_figures_explain_themselves_and_the_tear_sheet_has_the_same(played: World, viewer: APIClient) -> None:
    performance, sheet = get(viewer, "performance/"), get(viewer, "performance/tear-sheet/")
    assert [figure["key"] for figure in performance["figures"]] == list(FIGURES)
    assert performance["figures"] == sheet["figures"]
    shown = {figure["key"]: figure for figure in performance["figures"]}
    assert (shown["max_drawdown"]["unit"], shown["max_drawdown"]["is_higher_better"]) == ("percent", False)
    assert shown["max_drawdown"]["value"] == performance["max_drawdown"]
    assert len(sheet["equity"]) == EquitySnapshot.objects.count()


@pytest.mark.parametrize("until", ["", "&until=2099-01-01", "&until=9999-12-31T23:59:59Z"])
def test_candles_end_at_the_venue_clock(played: World, viewer: APIClient, until: str) -> None:
    now_at = VenueClock.objects.get(venue_id=played.venue_id).now_at
    candles = get(viewer, f"candles/?instrument=AAPL&limit=5{until}")
    assert candles["venue_now_at"] == _json_time(now_at)
    assert candles["results"][-1]["closed_at"] == _json_time(now_at)
    assert [bar["is_closes_only"] for bar in candles["results"]] == [True] * 5


def test_candles_page_back_without_a_gap(played: World, viewer: APIClient) -> None:
    whole = get(viewer, "candles/?instrument=SP500&limit=10")["results"]
    newest = get(viewer, "candles/?instrument=SP500&limit=4")
    before = get(viewer, f"candles/?instrument=SP500&limit=6&until={newest['earlier_until']}")
    assert before["results"] + newest["results"] == whole


def test_every_list_with_a_cursor_pages_through_all_of_it_once(played: World, viewer: APIClient) -> None:
    stored = {
        "decisions": Decision.objects.count(),
        "orders": Order.objects.count(),
        "fills": Fill.objects.count(),
        "risk/verdicts": RiskVerdict.objects.count(),
        "journal": JournalEntry.objects.count(),
    }
    for name, count in stored.items():
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = get(viewer, f"{name}/?limit=2{cursor and f'&cursor={cursor}'}")
            seen += [row["id"] for row in page["results"]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == count > 0, name


def test_unknown_symbol_and_timeframe_are_refused(played: World, viewer: APIClient) -> None:
    assert viewer.get("/api/v1/candles/?instrument=NOPE").status_code == 404
    assert viewer.get("/api/v1/candles/").json()["errors"][0]["field"] == "instrument"
    assert "1m, 5m" in viewer.get("/api/v1/candles/?instrument=AAPL&timeframe=2d").json()["detail"]


def test_sessions_strategies_and_instruments_are_the_stored_ones(played: World, viewer: APIClient) -> None:
    sessions = get(viewer, "sessions/?state=RUNNING")["results"]
    assert {item["id"] for item in sessions} == {str(row.id) for row in TradingSession.objects.filter(state="RUNNING")}
    assert get(viewer, f"sessions/{sessions[0]['id']}/") == sessions[0]
    strategies = get(viewer, "strategies/")["results"]
    assert {item["name"] for item in strategies} == set(Strategy.objects.values_list("name", flat=True))
    for strategy in strategies:
        assert set(strategy["parameters"]) == {spec["name"] for spec in strategy["specs"]}
    instrument = get(viewer, "instruments/")["results"][0]
    assert get(viewer, f"instruments/{instrument['id']}/")["spec"] == instrument
    assert get(viewer, f"instruments/{instrument['id']}/quality/")["bars"] > 0


def _json_time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _query_time(text: str) -> str:
    return text.replace("+", "%2B")
