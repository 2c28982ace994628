"""The mistakes that each rule of orders guards against, one line each: the tests of that rule must notice every one."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from apps.core.errors import Conflict, InvalidInput
from apps.core.vocabulary import OrderType
from apps.orders.services import reconciliation
from tests.factories.trading_world import open_world, place
from tests.faults import test_executor_crashes as crashes
from tests.faults import test_uncertain_answers as uncertain
from tests.faults.mutation import Mutant, passes
from tests.unit.orders import test_matching as matching
from tests.unit.orders import test_validation as validation

pytestmark = pytest.mark.django_db(transaction=True)


def crash_after_sending_was_stored() -> None:
    crashes.crash_and_check("executor.after_sending_stored", random.Random(1))


def crash_after_the_venue_accepted() -> None:
    crashes.crash_and_check("simulated.after_accept", random.Random(1))


def crash_between_fills_and_commit() -> None:
    crashes.crash_and_check("executor.after_fills_stored", random.Random(1))


def same_client_order_id_twice() -> None:
    world = open_world()
    place(world, origin="decision")
    with pytest.raises(Conflict):
        place(world, origin="decision")


def lots_are_checked() -> None:
    with pytest.raises(InvalidInput):
        validation.check(quantity=Decimal("10.4"))


def prices_are_finite() -> None:
    with pytest.raises(InvalidInput):
        validation.check(order_type=OrderType.LIMIT, limit_price=Decimal("NaN"))


def limits_need_to_be_crossed() -> None:
    touched = matching.make_order(1, OrderType.LIMIT, limit=9_000)
    result = matching.outcome(touched, (10_000, 11_000, 9_000), adverse_ppm=0, fee_ppm=0)
    assert result[0] is matching.EngineOrderState.OPEN


SENDING = "apps.orders.services.sending"
RECONCILIATION = "apps.orders.services.reconciliation"
MUTANTS = (
    Mutant(
        "1: an intent that never arrived is given up",
        RECONCILIATION,
        '(Trigger.SEND_AGAIN, "The venue has proven that it never arrived.")',
        '(Trigger.REJECT, "gone")',
        crash_after_sending_was_stored,
    ),
    Mutant(
        "1: what was found at the venue is not taken over",
        RECONCILIATION,
        'apply_trigger(order, found, at=at, detail="Found at the venue.")',
        'apply_trigger(order, Trigger.REJECT, at=at, detail="Found at the venue.")',
        crash_after_the_venue_accepted,
    ),
    Mutant(
        "1: fills are read and not booked in the same transaction",
        "apps.orders.services.fills",
        "        sink.book_fill(record)",
        "        record.id",
        crash_between_fills_and_commit,
    ),
    Mutant(
        "2: no answer is taken for a refusal",
        SENDING,
        "PlaceOutcome.UNCERTAIN: Trigger.LOSE_ANSWER,",
        "PlaceOutcome.UNCERTAIN: Trigger.REJECT,",
        uncertain.test_an_accepted_order_whose_answer_was_lost_is_found_and_not_sent_again,
    ),
    Mutant(
        "3: a create is repeated at a venue whose look-up proves nothing",
        RECONCILIATION,
        "        if broker.is_lookup_final\n        else (Trigger.REJECT",
        "        if True\n        else (Trigger.REJECT",
        uncertain.test_whatever_answers_are_lost_no_intent_is_created_twice,
    ),
    Mutant(
        "3: one miss is taken for proof",
        RECONCILIATION,
        "    if now == missed_at or now - missed_at < grace:",
        "    if False:",
        uncertain.test_an_order_proven_absent_is_sent_again_where_a_look_up_is_final,
    ),
    Mutant(
        "4: a client order id is used again",
        "apps.orders.services.intents",
        "    if Order.objects.filter(client_order_id=order.client_order_id).exists():",
        "    if False:",
        same_client_order_id_twice,
    ),
    Mutant(
        "5: a fill after not found is refused",
        "apps.orders.domain.states",
        "    (_S.REJECTED, _T.FILL): _S.FILLED,",
        "",
        uncertain.test_not_found_is_not_cancelled_and_a_fill_that_follows_is_booked,
    ),
    Mutant(
        "6: a repeated fill is stored again",
        "apps.orders.services.fills",
        "        if key not in known:",
        "        if True:",
        uncertain.test_fills_shuffled_repeated_and_late_come_to_the_same_totals,
    ),
    Mutant(
        "8: orders at the venue that are not ours are overlooked",
        RECONCILIATION,
        "    if foreign := client_ids - ours.keys():",
        "    if foreign := client_ids - client_ids:",
        uncertain.test_an_order_at_the_venue_that_is_not_ours_keeps_the_account_shut,
    ),
    Mutant(
        "14: the lot is not checked",
        "apps.orders.domain.validation",
        "    if quantity % instrument.lot_size:",
        "    if False:",
        lots_are_checked,
    ),
    Mutant(
        "14: a price that is not a number is compared",
        "apps.orders.domain.validation",
        "    require_finite(price, name=name)\n    if price <= 0:",
        "    if price <= 0:",
        prices_are_finite,
    ),
    Mutant(
        "a touch fills a limit",
        "apps.orders.domain.bar_nb",
        "    if beyond < 0 or (beyond == 0 and places[place, I_LIMIT_RULE] != TOUCH):",
        "    if beyond < 0:",
        limits_need_to_be_crossed,
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_the_mistake_is_noticed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(reconciliation, "FINAL_GRACE_SECONDS", 0.0)
    assert passes(mutant.check), "the check fails without the mistake"
    assert not passes(mutant.check, mutant), "the check did not notice the mistake"
