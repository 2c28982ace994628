"""The examples of README.md: reading them out, and what is asked of each once it stands in a copy of the repository.

The functions below run inside that copy (tests/integration/test_extending.py makes it and starts pytest there); pytest does not collect this
file by itself.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.access.models import User
from apps.core.ids import client_order_id, uuid7
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side, Timeframe, TimeInForce
from apps.dashboard.selectors.overview import chart_path
from apps.markets import selectors as markets
from apps.markets import services as market_services
from apps.markets.adapters import open_source, source_names
from apps.markets.contracts import CandleSource
from apps.markets.models import Instrument, QuarantinedCandle, Venue
from apps.orders import selectors as orders
from apps.orders.adapters import broker_names, open_broker
from apps.orders.contracts import OrderStatus
from apps.orders.ports import AccountDirectory, Broker, BrokerOrder
from apps.orders.services.executing import AccountExecutor
from apps.orders.services.ownership import Ownership
from apps.portfolio import selectors as portfolio
from apps.portfolio.models import Account
from apps.portfolio.services import open_account
from apps.risk.models import RiskLimit, RiskVerdict
from apps.strategies.contracts import Outcome
from apps.strategies.domain.strategy import strategy_kinds
from apps.strategies.models import Decision, Strategy
from apps.strategies.services import create_session, decide_bar, ensure_strategy, start_session
from tests.conformance.broker import PLAIN_PROMISES, PROMISES
from tests.factories.trading_world import World, add_bar, open_world, place
from tests.integration.risk.orders import assess, propose, refused_by

pytestmark = pytest.mark.django_db(transaction=True)

_EXAMPLE = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)


def examples(readme: str) -> dict[str, str]:
    """The files that the README shows, by path."""
    return dict(_EXAMPLE.findall(readme))


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ada", "ada@example.org", "a long password 123"))
    return client


def settle(account_id: Any) -> AccountExecutor:
    """An executor of the account that has done all there is to do."""
    ownership = Ownership.take(account_id)
    assert ownership is not None
    executor = AccountExecutor(port(AccountDirectory).account(account_id), ownership)
    while executor.step():
        pass
    ownership.give_back()
    return executor


def as_default(world: World) -> World:
    """What pages show first."""
    Venue.objects.filter(id=world.venue_id).update(is_default=True)
    Account.objects.filter(id=world.account_id).update(is_default=True)
    return world


def test_the_strategy_is_offered_with_its_parameters_and_trades(admin: Client) -> None:
    assert strategy_kinds()["breakout"] == "Breakout"
    world = open_world(capital=Decimal(100_000))
    strategy_id = ensure_strategy(name="Breakout", kind="breakout", parameters={"entry_bars": 25, "exit_bars": 5})
    form = admin.get(reverse("admin:strategies_strategy_change", args=[strategy_id])).content.decode()
    assert "A close above all closes of this many bars buys." in form
    session_id = create_session(
        strategy_id=strategy_id, account_id=world.account_id, instrument_id=world.instrument.id, capital=Decimal(40_000)
    )
    start_session(session_id=session_id, actor="test")
    for day in range(40):
        price = str(100 + day % 2)
        decide_bar(session_id=session_id, bar_at=add_bar(world, price, price, price, price))
        settle(world.account_id)
    assert not Decision.objects.filter(session_id=session_id, outcome=Outcome.TRADE).exists()
    decided = decide_bar(session_id=session_id, bar_at=add_bar(world, "101", "104", "101", "104"))
    assert decided is not None
    assert decided.outcome is Outcome.TRADE
    assert "The highest close of 25 bars." in Decision.objects.get(id=decided.id).signal["reason"]
    settle(world.account_id)
    add_bar(world, "104", "104", "104", "104")
    settle(world.account_id)
    assert portfolio.positions(world.account_id)[0].quantity > 0
    assert Strategy.objects.get(id=strategy_id).kind == "breakout"


def test_both_forms_of_a_strategy_are_clean_and_make_the_same_fills(tmp_path: Path) -> None:
    steps = np.random.default_rng(7).normal(0, 0.01, 2_000)
    closes = np.round(100 * np.exp(np.cumsum(steps)), 2)
    opens = np.concatenate([closes[:1], closes[:-1]])
    first = datetime(2020, 1, 1, tzinfo=UTC)
    rows = [
        f"{first + timedelta(hours=hour):%Y-%m-%d %H:%M},{o},{max(o, c)},{min(o, c)},{c},100000"
        for hour, (o, c) in enumerate(zip(opens.tolist(), closes.tolist(), strict=True))
    ]
    path = tmp_path / "bars.csv"
    path.write_text("date,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    hashes = set()
    for mode in ("vector", "event"):
        call_command("check_strategy", "channel", "--mode", mode, stdout=StringIO())
        said = StringIO()
        call_command(
            "backtest", "channel", "--mode", mode, "--file", str(path), "--symbol", "X/USD", "--timeframe", "1h", "--plain", "--json",
            stdout=said,
        )  # fmt: skip
        found = json.loads(said.getvalue())
        assert found["records"]["trades"] > 10
        hashes.add(found["fills_hash"])
    assert len(hashes) == 1


def test_the_source_feeds_an_import_and_a_replay_and_its_bad_bars_are_kept_apart(tmp_path: Path) -> None:
    assert "coinmetrics" in source_names()
    path = tmp_path / "btc.csv"
    first = datetime(2020, 1, 1, tzinfo=UTC)
    prices = {20: "", 30: "-5"} | {day: f"{7000 + 13 * (day % 11)}.1299999" for day in range(60) if day not in (20, 30)}
    rows = [f"{first + timedelta(days=day):%Y-%m-%d},1,{prices[day]}" for day in range(60)]
    path.write_text("\n".join(["time,AdrActCnt,PriceUSD", *rows]) + "\n")
    options = {"path": str(path), "symbol": "BTC/USD"}
    source = open_source("coinmetrics", options)
    assert [item.symbol for item in source.listings()] == ["BTC/USD"]
    bars = source.bars("BTC/USD", Timeframe.D1, since=first + timedelta(days=1), until=first + timedelta(days=3))
    assert bars.close.tolist() == [7013.13, 7026.13]

    call_command("import_candles", "--source", "coinmetrics", "--option", f"path={path}", "--option", "symbol=BTC/USD", "--venue", "coins")
    imported = Instrument.objects.get(venue__code="coins")
    assert imported.venue.source == "coinmetrics"
    assert stored_sources(imported) == [(CandleSource.EXTENSION, 58)]
    reasons = set(QuarantinedCandle.objects.filter(instrument=imported).values_list("reason", flat=True))
    assert len(reasons) == 2, "an empty price and a negative one"

    view = market_services.open_replay_venue(starts_at=None, reason="test", actor="test", source="coinmetrics", source_options=options)
    spec = markets.instrument_by_symbol(view.id, "BTC/USD")
    window = markets.bar_window(spec, Timeframe.D1, until=None, count=100)
    assert 25 <= len(window) < 58, "the history before the start, and nothing of what comes"
    assert window.last_closed_at == view.now_at


def stored_sources(instrument: Instrument) -> list[tuple[int, int]]:
    """Source codes of the stored candles with their number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT source, count(*) FROM markets_candle WHERE instrument_id = %s GROUP BY source", [instrument.id])
        return list(cursor.fetchall())


