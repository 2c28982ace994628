"""One decision, three clocks: what paper trading did, bar by bar through PostgreSQL, the backtester does again from the stored bars."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.backtests.domain.session_parity import DifferenceKind, compare, rows_of
from apps.backtests.services.repeating import repeat_paper
from apps.core.vocabulary import OrderType, Side
from apps.forecasts import services as forecasts
from apps.forecasts.models import Forecast, ForecastModel
from apps.markets import selectors as markets
from apps.orders import services as orders
from apps.orders.domain.venue_profiles import VenueTerms
from apps.orders.models import Fill
from apps.portfolio import selectors as portfolio
from apps.risk import services as risk
from apps.strategies import services as strategies
from apps.strategies.contracts import Outcome
from apps.strategies.models import Decision, Strategy, TradingSession
from tests.world import World

pytestmark = pytest.mark.django_db

CRISIS = datetime(2007, 6, 1, tzinfo=UTC)


def account_of_world() -> UUID:
    account_id = portfolio.default_account_id()
    assert account_id is not None
    return account_id


def test_paper_is_repeated_to_the_unit_through_a_training_and_new_parameters() -> None:
    world = World(starts_at=CRISIS, train=True)
    world.step(25)
    momentum = Strategy.objects.get(kind="momentum")
    strategies.update_parameters(strategy_id=momentum.id, values={"fast_bars": 5, "slow_bars": 30}, actor="test", reason="a livelier one")
    assert forecasts.run_training(forecasts.train_venue(venue_id=world.venue_id, reason="test"))
    world.step(45)
    assert ForecastModel.objects.values("training_run").distinct().count() == 2
    assert Forecast.objects.values("model__training_run").distinct().count() == 2, "models of both trainings were used"

    repeated = repeat_paper(account_of_world())
    assert repeated.differences == []
    paper, rows = repeated.paper.rows, rows_of(repeated.run)
    assert len(paper.decisions) == Decision.objects.count() == 70 * 7
    assert len(paper.fills) == Fill.objects.count() > 10
    assert len(paper.equity) == 71
    assert rows.decisions == paper.decisions
    assert sorted(rows.fills, key=repr) == sorted(paper.fills, key=repr)
    assert rows.equity == paper.equity
    assert (rows.cash, len(rows.positions)) == (paper.cash, len(paper.positions))
    assert {item.forecast_return is None for item in paper.decisions} == {False}

    retrained = repeat_paper(account_of_world(), is_retrained=True)
    assert retrained.differences == []
    assert compare(rows, rows_of(retrained.run)) == []


def test_what_people_and_halts_did_is_taken_as_it_was() -> None:
    world = World(starts_at=CRISIS)
    account_id = account_of_world()
    world.step(3)
    output = StringIO()
    call_command("repeat_paper", stdout=output)
    assert output.getvalue().endswith("0 differences.\n")
    assert output.getvalue().startswith("21 decisions, 5 fills, 4 values of equity repeated in ")

    manual_order(world, "AAPL", Side.BUY, 10)
    held = next(item for item in portfolio.positions(account_id) if item.symbol != "AAPL")
    manual_order(world, held.symbol, Side.SELL, int(held.quantity))
    set_order_limit(500)
    world.step(2)
    assert Decision.objects.filter(outcome=Outcome.REFUSED_BY_RISK).exists()
    set_order_limit(25_000)
    halt_id = risk.engage_halt(actor="test", reason="lunch", now=datetime.now(UTC), account_id=account_id)
    world.settle()
    world.step(2)
    assert Decision.objects.filter(outcome=Outcome.HALTED).exists()
    risk.reset_halt(halt_id=halt_id, actor="test", reason="back", now=datetime.now(UTC))
    session = TradingSession.objects.exclude(instrument__symbol=held.symbol).filter(decisions__order_id__isnull=False).first()
    assert session is not None
    strategies.stop_session(session_id=session.id, keep_positions=False, actor="test", reason="enough")
    orders.change_venue_terms(account_id=account_id, terms=VenueTerms(fee_bps=Decimal(9), slippage_bps=Decimal(4)), actor="test")
    world.step(3)
    orders.change_venue_terms(account_id=account_id, terms=VenueTerms(), actor="test")
    world.step()
    assert {round(fill.fee / (fill.price * fill.quantity) * 10_000) for fill in Fill.objects.all()} == {5, 9}
    assert repeat_paper(account_id).differences == []


def test_a_fill_that_was_changed_behind_the_books_shows_as_a_difference() -> None:
    world = World(starts_at=CRISIS)
    world.step(3)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE orders_fill SET fee = fee + 1 WHERE id = (SELECT min(id::text)::uuid FROM orders_fill)")
        cursor.execute("SET session_replication_role = DEFAULT")
    with pytest.raises(CommandError):
        call_command("repeat_paper", stdout=StringIO())
    assert {item.kind for item in repeat_paper(account_of_world()).differences} == {DifferenceKind.FEE}


def set_order_limit(value: int) -> None:
    risk.change_limit(code="MAX_ORDER_NOTIONAL", value=Decimal(value), actor="test", now=datetime.now(UTC), mode="paper")


def manual_order(world: World, symbol: str, side: Side, quantity: int) -> None:
    orders.submit_manual_order(
        account_id=account_of_world(), instrument_id=markets.instrument_by_symbol(world.venue_id, symbol).id, side=side,
        order_type=OrderType.MARKET, quantity=Decimal(quantity), actor="test", now=datetime.now(UTC),
    )  # fmt: skip
    world.settle()
