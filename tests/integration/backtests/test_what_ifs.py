"""What a decision would have been: reproduced first, then made again with one thing changed, and replayed to the session's exit or to now."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apps.backtests.domain.states import RunState
from apps.backtests.domain.what_if import WhatIfChanges
from apps.backtests.models import WhatIf
from apps.backtests.selectors.paper_runs import paper_run
from apps.backtests.selectors.what_ifs import WhatIfView, changeable, what_if
from apps.backtests.services import what_ifs as service
from apps.backtests.services.claims import LARGEST_ATTEMPT, LEASE
from apps.backtests.services.what_ifs import answer, cancel_what_if, execute_what_if, request_what_if, sweep_what_ifs
from apps.core.errors import NotFound
from apps.markets import selectors as markets
from apps.orders.models import Fill
from apps.portfolio.models import EquitySnapshot
from apps.risk import services as risk
from apps.risk.domain.numbers import show
from apps.strategies import selectors as strategies
from apps.strategies.models import Decision
from tests.integration.backtests.paper_world import account_of_world, entry, fill_of, open_world, tamper, wall

pytestmark = pytest.mark.django_db
BARS = 6


def ask(decision: Decision, **changes: Any) -> dict[str, Any]:
    """The answer as it is stored, worked out in this process."""
    wanted = WhatIfChanges(**changes)
    wanted.check(markets.instrument_spec(decision.instrument_id))
    seen: list[tuple[int, int, int]] = []
    made = answer(paper_run(account_of_world()), strategies.decision(decision.id), wanted, lambda *step: seen.append(step))
    assert seen
    stored: dict[str, Any] = json.loads(json.dumps(made.to_json()))
    return stored


def execute(decision: Decision, **changes: Any) -> WhatIfView:
    """Asked for, claimed and stored, as a worker does it."""
    what_if_id = request_what_if(decision_id=decision.id, changes=WhatIfChanges(**changes), actor="ada")
    assert execute_what_if(what_if_id)
    return what_if(what_if_id)


def equity_of_rows(after: Any) -> list[Decimal]:
    return list(EquitySnapshot.objects.filter(at__gte=after).order_by("at").values_list("equity", flat=True))


def test_the_stored_side_is_the_stored_decision_and_a_limit_makes_another_one() -> None:
    open_world(BARS)
    decision = entry()
    fill = fill_of(decision)
    result = ask(decision, limits={"MAX_ORDER_NOTIONAL": Decimal(100)}, is_lasting=True)
    assert (result["is_reproduced"], result["is_same"], result["differences"]) == (True, False, [])
    stored, other, money = result["stored"], result["other"], result["money"]
    assert (stored["outcome"], stored["sentence"], stored["checks"]) == (decision.outcome, decision.sentence, decision.checks)
    assert [(item["price"], item["quantity"], item["fee"]) for item in stored["fills"]] == [
        (show(fill.price), show(fill.quantity), show(fill.fee))
    ]
    curve = equity_of_rows(decision.bar_at)
    assert Decimal(money["pnl_stored"]) == curve[-1] - curve[0]
    assert [Decimal(value) for _, value, _ in money["points"]][-len(curve) :] == curve

    assert (other["outcome"], other["order"], other["fills"]) == ("REFUSED_BY_RISK", "", [])
    failed = next(check for check in other["checks"] if not check["passed"])
    assert (failed["code"], failed["limit"]) == ("MAX_ORDER_NOTIONAL", "100")
    last = Decision.objects.filter(session=decision.session).order_by("-bar_at")[0]
    assert Fill.objects.filter(order__origin_id=decision.session_id).count() == 1, "it is still held"
    gain = fill.quantity * (last.close or Decimal(0)) - fill.quantity * fill.price - fill.fee
    assert (Decimal(money["difference"]), money["exit_at"]) == (-gain, None)


def test_size_confidence_and_costs_change_what_they_are_about() -> None:
    open_world(BARS)
    decision = entry()
    fill = fill_of(decision)
    half = ask(decision, risk_per_trade=Decimal("0.01"))["other"]
    assert half["quantity"] == half["order"].split()[1]
    assert Decimal(half["quantity"]) < fill.quantity
    more = ask(decision, quantity=fill.quantity + 3)["other"]
    assert more["order"] == f"BUY {show(fill.quantity + 3)} {fill.instrument.symbol}"
    assert more["size_reason"].endswith("assumed, not worked out.")
    unsure = ask(decision, confidence=Decimal("0.2"))["other"]
    assert (unsure["outcome"], unsure["confidence"]) == ("REFUSED_BY_RISK", 0.2)
    dear = ask(decision, fee_bps=Decimal(100))
    assert dear["is_same"], "costs do not change the decision"
    value = fill.quantity * fill.price
    assert Decimal(dear["other"]["fills"][0]["fee"]) == value / 100
    paid = Fill.objects.filter(occurred_at__gt=decision.bar_at)
    assert Decimal(dear["money"]["difference"]) < -sum(19 * item.fee for item in paid) + 1


def test_what_was_refused_can_be_let_through_and_a_size_alone_trades_nothing() -> None:
    world = open_world(0)
    risk.change_limit(code="MAX_ORDER_NOTIONAL", value=Decimal(100), actor="test", now=wall(), mode="paper")
    world.step()
    risk.change_limit(code="MAX_ORDER_NOTIONAL", value=Decimal(25_000), actor="test", now=wall(), mode="paper")
    world.step(2)
    refused = Decision.objects.filter(outcome="REFUSED_BY_RISK").order_by("id")[0]
    result = ask(refused, limits={"MAX_ORDER_NOTIONAL": Decimal(25_000)})
    assert (result["stored"]["outcome"], result["other"]["outcome"]) == ("REFUSED_BY_RISK", "TRADE")
    assert (result["stored"]["fills"], len(result["other"]["fills"])) == ([], 1)
    idle = Decision.objects.filter(outcome="NO_SIGNAL").order_by("id")[0]
    result = ask(idle, quantity=Decimal(1))
    assert (result["is_reproduced"], result["is_same"]) == (True, True)
    assert (result["money"]["difference"], result["money"]["exit_at"]) == ("0", None)


@pytest.mark.django_db(transaction=True)
def test_the_same_question_is_answered_from_the_store() -> None:
    world = open_world(3)
    decision = entry()
    first = execute(decision, quantity=Decimal(5))
    assert (first.state, first.requested_by, first.error, first.changes) == (RunState.DONE, "ada", "", {"quantity": "5"})
    assert first.result == ask(decision, quantity=Decimal(5))
    again = request_what_if(decision_id=decision.id, changes=WhatIfChanges(quantity=Decimal("5.0")), actor="bob")
    assert (again, execute_what_if(again), WhatIf.objects.count()) == (first.id, False, 1)
    world.step()
    assert request_what_if(decision_id=decision.id, changes=WhatIfChanges(quantity=Decimal(5)), actor="bob") != first.id


def test_a_decision_that_cannot_be_made_again_is_said_and_nothing_invented() -> None:
    open_world(2)
    decision = entry()
    for column, value, kind in (("sentence", "Because.", "decision"), ("position_before", 3, "signal"), ("data_hash", "ffff", "data")):
        tamper(f"UPDATE strategies_decision SET {column} = %s WHERE id = %s", [value, decision.id])
        result = ask(decision, quantity=Decimal(5))
        assert (result["is_reproduced"], result["other"], result["money"]) == (False, None, None)
        assert result["differences"][0]["kind"] == kind


def test_an_unknown_decision_is_not_found() -> None:
    with pytest.raises(NotFound):
        request_what_if(decision_id=UUID(int=1), changes=WhatIfChanges(confidence=Decimal(1)), actor="ada")


def test_a_question_whose_worker_died_is_taken_up_again_and_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    open_world(2)
    what_if_id = request_what_if(decision_id=entry().id, changes=WhatIfChanges(confidence=Decimal(1)), actor="ada")
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(service, "send", lambda task, **ids: sent.append(ids))
    now = wall()
    WhatIf.objects.update(state=RunState.RUNNING, attempt=1, lease_until=now - timedelta(seconds=1))
    assert sweep_what_ifs(now=now) == 1
    assert sent == [{"what_if_id": what_if_id}]
    WhatIf.objects.update(attempt=LARGEST_ATTEMPT, lease_until=now - LEASE)
    assert sweep_what_ifs(now=now) == 0
    assert what_if(what_if_id).state is RunState.FAILED
    assert what_if(what_if_id).error.startswith("Given up")


@pytest.mark.django_db(transaction=True)
def test_a_question_is_cancelled_while_it_waits_and_while_it_is_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    open_world(2)
    waiting = request_what_if(decision_id=entry().id, changes=WhatIfChanges(confidence=Decimal(1)), actor="ada")
    assert cancel_what_if(what_if_id=waiting, actor="ada") is RunState.CANCELLED
    assert (what_if(waiting).error, execute_what_if(waiting)) == ("Cancelled by ada before it began.", False)
    again = request_what_if(decision_id=entry().id, changes=WhatIfChanges(confidence=Decimal(1)), actor="ada")
    assert again != waiting, "what was cancelled can be asked again"

    def slow(paper: Any, decision: Any, changes: Any, progress: Any) -> Any:
        cancel_what_if(what_if_id=again, actor="ada")
        for done in range(100_000):
            progress(0, done, 100_000)
            time.sleep(0.001)

    monkeypatch.setattr(service, "answer", slow)
    assert execute_what_if(again)
    assert (what_if(again).state, what_if(again).error) == (RunState.CANCELLED, "It was cancelled.")
    assert cancel_what_if(what_if_id=again, actor="ada") is RunState.CANCELLED
    with pytest.raises(NotFound):
        cancel_what_if(what_if_id=UUID(int=1), actor="ada")


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_would_hold_its_worker_for_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    open_world(2)
    what_if_id = request_what_if(decision_id=entry().id, changes=WhatIfChanges(confidence=Decimal(1)), actor="ada")
    monkeypatch.setattr(service, "LONGEST", timedelta(0))
    monkeypatch.setattr(service, "_BARS_BETWEEN_LOOKS", 1)
    assert execute_what_if(what_if_id)
    made = what_if(what_if_id)
    assert (made.state, made.result) == (RunState.FAILED, {})
    assert made.error == "After 0 minutes 1 of 4 bars had been made again; it was given up."


def test_the_form_knows_what_was_in_force() -> None:
    open_world(3)
    decision = entry()
    offered = changeable(decision.id)
    assert offered is not None
    assert (offered.risk_per_trade, offered.fee_bps, offered.spread_bps) == (decision.session.risk_per_trade, Decimal(5), Decimal(2))
    assert offered.confidence == decision.signal["confidence"]
    assert {item.code for item in offered.limits} >= {"MAX_ORDER_NOTIONAL", "MIN_CONFIDENCE"}
