"""Margin and latency in paper and in its repetition: the same fills, the same closing by the venue, the same gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pytest

from apps.backtests.services.repeating import repeat_paper
from apps.orders.contracts import OrderOrigin
from apps.orders.domain.venue_profiles import VenueTerms
from apps.orders.models import Fill, Order
from apps.strategies.domain import event_strategy as registry
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, event_strategy
from apps.strategies.domain.parameters import parameter
from apps.strategies.models import Decision
from apps.strategies.services import event_sessions
from tests.factories.scripted import KIND, registered
from tests.minute_series import Minutes, walk
from tests.minutes import MinuteWorld, paper_fills, run_fills

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def scripted() -> Iterator[None]:
    with registered():
        event_sessions._living.clear()
        yield
        event_sessions._living.clear()


def played(minutes: Minutes, bars: int, kind: str, *, capital: Decimal, terms: VenueTerms, **parameters: Any) -> MinuteWorld:
    world = MinuteWorld(minutes, terms=terms, capital=capital)
    world.open_session(kind, **parameters)
    world.step(bars)
    return world


@pytest.mark.parametrize("latency_ms", [20_000, 60_000, 150_000])
def test_latency_is_the_same_in_paper_and_in_its_repetition(latency_ms: int) -> None:
    world = played(walk(31, seed=5), 30, KIND, capital=Decimal(1_000_000), terms=VenueTerms(latency_ms=latency_ms), seed=11)
    again = repeat_paper(world.account_id)
    assert again.differences == []
    assert run_fills(again.run.engine.fill_rows(), world.instrument) == paper_fills(world.account_id, world.instrument)


@pytest.fixture
def borrower() -> Iterator[None]:
    event_strategy("borrower", title="Borrower")(Borrower)
    yield
    del registry._registry["borrower"]


@dataclass(frozen=True)
class BorrowerParameters:
    quantity: float = parameter(1.0, minimum=-1e6, maximum=1e6, help="Bought, or sold where it is negative.")


class Borrower(EventStrategy):
    """Opens once, with a far limit order that adds to it and a second try once it has been closed."""

    Parameters = BorrowerParameters

    def on_bar(self, bar: BarEvent) -> None:
        wanted = Decimal(str(self.parameters.quantity))
        order = self.buy if wanted > 0 else self.sell
        if bar.index in (1, 12):
            order(abs(wanted))
            order(abs(wanted) / 20, limit=bar.close * (0.5 if wanted > 0 else 1.5))


def moving(bars: int, step: int) -> Minutes:
    """From 50,000 on by so many price units a bar, without gaps; each bar is as wide as its move."""
    close = 500_000 + step * np.arange(bars, dtype=np.int64)
    open_ = close - step
    return Minutes(open_, np.maximum(open_, close) + 10, np.minimum(open_, close) - 10, close, np.full(bars, 10**6, np.int64))


@pytest.mark.parametrize(("quantity", "step"), [(35.0, -8_000), (-35.0, 8_000)])
def test_what_is_borrowed_is_closed_by_the_venue_in_both(borrower: None, quantity: float, step: int) -> None:
    """3.5 times the equity of 500,000; a fall of a fifth in thirteen bars leaves less than a tenth of the exposure."""
    terms = VenueTerms(
        leverage=Decimal(4), maintenance_percent=Decimal(10), spread_bps=Decimal(0), slippage_bps=Decimal(0), fee_bps=Decimal(0)
    )
    world = played(moving(31, step), 30, "borrower", capital=Decimal(500_000), terms=terms, quantity=quantity)
    taken = list(Order.objects.filter(origin=OrderOrigin.SESSION).order_by("id"))
    closed = Order.objects.get(origin=OrderOrigin.VENUE)
    fill = Fill.objects.get(order=closed)
    again = repeat_paper(world.account_id)
    assert again.differences == []
    (own,) = [item for item in again.run.fills if item.session_id is None]
    assert (own.at, own.side, own.quantity, own.price, own.reason) == (fill.occurred_at, fill.side, fill.quantity, fill.price, fill.reason)
    assert (fill.price, taken[1].status) == (first_below(quantity, Fill.objects.get(order=taken[0]).price), "CANCELLED")


def first_below(quantity: float, entry: Decimal) -> Decimal:
    """The first price, in tenths, at which 500,000 and what was won or lost since `entry` is less than a tenth of the position's value."""
    lots, sign = abs(Decimal(str(quantity))), 1 if quantity > 0 else -1
    edge = (lots * entry - sign * 500_000) / (lots - sign * lots / 10)
    tick = edge.quantize(Decimal("0.1"), rounding=ROUND_CEILING if sign > 0 else ROUND_FLOOR)
    return tick - sign * Decimal("0.1")


@pytest.mark.parametrize(("quantity", "needed", "free", "ordered"), [(28.0, "49490", "20400", "28"), (29.0, "2050300", "2000000", "1.45")])
def test_the_gate_counts_what_the_venue_lends_and_no_more(borrower: None, quantity: float, needed: str, free: str, ordered: str) -> None:
    """Of 500,000 at a leverage of 4 an order of 1,979,600 with its allowance passes and leaves 20,400 for the next; one of 2,050,300 does not."""
    terms = VenueTerms(leverage=Decimal(4), maintenance_percent=Decimal(10))
    world = played(moving(4, 100_000), 3, "borrower", capital=Decimal(500_000), terms=terms, quantity=quantity)
    decided = Decision.objects.filter(session__account_id=world.account_id).order_by("bar_at")[1]
    refused = next(item for item in decided.checks if item["code"] == "FREE_CASH")
    assert (refused["value"], refused["limit"], refused["passed"]) == (needed, free, False)
    assert Order.objects.get().quantity == Decimal(ordered)
    assert repeat_paper(world.account_id).differences == []
