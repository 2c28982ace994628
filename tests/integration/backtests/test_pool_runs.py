"""Stored runs of several instruments on one account: every form, figures and tables of each, sweeps, walk forward, command and API."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.core.management import call_command

from apps.backtests import selectors, services
from apps.backtests.contracts import RecordKind, RunConfig, RunMode, RunState, ScoreMode, SweepMethod
from apps.backtests.domain.config import Sizing, SizingMethod, WalkForward
from apps.backtests.models import SweepChunk
from apps.backtests.services import sweeping
from apps.backtests.services.sweeping import execute_chunk
from apps.core.errors import InvalidInput, NotFound
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.candles import candles
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import CandleBatch
from apps.markets.models import Instrument
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, event_strategy
from apps.strategies.domain.event_strategy import _registry as event_registry
from tests.factories.windows import COLUMNS, make_window
from tests.integration.backtests.conftest import BARS, Market, open_market, prices
from tests.integration.backtests.test_api import client

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Nothing:
    """No parameters."""


CROSS = {"fast_bars": 3, "slow_bars": 8, "stop_loss_percent": 4.0}
RATE = Decimal("1.25")


@dataclass(frozen=True)
class Three:
    """TEST and LATE in dollars, EURO in euros; LATE has begun later and EURO has ended early."""

    market: Market
    specs: tuple[InstrumentSpec, ...]

    def config(self, **changes: Any) -> RunConfig:
        given: dict[str, Any] = {
            "strategy": "ema_cross", "mode": RunMode.VECTOR, "parameters": CROSS, "timeframe": Timeframe.D1, "rates": {"EUR": RATE},
            "instrument_ids": tuple(spec.id for spec in self.specs), "sizing": Sizing(method=SizingMethod.FRACTION, amount=Decimal("0.3")),
            "score": ScoreMode.PLAIN,
        }  # fmt: skip
        return RunConfig(**given | changes)


@pytest.fixture
def three(transactional_db: None) -> Three:
    market = open_market()
    return Three(market, (market.spec, added(market, "LATE", "USD", 3, slice(100, BARS)), added(market, "EURO", "EUR", 5, slice(0, 350))))


def added(market: Market, symbol: str, currency: str, seed: int, kept: slice) -> InstrumentSpec:
    closes = prices(BARS, seed=seed)
    opens = np.concatenate([closes[:1], closes[:-1]])
    window = make_window(closes, open=opens, high=np.maximum(closes, opens) + 100_000, low=np.minimum(closes, opens) - 100_000)
    row = Instrument.objects.create(
        venue=market.venue, symbol=symbol, name=symbol, base_asset=symbol, quote_asset=currency, price_scale=6, tick_size=Decimal("0.01"),
        lot_size=Decimal(1), min_quantity=Decimal(1), max_price=Decimal(10_000), max_quantity=Decimal(100_000),
    )  # fmt: skip
    batch = CandleBatch(*(getattr(window, name)[kept] for name in COLUMNS))
    candles().write([(row.id, batch)], scope=market.venue.id, timeframe=Timeframe.D1, source=CandleSource.FILES)
    return row.spec()


def made(config: RunConfig) -> UUID:
    run_id = services.request_run(config, "tester", is_queued=False)
    assert services.execute_run(run_id)
    assert selectors.run(run_id).summary.state is RunState.DONE, selectors.run(run_id).error
    return run_id


def test_both_forms_store_the_same_fills_and_tables_of_each_instrument(three: Three) -> None:
    run_id, event_id = made(three.config()), made(three.config(mode=RunMode.EVENT))
    run, told = selectors.run(run_id), selectors.run(event_id)
    assert run.fills_hash == told.fills_hash
    assert run.metrics["figures"] == told.metrics["figures"]
    assert run.bars == 400 + 300 + 350
    assert run.record_rows[RecordKind.EQUITY] == 400
    results = {row.symbol: row for row in selectors.results_by_place(run_id)}
    assert set(results) == {"TEST", "LATE", "EURO"} and all(row.trades > 3 for row in results.values())
    assert sum(row.trades for row in results.values()) == run.metrics["figures"]["trades"]
    assert all(0 < row.exposure < 1 and row.costs > row.fees > 0 for row in results.values())
    assert results["TEST"].total_return == float(results["TEST"].earned / 100_000)
    record = selectors.records_of(run_id)
    assert record.rates == {"EUR": RATE} and record.fills_hash() == run.fills_hash


def test_amounts_say_their_currency_and_entries_their_asset(three: Three) -> None:
    run_id = made(three.config())
    fills = selectors.record_page(run_id, RecordKind.FILLS, limit=500)
    assert {(row["symbol"], row["currency"]) for row in fills} == {("TEST", "USD"), ("LATE", "USD"), ("EURO", "EUR")}
    entries = selectors.record_page(run_id, RecordKind.ENTRIES, limit=5_000)
    assert {row["asset"] for row in entries} == {"USD", "EUR", "TEST", "LATE", "EURO"}
    for asset in ("USD", "EUR", "EURO"):
        assert sum(row["amount"] for row in entries if row["asset"] == asset) == 0
    earned = next(row.earned for row in selectors.results_by_place(run_id) if row.symbol == "EURO")
    trades = selectors.record_page(run_id, RecordKind.TRADES, limit=500)
    assert earned == RATE * sum(row["result"] for row in trades if row["symbol"] == "EURO")


def test_each_instrument_alone_stands_beside_where_it_was_asked_for(three: Three) -> None:
    plain, compared = made(three.config()), made(three.config(compares_alone=True))
    assert selectors.tear_sheet(plain)["alone"] == []
    assert selectors.run(plain).fills_hash == selectors.run(compared).fills_hash
    assert three.config().fingerprint() == three.config(compares_alone=True).fingerprint()
    rows = {row["symbol"]: row for row in selectors.tear_sheet(compared)["alone"]}
    alone = selectors.run(made(three.config(instrument_ids=(three.specs[1].id,), rates={})))
    assert list(rows) == ["TEST", "LATE", "EURO"]
    assert rows["LATE"]["total_return"] == alone.metrics["plain"]["total_return"]
    assert rows["LATE"]["trades"] == alone.metrics["plain"]["trades"]
    assert selectors.tear_sheet(compared)["benchmarks"][0]["label"] == "The same money in each, held"


def test_a_sweep_and_a_walk_forward_search_over_several(three: Three) -> None:
    sweeping._bars.cache_clear()
    sweep_id = services.request_sweep(three.config(), {"fast_bars": [2, 3, 4], "slow_bars": [8, 13]}, "tester", method=SweepMethod.GRID)
    for chunk_id in SweepChunk.objects.filter(sweep_id=sweep_id).values_list("id", flat=True):
        execute_chunk(chunk_id)
    points = selectors.sweep_trials(sweep_id)
    assert len(points) == 6 and all(point.error == "" and point.fills_hash for point in points)
    best = selectors.sweep_trials(sweep_id, is_best_first=True, limit=1)[0]
    run_id = services.run_point(sweep_id=sweep_id, number=best.number, actor="tester")
    assert services.execute_run(run_id)
    assert selectors.run(run_id).fills_hash == best.fills_hash
    search = WalkForward(search={"fast_bars": [2, 4]}, train_bars=120, test_bars=60)
    walked = selectors.run(made(three.config(score=ScoreMode.WALK_FORWARD, walk_forward=search)))
    assert walked.metrics["score"] == "walk-forward"
    assert [window["number"] for window in walked.metrics["walk_forward"]["windows"]] == [1, 2, 3, 4, 5]
    assert walked.metrics["figures"]["trades"] < walked.metrics["plain"]["trades"]


def test_a_rate_is_asked_for_before_anything_is_stored(three: Three) -> None:
    with pytest.raises(InvalidInput, match="EURO is paid in EUR, the capital is in USD") as caught:
        services.request_run(three.config(rates={}), "tester")
    assert caught.value.hint == "Give the capital in EUR, or the price of EUR in USD among the rates."
    with pytest.raises(InvalidInput, match="EURO is paid in EUR"):
        services.request_run(three.config(mode=RunMode.SESSION, strategy="momentum", parameters={}), "tester")


def test_a_strategy_of_several_runs_as_events_and_opens_no_session(three: Three) -> None:
    @event_strategy("rotation", title="Rotation")
    class Rotation(EventStrategy):
        """Holds whatever has closed higher, and sells the others."""

        Parameters = Nothing
        trades_several = True

        def on_bar(self, bar: BarEvent) -> None:
            for symbol in self.symbols:
                if symbol != bar.symbol and self.position_of(symbol):
                    self.close(symbol)
            if bar.close > bar.open and not self.position:
                self.buy(50)

    try:
        config = three.config(strategy="rotation", mode=RunMode.EVENT, parameters={})
        run_id = made(config)
        assert {row["symbol"] for row in selectors.record_page(run_id, RecordKind.FILLS, limit=500)} == {"TEST", "LATE", "EURO"}
        with pytest.raises(NotFound, match="rotation trades several instruments at once, but a session trades one"):
            services.request_run(three.config(strategy="rotation", mode=RunMode.SESSION, parameters={}, rates={}), "tester")
    finally:
        event_registry.pop("rotation", None)


def test_the_command_prints_a_line_for_each(three: Three) -> None:
    out = io.StringIO()
    symbols = [part for symbol in ("TEST", "LATE", "EURO") for part in ("--symbol", symbol)]
    sets = [part for name, value in CROSS.items() for part in ("--set", f"{name}={value}")]
    options = ["--venue", three.market.venue.code, "--rate", "EUR=1.25", "--sizing", "fraction=0.3", "--plain", "--each-alone"]
    call_command("backtest", "ema_cross", *symbols, *sets, *options, stdout=out, stderr=io.StringIO())
    text = out.getvalue()
    assert text.startswith("ema_cross on TEST LATE EURO, 1d, 1,050 bars, vector mode")
    assert [line.split()[0] for line in text[text.index("Each alone") :].splitlines()[1:4]] == ["TEST", "LATE", "EURO"]
    out = io.StringIO()
    call_command("check_strategy", "ema_cross", *symbols[:4], "--venue", three.market.venue.code, "--cuts", "3", "--json", stdout=out)
    assert list(json.loads(out.getvalue())["instruments"]) == ["TEST", "LATE"]


def test_the_api_takes_rates(three: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.backtests.services.queue.send", lambda task, **ids: None)
    body = {
        "strategy": "ema_cross", "instrument_ids": [str(spec.id) for spec in three.specs], "parameters": {"fast_bars": 3, "slow_bars": 8},
        "rates": {"EUR": "1.25"}, "compares_alone": True,
    }  # fmt: skip
    answer = client().post("/api/v1/backtests/", body)
    assert answer.status_code == 202, answer.content
    found = answer.json()
    assert (found["config"]["rates"], found["config"]["compares_alone"], found["summary"]["mode"]) == ({"EUR": "1.25"}, True, "vector")
    refused = client().post("/api/v1/backtests/", body | {"rates": {}})
    assert refused.status_code == 400
    assert "EURO is paid in EUR, the capital is in USD" in refused.json()["detail"]