def test_the_limit_is_seeded_explained_checked_and_part_of_every_verdict(admin: Client) -> None:
    world = as_default(open_world(capital=Decimal(10_000)))
    assert refused_by(assess(propose(world, quantity=20))) == ""
    seeded = {row.mode: row.value for row in RiskLimit.objects.filter(code="MAX_ORDER_SHARE")}
    assert seeded == {"paper": Decimal("0.5"), "live": Decimal("0.1")}
    verdict = assess(propose(world, quantity=60))
    check = next(check for check in verdict.checks if check.code == "MAX_ORDER_SHARE")
    assert (check.passed, check.value, check.limit) == (False, "0.6", "0.5")
    assert check.message == "The order is worth 60.00 % of equity; the limit is 0.5."
    assert len(RiskVerdict.objects.get(id=verdict.id).checks) == len(verdict.checks)

    row = RiskLimit.objects.get(code="MAX_ORDER_SHARE", mode="paper")
    address = reverse("admin:risk_risklimit_change", args=[row.id])
    assert "Largest value of one order, as a fraction of equity" in admin.get(address).content.decode()
    assert admin.post(address, {"value": "0.1", "is_enabled": "on", "note": "calmer"}).status_code == 302
    assert refused_by(assess(propose(world, quantity=20))) == "MAX_ORDER_SHARE"
    assert "The order is worth 20.00 % of equity; the limit is 0.1." in admin.get("/risk/").content.decode()


