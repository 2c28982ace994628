"""What a bar of an event or vector strategy in a session would have been: sizes, limits and costs go through the twin, order by order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from apps.backtests.domain.what_if import WhatIfChanges
from apps.backtests.models import WhatIf
from apps.backtests.selectors.paper_runs import paper_run
from apps.backtests.selectors.what_ifs import changeable
from apps.backtests.services.what_ifs import answer, request_what_if
from apps.core.errors import Conflict, InvalidInput
from apps.markets import selectors as markets
from apps.orders.domain.venue_profiles import VenueTerms
from apps.strategies import selectors as strategies
from apps.strategies.models import Decision
from apps.strategies.services import event_sessions
from tests.factories.scripted import KIND, registered
from tests.integration.backtests.paper_world import tamper
from tests.minute_series import walk
from tests.minutes import CAPITAL, TENTH, MinuteWorld, paper_fills, run_fills
from tests.plain_forms import event_run

pytestmark = pytest.mark.django_db
BARS = 30
CROSS = {"fast_bars": 2, "slow_bars": 3, "quantity": 2.0, "stop_loss_percent": 0.5, "take_profit_percent": 0.5}


@pytest.fixture
def scripted() -> Iterator[None]:
    with registered():
        event_sessions._living.clear()
        yield
        event_sessions._living.clear()


def cross_world(kind: str = "ema_cross", *, terms: VenueTerms = TENTH) -> MinuteWorld:
    world = MinuteWorld(walk(BARS + 1, seed=5), terms=terms)
    world.open_session(kind, **CROSS)
    world.step(BARS)
    return world


def traded(**given: Any) -> list[Decision]:
    return list(Decision.objects.filter(outcome="TRADE", **given).order_by("id"))


def ask(world: MinuteWorld, decision: Decision, **changes: Any) -> dict[str, Any]:
    """The answer as it is stored."""
    wanted = WhatIfChanges(**changes)
    wanted.check(markets.instrument_spec(decision.instrument_id))
    made = answer(paper_run(world.account_id), strategies.decision(decision.id), wanted, lambda *_: None)
    assert made.is_reproduced, made.differences
    stored: dict[str, Any] = json.loads(json.dumps(made.to_json()))
    return stored


def final_equity(world: MinuteWorld, **parameters: object) -> Decimal:
    """Of the plain run, with nothing of sessions in it."""
    made = event_run("ema_cross", {**CROSS, **parameters}, world.account_id, world.window(), cash=CAPITAL)
    return int(made.equity[-1]) * world.instrument.cash_unit


@pytest.mark.parametrize("kind", ["ema_cross", "vector:ema_cross"])
def test_another_size_from_the_first_entry_on_is_the_run_with_that_size(kind: str) -> None:
    world = cross_world(kind)
    first = traded()[0]
    assert run_fills(event_run("ema_cross", CROSS, world.account_id, world.window(), cash=CAPITAL).fills, world.instrument) == paper_fills(
        world.account_id, world.instrument
    )
    result = ask(world, first, quantity=Decimal(5), is_lasting=True)
    assert Decimal(result["money"]["difference_now"]) == final_equity(world, quantity=5.0) - final_equity(world)
    stored, other = result["stored"], result["other"]
    assert [item["order"] for item in stored["orders"]] == ["BUY 2 BTC", "SELL 2 BTC", "SELL 2 BTC"]
    assert [item["order"] for item in other["orders"]] == ["BUY 5 BTC", "SELL 5 BTC", "SELL 5 BTC"]
    assert [(item["kind"], item["prices"], item["is_child"]) for item in other["orders"]] == [
        ("MARKET", [], False),
        ("STOP", ["stop -0.5 %"], True),
        ("LIMIT", ["limit +0.5 %"], True),
    ]
    assert sum(Decimal(fill["quantity"]) for fill in other["orders"][0]["fills"]) == Decimal("4.736"), "the stop came before the rest"
    assert (stored["order"], stored["quantity"], other["quantity"], result["is_same"]) == ("BUY 2 BTC", "2", "5", False)


def test_a_size_for_one_entry_leaves_the_exit_to_the_strategy_and_exits_keep_theirs() -> None:
    world = cross_world(terms=VenueTerms(allows_short=False))
    entry, leaving = traded()[:2]
    result = ask(world, entry, quantity=Decimal(1))
    money = result["money"]
    assert Decimal(money["difference"]) == -Decimal(money["pnl_stored"]) / 2, "half of it was traded, at the same prices"
    assert money["difference"] == money["difference_now"]
    assert leaving.sentence.startswith("Sell 2 BTC")
    kept = ask(world, leaving, quantity=Decimal(1))
    assert (kept["is_same"], kept["other"]["order"], kept["money"]["difference"]) == (True, "SELL 2 BTC", "0")
    assert kept["other"]["changes"] == ["Cancel the stop sell of BTC", "Cancel the limit sell of BTC"]


def test_a_limit_refuses_every_order_of_the_bar_and_costs_are_paid_to_the_end() -> None:
    world = cross_world()
    entry = traded()[0]
    result = ask(world, entry, limits={"MAX_ORDER_NOTIONAL": Decimal(10)})
    other = result["other"]
    assert (other["outcome"], other["orders"]) == ("REFUSED_BY_RISK", [])
    assert len(other["refusals"]) == 1, "an entry that is refused is given no protection"
    assert (result["money"]["pnl_other"], result["is_same"]) == ("0", False)
    dear = ask(world, entry, fee_bps=Decimal(10), is_lasting=True)
    assert dear["is_same"], "costs change no decision"
    fees = sum((fill.fee for fill in paper_fills(world.account_id, world.instrument)), Decimal(0))
    assert abs(Decimal(dear["money"]["difference_now"]) + fees) < Decimal("0.01"), "twice the fee, up to rounding"
    unsure = ask(world, entry, confidence=Decimal("0.2"), limits={"MIN_CONFIDENCE": Decimal("0.4")})["other"]
    assert unsure["outcome"] == "REFUSED_BY_RISK"
    check_offers(entry)


def test_every_kind_of_decision_is_made_again_as_it_was(scripted: None) -> None:
    """Entries of every kind, brackets, amended and cancelled orders, exits, and bars on which nothing was ordered."""
    world = MinuteWorld(walk(51, seed=5))
    world.open_session(KIND, seed=3)
    world.step(50)
    asked = [*traded(), *Decision.objects.exclude(outcome="TRADE").order_by("id")[::16]]
    kinds, changes = set(), set()
    for decision in asked:
        result = ask(world, decision, confidence=Decimal("0.5"))
        assert (result["is_same"], result["money"]["difference_now"], result["stored"]) == (True, "0", result["other"])
        kinds |= {item["kind"] for item in result["stored"]["orders"]}
        changes |= {text.split()[0] for text in result["stored"]["changes"]}
        assert len(result["stored"]["orders"]) == len(decision.order_ids)
    assert (kinds, changes) == ({"MARKET", "LIMIT", "STOP", "TRAILING"}, {"Cancel", "Change"})


def check_offers(entry: Decision) -> None:
    """The form offers what makes sense and says why."""
    leaving = traded()[1]
    quiet = Decision.objects.filter(outcome="NO_SIGNAL").order_by("-id")[0]
    offered = changeable(entry.id)
    assert offered is not None
    assert (offered.confidence, offered.quantity, offered.sizes_itself) == (0.5, Decimal(2), True)
    assert offered.notes[0].endswith("Change the quantity instead.")
    for decision in (leaving, quiet):
        offered = changeable(decision.id)
        assert offered is not None
        assert offered.quantity is None
        assert offered.notes[0].startswith("This decision opened nothing")
    with pytest.raises(InvalidInput) as caught:
        request_what_if(decision_id=entry.id, changes=WhatIfChanges(risk_per_trade=Decimal("0.01")), actor="ada")
    assert caught.value.where == "risk_per_trade"
    assert WhatIf.objects.count() == 0
    request_what_if(decision_id=entry.id, changes=WhatIfChanges(risk_per_trade=Decimal("0.01"), is_lasting=True), actor="ada")
    tamper("UPDATE strategies_decision SET outcome = 'LATE_BAR' WHERE id = %s", [quiet.id])
    assert changeable(quiet.id) is None
    with pytest.raises(Conflict):
        request_what_if(decision_id=quiet.id, changes=WhatIfChanges(confidence=Decimal(1)), actor="ada")
