"""Margin calls in paper: told to the strategy, the log, people and the pages, and over when cured; the repetition is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest
from django.test import Client

from apps.access.models import User
from apps.backtests.domain.event_run import simulate_event_bars
from apps.backtests.services.repeating import repeat_paper
from apps.events.models import LoggedEvent
from apps.orders.contracts import OrderOrigin
from apps.orders.domain.venue_profiles import VenueTerms
from apps.orders.models import Fill
from apps.orders.selectors.simulated import simulated_profile
from apps.portfolio import selectors as portfolio
from apps.portfolio.models import Account, MarginCall
from apps.strategies.domain import event_strategy as registry
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, event_strategy
from apps.strategies.domain.margin_event import MarginCallEvent
from apps.strategies.domain.parameters import parameter
from apps.strategies.models import Decision
from apps.strategies.services import event_sessions
from tests.minute_series import Minutes
from tests.minutes import MinuteWorld, columns_of, paper_fills, run_fills

pytestmark = pytest.mark.django_db
CAPITAL = Decimal(500_000)
TERMS = VenueTerms(
    leverage=Decimal(4),
    maintenance_percent=Decimal(10),
    spread_bps=Decimal(0),
    slippage_bps=Decimal(0),
    fee_bps=Decimal(0),
    allows_short=False,
)


@dataclass(frozen=True)
class CalledParameters:
    gives_up: float = parameter(0.0, minimum=0.0, maximum=1e6, help="Sold at a margin call.")


class Called(EventStrategy):
    """Buys 35 on its second bar; at a margin call it sells some of it."""

    Parameters = CalledParameters

    def on_bar(self, bar: BarEvent) -> None:
        if bar.index == 1:
            self.buy(Decimal(35))

    def on_margin_call(self, call: MarginCallEvent) -> None:
        if self.parameters.gives_up:
            self.sell(Decimal(str(self.parameters.gives_up)), reduce_only=True)


@pytest.fixture(autouse=True)
def called() -> Iterator[None]:
    event_strategy("called", title="Called")(Called)
    event_sessions._living.clear()
    yield
    event_sessions._living.clear()
    del registry._registry["called"]


def falling(bars: int, *, by: int = 4_000) -> Minutes:
    """50,000 and 400 less with each minute; each opens where the one before closed."""
    close = 500_000 - by * np.arange(bars, dtype=np.int64)
    open_ = np.concatenate([close[:1], close[:-1]])
    return Minutes(open_, np.maximum(open_, close), np.minimum(open_, close), close, np.full(bars, 10**6, np.int64))


def test_a_call_stands_until_the_strategy_has_sold_enough(client: Client) -> None:
    """35 bought at 49,200: the equity of 500,000 falls by 14,000 a minute. 17.5 % of the exposure is more than it from 41,600 on."""
    client.force_login(User.objects.create_user("a-viewer", role="viewer"))
    world = MinuteWorld(falling(26), terms=TERMS, capital=CAPITAL)
    session_id = world.open_session("called", gives_up=20.0)
    world.step_until(MarginCall.objects.exists, bars=25)
    call = MarginCall.objects.get()
    entry = paper_fills(world.account_id, world.instrument)[0].price / Decimal(10)
    price = next(at for at in range(50_000, 0, -400) if at < entry and CAPITAL + 35 * (at - entry) < Decimal("0.175") * 35 * at)
    assert (call.equity, call.exposure, call.required) == (CAPITAL + 35 * (price - entry), 35 * price, Decimal("6.125") * price)
    assert (call.cleared_at, Account.objects.get(id=world.account_id).is_margin_called) == (None, True)
    told = LoggedEvent.objects.get(event_type="trading.margin_called").payload
    assert (Decimal(told["missing"]), told["account"]) == (call.required - call.equity, "Minutes")
    alert = LoggedEvent.objects.get(event_type="system.alert_raised", payload__title="Margin call for Minutes").payload
    assert "is missing. Below the maintenance margin the venue closes positions." in alert["message"]
    decision = Decision.objects.get(bar_at=call.called_at, session_id=session_id)
    assert {key: Decimal(value) for key, value in decision.actions["margin_call"].items()} == {
        "equity": call.equity,
        "required": call.required,
    }
    assert decision.sentence.startswith("Sell 20 BTC at the next open")
    page = client.get("/portfolio/").content.decode()
    assert "data-margin-call" in page
    assert f'data-value="{call.equity.normalize():f}"' in page
    risk = client.get("/risk/").content.decode()
    assert "of the exposure is covered; called below 17.50 %, closed by the venue below 10.00 %; since" in risk
    assert "stands" in risk

    world.step(2)
    call.refresh_from_db()
    assert (call.cleared_at is not None, call.is_flat) == (True, False)
    assert LoggedEvent.objects.filter(event_type="trading.margin_call_cleared").count() == 1
    assert "data-margin-call" not in client.get("/portfolio/").content.decode()
    risk = client.get("/risk/").content.decode()
    assert "cured" in risk
    state = portfolio.margin_state(world.account_id)
    assert state is not None
    assert state.standing is None
    event_sessions._living.clear()
    world.reopen_after_death()
    world.step(3)
    check_same(world, gives_up=20.0)


def check_same(world: MinuteWorld, **parameters: object) -> None:
    """Paper, its repetition and the plain run have the same fills."""
    again = repeat_paper(world.account_id)
    assert again.differences == []
    strategy = Called(CalledParameters(**parameters))  # type: ignore[arg-type]
    plain = simulate_event_bars(strategy, world.instrument, simulated_profile(world.account_id), columns_of(world.window()), cash=CAPITAL)
    assert run_fills(plain.fills, world.instrument) == run_fills(again.run.engine.fill_rows(), world.instrument)


def test_a_call_that_nobody_heeds_ends_with_the_venue_closing() -> None:
    world = MinuteWorld(falling(23, by=6_000), terms=TERMS, capital=CAPITAL)
    world.open_session("called")
    world.step(22)
    call = MarginCall.objects.get()
    closing = Fill.objects.get(order__origin=OrderOrigin.VENUE)
    assert (call.cleared_at, call.is_flat, closing.reason) == (closing.occurred_at, True, "LIQUIDATED")
    assert call.called_at < closing.occurred_at
    check_same(world)


def test_an_account_that_cannot_borrow_is_never_called_and_its_own_level_is_kept() -> None:
    own = VenueTerms(leverage=Decimal(4), maintenance_percent=Decimal(10), margin_call_percent=Decimal(24), allows_short=False)
    world = MinuteWorld(falling(15), terms=own, capital=CAPITAL)
    world.open_session("called")
    world.step(14)
    call = MarginCall.objects.get()
    assert call.required == call.exposure * Decimal("0.24")