class NotebookBench:
    """What tests/conformance asks of a venue, for the notebook."""

    def __init__(self) -> None:
        self._world = open_world()
        self._account_id = open_account(
            name="Telephone",
            venue_id=self._world.venue_id,
            initial_capital=Decimal(10_000),
            opened_at=self._world.now_at,
            broker="notebook",
        )

    def broker(self) -> Broker:
        return open_broker(port(AccountDirectory).account(self._account_id))

    def resting_order(self, name: str) -> BrokerOrder:
        return self._order(name, OrderType.LIMIT)

    def impossible_order(self, name: str) -> BrokerOrder:
        return self._order(name, OrderType.STOP)

    def trade(self) -> None:
        broker: Any = self.broker()
        for state in broker.open_orders():
            broker.write_fill(state.client_order_id, Decimal("90.5"), self._world.now_at)

    def _order(self, name: str, order_type: OrderType) -> BrokerOrder:
        instrument = self._world.instrument
        return BrokerOrder(
            client_order_id=client_order_id(account_id=self._account_id, origin=name), instrument_id=instrument.id,
            symbol=instrument.symbol, side=Side.BUY, order_type=order_type, time_in_force=TimeInForce.GTC, quantity=Decimal(5),
            limit_price=Decimal(90) if order_type is OrderType.LIMIT else None, stop_price=Decimal(95) if order_type is OrderType.STOP else None,
        )  # fmt: skip


def test_the_broker_keeps_every_promise() -> None:
    assert "notebook" in broker_names()
    for promise in (*PROMISES, *PLAIN_PROMISES):
        promise(NotebookBench())


def test_the_broker_is_traded_by_the_executor_and_its_fills_are_booked() -> None:
    world = open_world()
    account_id = open_account(
        name="Telephone", venue_id=world.venue_id, initial_capital=Decimal(10_000), opened_at=world.now_at, broker="notebook"
    )
    world = World(world.venue_id, account_id, world.instruments)
    kept, cancelled, refused = place(world, limit_price="90"), place(world, limit_price="80"), place(world, stop_price="120")
    settle(account_id)
    assert [orders.order(item).status for item in (kept, refused)] == [OrderStatus.ACKNOWLEDGED, OrderStatus.REJECTED]
    assert "no stop orders by telephone" in orders.order(refused).status_reason

    broker: Any = open_broker(port(AccountDirectory).account(account_id))
    orders_of_venue = {state.client_order_id for state in broker.open_orders()}
    assert orders_of_venue == {orders.order(kept).client_order_id, orders.order(cancelled).client_order_id}
    broker.cancel(orders.order(cancelled).client_order_id)
    broker.write_fill(orders.order(kept).client_order_id, Decimal("89.5"), world.now_at)
    closed_at = add_bar(world, "90", "95", "90", "95")
    settle(account_id)
    assert orders.order(kept).status is OrderStatus.FILLED
    assert orders.order(cancelled).status is OrderStatus.CANCELLED
    assert orders.matched_through(account_id) == closed_at, "sessions may decide on the bar"
    assert portfolio.account_summary(account_id).equity == Decimal(10_000) - 10 * Decimal("89.5") + 10 * Decimal(95)
    assert portfolio.trial_balance().is_balanced


def test_the_page_is_in_the_navigation_and_shows_what_is_stored(admin: Client) -> None:
    world = as_default(open_world())
    assert "Nothing was filled yet" in admin.get("/costs/").content.decode()
    for _ in range(2):
        place(world, origin=str(uuid7()))
    settle(world.account_id)
    add_bar(world, "100", "101", "99", "100")
    settle(world.account_id)
    fills = orders.fills(account_id=world.account_id)
    shown = admin.get("/costs/").content.decode()
    assert len(fills) == 2
    assert f'data-field="Fees" data-value="{sum(fill.fee for fill in fills):f}"' in shown
    assert all(f'href="/orders/{fill.order_id}/"' in shown for fill in fills)
    assert '<polyline class="spark-line"' in shown
    overview = admin.get("/").content.decode()
    assert re.search(r'<a href="/costs/">.*?Costs', overview)
    assert chart_path("SYM0") in overview
    assert Client().get("/costs/").status_code == 302
