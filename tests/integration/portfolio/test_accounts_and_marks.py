"""Opening, valuing, measuring and closing an account."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from apps.core.errors import Conflict, InexactValue, InvalidInput, NotFound
from apps.core.ids import uuid7
from apps.core.ports import port
from apps.core.vocabulary import Side
from apps.events.models import LoggedEvent
from apps.orders.models import SimulatedAccount
from apps.orders.ports import AccountDirectory, FillSink
from apps.portfolio import selectors
from apps.portfolio.models import Account, EquitySnapshot
from apps.portfolio.services import close_account, open_account
from apps.risk.ports import PortfolioView
from tests.factories.trading_world import FIRST_CLOSE, World, add_bar, open_world
from tests.integration.portfolio.fills import make_fill

CAPITAL = Decimal(1_000_000)
pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return open_world(symbols=2)


def mark(world: World, close: str) -> None:
    port(FillSink).mark_to_market(world.account_id, at=add_bar(world, close, close, close, close))


def test_an_opened_account_has_its_capital_booked_a_first_equity_and_a_place_at_the_venue(world: World) -> None:
    summary = selectors.account_summary(world.account_id)
    assert (summary.cash, summary.equity, summary.drawdown, summary.day_pnl) == (CAPITAL, CAPITAL, 0, 0)
    assert summary.at == FIRST_CLOSE
    assert SimulatedAccount.objects.get(account_id=world.account_id).matched_through == FIRST_CLOSE
    assert [point.equity for point in selectors.equity_curve(world.account_id)] == [CAPITAL]
    assert LoggedEvent.objects.filter(event_type="portfolio.account_opened", subject=str(world.account_id)).count() == 1
    assert selectors.trial_balance().is_balanced


@pytest.mark.parametrize(
    ("capital", "error"), [("0", InvalidInput), ("-1", InvalidInput), ("NaN", InvalidInput), ("0.000000001", InexactValue)]
)
def test_capital_that_is_not_an_amount_of_money_is_refused(world: World, capital: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        open_account(name="Bad", venue_id=world.venue_id, initial_capital=Decimal(capital), opened_at=FIRST_CLOSE)


def test_money_finer_than_the_books_keep_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="10 decimal places"):
        open_account(name="Fine", venue_id=world.venue_id, initial_capital=CAPITAL, opened_at=FIRST_CLOSE, cash_scale=11)


def test_the_newest_default_account_replaces_the_one_before(world: World) -> None:
    ids = [
        open_account(name=name, venue_id=world.venue_id, initial_capital=CAPITAL, opened_at=FIRST_CLOSE, make_default=True)
        for name in ("first", "second")
    ]
    assert selectors.default_account_id() == ids[1]
    close_account(ids[1], closed_at=FIRST_CLOSE)
    assert selectors.default_account_id() is None
    assert selectors.account(ids[1]).closed_at == FIRST_CLOSE
    assert ids[1] not in port(PortfolioView).open_account_ids()
    assert [item.id for item in port(AccountDirectory).open_accounts()] == [world.account_id, ids[0]]
    with pytest.raises(Conflict):
        close_account(ids[1], closed_at=FIRST_CLOSE)
    with pytest.raises(NotFound):
        close_account(uuid7(), closed_at=FIRST_CLOSE)


def test_the_database_allows_one_default_account(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        for _ in range(2):
            Account.objects.create(name="x", venue_id=world.venue_id, initial_capital=CAPITAL, is_default=True, opened_at=FIRST_CLOSE)


def test_marking_values_positions_at_the_close_once(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "100", "100"))
    closed_at = add_bar(world, "100", "120", "90", "110")
    for _ in range(2):
        port(FillSink).mark_to_market(world.account_id, at=closed_at)
    snapshot = EquitySnapshot.objects.get(account_id=world.account_id, at=closed_at)
    assert (snapshot.equity, snapshot.unrealised_pnl, snapshot.gross_exposure) == (CAPITAL + 999, Decimal(1000), Decimal(11000))
    assert snapshot.peak_equity == CAPITAL + 999
    assert LoggedEvent.objects.filter(event_type="trading.performance_updated").count() == 1
    position = selectors.positions(world.account_id)[0]
    assert (position.mark_price, position.market_value, position.unrealised_pnl) == (Decimal(110), Decimal(11000), Decimal(1000))


def test_an_instrument_without_a_bar_keeps_its_last_mark(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "100", "100"))
    mark(world, "110")
    port(FillSink).mark_to_market(world.account_id, at=world.now_at + timedelta(days=1))
    assert selectors.account_summary(world.account_id).equity == CAPITAL + 999


def test_marks_only_move_forward(world: World) -> None:
    mark(world, "110")
    mark(world, "120")
    port(FillSink).mark_to_market(world.account_id, at=FIRST_CLOSE)
    with pytest.raises(Conflict):
        port(FillSink).mark_to_market(world.account_id, at=FIRST_CLOSE + timedelta(hours=1))
    with pytest.raises(NotFound):
        port(FillSink).mark_to_market(uuid7(), at=FIRST_CLOSE)


def test_drawdown_and_the_day_s_result_follow_the_venue_s_clock(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.BUY, "1000", "100", fee="0"))
    for close in ("120", "90"):
        mark(world, close)
    summary = selectors.account_summary(world.account_id)
    assert (summary.equity, summary.peak_equity, summary.day_pnl) == (CAPITAL - 10000, CAPITAL + 20000, Decimal(-30000))
    assert summary.drawdown == Decimal(30000) / Decimal(1020000)
    exposure = port(PortfolioView).exposure(world.account_id, world.instrument.id)
    assert (exposure.day_start_equity, exposure.peak_equity, exposure.equity) == (CAPITAL + 20000, CAPITAL + 20000, CAPITAL - 10000)
    assert (exposure.position_quantity, exposure.position_notional, exposure.gross_exposure) == (1000, 90000, 90000)
    assert exposure.day_started_at is not None
    assert exposure.day_started_at.isoformat() == world.now_at.date().isoformat() + "T00:00:00+00:00"
    other = port(PortfolioView).exposure(world.account_id, world.instruments[1].id)
    assert (other.position_quantity, other.gross_exposure) == (0, 90000)


def test_shorts_are_valued_too(world: World) -> None:
    port(FillSink).book_fill(make_fill(world, Side.SELL, "100", "100", fee="0"))
    mark(world, "90")
    position = selectors.positions(world.account_id)[0]
    assert (position.quantity, position.market_value, position.unrealised_pnl) == (Decimal(-100), Decimal(-9000), Decimal(1000))
    summary = selectors.account_summary(world.account_id)
    assert (summary.cash, summary.equity) == (CAPITAL + 10000, CAPITAL + 1000)


def test_performance_says_nothing_until_there_is_enough_to_say(world: World) -> None:
    early = selectors.performance(world.account_id)
    assert (early.total_return, early.sharpe, early.volatility, early.annual_return, early.win_rate) == (0, None, None, None, None)
    port(FillSink).book_fill(make_fill(world, Side.BUY, "1000", "100", fee="0"))
    for day in range(25):
        mark(world, str(100 + day % 3))
    port(FillSink).book_fill(make_fill(world, Side.SELL, "1000", "104", fee="10"))
    mark(world, "104")
    later = selectors.performance(world.account_id)
    assert later.total_return == Decimal(3990) / CAPITAL
    assert later.sharpe is not None
    assert later.volatility is not None
    assert later.max_drawdown == pytest.approx(2000 / 1_002_000)
    assert (later.trades, later.win_rate, later.profit_factor) == (1, 1.0, None)
    assert selectors.closed_trades(world.account_id)[0].realised_pnl == 4000


def test_the_equity_curve_is_thinned_evenly_and_keeps_the_newest(world: World) -> None:
    for _ in range(10):
        mark(world, "100")
    whole = selectors.equity_curve(world.account_id)
    assert len(whole) == 11
    thin = selectors.equity_curve(world.account_id, limit=4)
    assert [point.at for point in thin] == [point.at for point in whole][::-1][::3][::-1]
    assert thin[-1].at == world.now_at
