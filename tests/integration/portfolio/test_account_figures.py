"""All figures and the tear sheet of a stored account: the same code as a backtest's, fed from its rows."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.core.ports import port
from apps.core.vocabulary import Side
from apps.markets.models import Instrument
from apps.orders.ports import FillSink
from apps.portfolio import selectors
from apps.portfolio.domain.metrics import FIGURES
from apps.portfolio.models import ClosedTrade
from tests.factories.trading_world import FIRST_CLOSE, World, add_bar, open_world
from tests.integration.portfolio.fills import make_fill

CLOSES = [100 + day % 4 for day in range(30)]
pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    """A thousand shares of the first instrument from the second bar to the last; the second instrument is an index."""
    world = open_world(symbols=2)
    Instrument.objects.filter(id=world.instruments[1].id).update(asset_class="index")
    port(FillSink).book_fill(make_fill(world, Side.BUY, "1000", "100", fee="0"))
    for close in CLOSES:
        port(FillSink).mark_to_market(world.account_id, at=add_bar(world, *[str(close)] * 4))
    return world


def figures(world: World) -> dict[str, float | None]:
    return {figure.definition.key: figure.value for figure in selectors.figures(world.account_id)}


def test_every_figure_follows_from_the_rows(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.SELL, "1000", "104", fee="10"))
    port(FillSink).mark_to_market(world.account_id, at=add_bar(world, *["104"] * 4))
    found = figures(world)
    assert list(found) == list(FIGURES)
    assert found["total_return"] == pytest.approx(3990 / 1_000_000)
    cheap = selectors.performance(world.account_id)
    assert (found["sharpe"], found["volatility"], found["max_drawdown"]) == (cheap.sharpe, cheap.volatility, cheap.max_drawdown)
    assert (found["trades"], found["expectancy"], found["largest_win"], found["fees"]) == (1, 3990.0, 3990.0, 10.0)
    assert found["average_trade_return"] == pytest.approx(3990 / 100_000)
    assert (found["signal_share"], found["signal_average"], found["stop_share"]) == (1.0, 3990.0, 0.0)
    assert found["benchmark_return"] == pytest.approx(0.04)
    assert found["index_beta"] == pytest.approx(0.1, rel=0.05)
    assert found["index_correlation"] == pytest.approx(1.0, abs=0.02)
    assert found["time_in_market"] == pytest.approx(30 / 31)
    assert found["turnover"] == pytest.approx(204_000 / 1_001_600 * found_year(world) / 31, rel=1e-3)


def found_year(world: World) -> float:
    return float(selectors.tear_sheet(world.account_id)["span"]["days_per_year"])


def test_a_short_that_was_stopped_is_told_from_a_long_that_was_not(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.SELL, "1500", "104", fee="0"))
    port(FillSink).book_fill(make_fill(world, Side.BUY, "500", "106", fee="0"))
    ClosedTrade.objects.filter(quantity__lt=0).update(exit_reason="STOP_TRIGGERED")
    port(FillSink).mark_to_market(world.account_id, at=add_bar(world, *["104"] * 4))
    sheet = selectors.tear_sheet(world.account_id)
    assert json.loads(json.dumps(sheet, allow_nan=False)) == sheet
    assert [(row["side"], row["trades"], row["earned"]) for row in sheet["trades"]["sides"]] == [("long", 1, 4000.0), ("short", 1, -1000.0)]
    assert [(row["reason"], row["earned"]) for row in sheet["exits"]] == [("signal", 4000.0), ("stop", -1000.0)]
    assert sheet["trades"]["worst"][0]["entry_value"] == 52_000.0
    assert [other["label"] for other in sheet["benchmarks"]] == ["SYM0 bought and held", "SYM1"]
    assert sheet["benchmarks"][0]["points"][-1][1] == pytest.approx(1_040_000)
    assert sheet["span"]["from"] == FIRST_CLOSE.isoformat()
    assert sheet["span"]["to"] == (FIRST_CLOSE + timedelta(days=31)).isoformat()


def test_an_account_that_has_not_traded_has_only_the_index_to_compare_with() -> None:
    world = open_world()
    found = figures(world)
    assert (found["total_return"], found["trades"], found["benchmark_return"], found["index_return"]) == (None, 0, None, None)
    sheet = selectors.tear_sheet(world.account_id)
    assert (sheet["benchmarks"], sheet["exits"], sheet["months"]) == ([], [], [])
    assert sheet["equity"] == [[int(FIRST_CLOSE.timestamp()), 1_000_000.0]]


def test_figures_take_few_queries_however_long_the_account_lived(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(30):
        selectors.figures(world.account_id)


def test_round_trips_tell_what_they_were_entered_for(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.SELL, "1000", "104", fee="10"))
    trade = selectors.closed_trades(world.account_id)[0]
    assert (trade.entry_value, trade.exit_reason) == (Decimal(100_000), "MARKET_AT_OPEN")
