"""What a form says before anything is asked, what it refuses, and an event strategy's risk per trade in the twin."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from apps.backtests.domain.session_change import DecisionChange
from apps.backtests.domain.session_cycle import run_sessions
from apps.backtests.domain.session_forecasts import NoForecasts
from apps.backtests.domain.what_if import WhatIfChanges
from apps.backtests.domain.what_if_offer import OWN_SIZE, TOLD_ON, DecisionShape, notes_of, refuse_pointless
from apps.core.errors import InvalidInput
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy
from apps.strategies.domain.outcomes import Outcome
from tests.factories.windows import random_window
from tests.unit.backtests.sessions import account, opening, session


def shape(outcome: Outcome, *, events: bool, opens: bool, sized: bool) -> DecisionShape:
    return DecisionShape(outcome, events, opens, sized)


def test_notes_say_what_can_and_what_cannot_reach_the_decision() -> None:
    assert notes_of(shape(Outcome.TRADE, events=False, opens=True, sized=True)) == ()
    assert notes_of(shape(Outcome.TRADE, events=True, opens=True, sized=True)) == (TOLD_ON,)
    assert notes_of(shape(Outcome.TRADE, events=True, opens=True, sized=False)) == (f"{OWN_SIZE} Change the quantity instead.", TOLD_ON)
    (quiet,) = notes_of(shape(Outcome.NO_SIGNAL, events=False, opens=False, sized=False))
    assert quiet.startswith("This decision opened nothing")
    for outcome, start in (
        (Outcome.WARMING_UP, "The strategy was still warming up"),
        (Outcome.FORECAST_REFUSED, "There was no forecast"),
        (Outcome.HALTED, "A halt stood in the way"),
        (Outcome.FAILED, "The strategy failed"),
    ):
        notes = notes_of(shape(outcome, events=True, opens=False, sized=False))
        assert notes[0].startswith(start)
        assert (TOLD_ON in notes) == (outcome is not Outcome.FAILED)


def test_a_risk_per_trade_that_no_size_comes_of_is_refused() -> None:
    own, theirs = (shape(Outcome.TRADE, events=True, opens=True, sized=sized) for sized in (False, True))
    for changes in (WhatIfChanges(quantity=Decimal(1)), WhatIfChanges(risk_per_trade=Decimal("0.01"), is_lasting=True)):
        refuse_pointless(own, changes)
    refuse_pointless(theirs, WhatIfChanges(risk_per_trade=Decimal("0.01")))
    with pytest.raises(InvalidInput) as caught:
        refuse_pointless(own, WhatIfChanges(risk_per_trade=Decimal("0.01")))
    assert caught.value.where == "risk_per_trade"


@dataclass(frozen=True)
class NoParameters:
    pass


class BuysOnce(EventStrategy):
    kind = "buys_once"
    title = "Buys once"
    Parameters = NoParameters

    def on_bar(self, bar: BarEvent) -> None:
        if bar.index == 2:
            self.buy()


def test_a_size_that_is_left_to_the_session_follows_the_risk_per_trade() -> None:
    window = random_window(90, seed=3)
    plan = account(opening(window, 70))
    runs = {}
    for risk in (Decimal("0.02"), Decimal("0.01")):
        decided = opening(window, 73)
        change = DecisionChange(session(BuysOnce(NoParameters()), window).id, decided, risk_per_trade=risk)
        made = run_sessions(
            plan, [session(BuysOnce(NoParameters()), window)], [window], forecasts=NoForecasts(), change=change,
            watched=(change.session_id, decided),
        )  # fmt: skip
        assert made.watched is not None
        assert made.watched.sizing is not None
        (order,) = made.watched.orders
        assert order.quantity == made.watched.sizing.quantity == made.fills[0].quantity
        runs[risk] = made.watched.sizing
    full, half = runs[Decimal("0.02")], runs[Decimal("0.01")]
    assert 0 < half.quantity < full.quantity
