"""Every check, on both sides of its limit; exits are never held back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.core.vocabulary import OrderType, Side, TradingMode
from apps.risk.domain.gate import judge
from apps.risk.domain.values import CheckCode, LimitCode
from tests.unit.risk.proposals import INSTRUMENT, LIMITS, failures, make_exit, make_facts, make_proposal


def test_every_check_is_in_the_verdict_once_and_in_order() -> None:
    assert [check.code for check in judge(make_proposal(), make_facts(), LIMITS)] == list(CheckCode)
    assert [check.code for check in judge(make_exit(), make_facts(), LIMITS)] == list(CheckCode)


def test_a_good_order_passes_every_check_with_a_sentence_for_each() -> None:
    checks = judge(make_proposal(), make_facts(), LIMITS)
    assert failures(checks) == set()
    assert all(check.message.endswith(".") for check in checks)


LIMIT_TABLE: list[tuple[CheckCode, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # check, proposal and facts that just pass, proposal and facts that just fail
    (CheckCode.MAX_ORDER_NOTIONAL, {"quantity": Decimal(500)}, {"position_quantity": Decimal(0)}, {"quantity": Decimal(501)}, {}),
    (CheckCode.MAX_POSITION_NOTIONAL, {}, {"position_quantity": Decimal(700)}, {}, {"position_quantity": Decimal(701)}),
    (CheckCode.MAX_POSITION_NOTIONAL, {}, {"reserved_same_side": Decimal(500)}, {}, {"reserved_same_side": Decimal(501)}),
    (CheckCode.MAX_POSITION_NOTIONAL, {"side": Side.SELL}, {"position_quantity": Decimal(-700)}, {"side": Side.SELL}, {"position_quantity": Decimal(-701)}),
    (CheckCode.MAX_GROSS_EXPOSURE, {}, {"gross_exposure": Decimal(95000)}, {}, {"gross_exposure": Decimal("95000.01")}),
    (CheckCode.MAX_GROSS_EXPOSURE, {}, {"reserved_notional": Decimal(85000)}, {}, {"reserved_notional": Decimal("85000.01")}),
    (CheckCode.MAX_OPEN_ORDERS, {}, {"open_orders": 9}, {}, {"open_orders": 10}),
    (CheckCode.MAX_ORDERS_PER_DAY, {}, {"orders_today": 19}, {}, {"orders_today": 20}),
    (CheckCode.MAX_DAILY_LOSS, {}, {"day_start_equity": Decimal(111111)}, {}, {"day_start_equity": Decimal(111112)}),
    (CheckCode.MAX_DRAWDOWN, {}, {"peak_equity": Decimal("199999.9")}, {}, {"peak_equity": Decimal(200000)}),
    (CheckCode.MIN_CONFIDENCE, {"confidence": Decimal("0.5")}, {}, {"confidence": Decimal("0.49")}, {}),
    (CheckCode.PRICE_COLLAR, {"reference_price": Decimal("63.7")}, {}, {"reference_price": Decimal("63.71")}, {}),
    (CheckCode.PRICE_COLLAR, {"reference_price": Decimal("34.3")}, {}, {"reference_price": Decimal("34.29")}, {}),
    (CheckCode.MAX_DATA_AGE, {"data_age_bars": 1}, {}, {"data_age_bars": 2}, {}),
    (CheckCode.DUPLICATE_ORDER, {"is_manual": True}, {"is_duplicate": False}, {"is_manual": True}, {"is_duplicate": True}),
    (CheckCode.FREE_CASH, {}, {"cash": Decimal(5050)}, {}, {"cash": Decimal("5049.99")}),
    (CheckCode.FREE_CASH, {}, {"reserved_cash": Decimal(84950)}, {}, {"reserved_cash": Decimal("84950.01")}),
    (CheckCode.HALT, {}, {}, {}, {"halt_reason": "a test"}),
    (CheckCode.MODE, {}, {}, {"mode": TradingMode.LIVE}, {}),
    (CheckCode.MODE, {}, {}, {}, {"is_open": False}),
    (CheckCode.INSTRUMENT_RULES, {}, {"currency": "USD"}, {}, {"currency": "EUR"}),
    (CheckCode.INSTRUMENT_RULES, {"quantity": Decimal(1)}, {}, {"quantity": Decimal("1.5")}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "good", "good_facts", "bad", "bad_facts"), LIMIT_TABLE)
def test_each_check_passes_at_its_limit_and_fails_beyond_it(
    code: CheckCode, good: dict[str, Any], good_facts: dict[str, Any], bad: dict[str, Any], bad_facts: dict[str, Any]
) -> None:
    assert failures(judge(make_proposal(**good), make_facts(**good_facts), LIMITS)) == set()
    assert failures(judge(make_proposal(**bad), make_facts(**bad_facts), LIMITS)) == {code}


@pytest.mark.parametrize(
    "changes",
    [
        {"order_type": OrderType.LIMIT, "limit_price": None},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal("49.005")},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal(100001)},
        {"order_type": OrderType.STOP, "stop_price": None},
        {"quantity": Decimal(100001)},
    ],
)
def test_orders_off_the_instrument_s_grid_are_refused(changes: dict[str, Any]) -> None:
    assert CheckCode.INSTRUMENT_RULES in failures(judge(make_proposal(**changes), make_facts(), LIMITS))


def test_less_than_the_least_order_value_is_refused() -> None:
    checks = judge(make_proposal(reference_price=Decimal(9), previous_close=Decimal(9), quantity=Decimal(1)), make_facts(), LIMITS)
    assert failures(checks) == {CheckCode.INSTRUMENT_RULES}


def test_a_limit_buy_far_above_the_market_hits_the_collar_and_one_far_below_does_not() -> None:
    high = make_proposal(order_type=OrderType.LIMIT, limit_price=Decimal(70))
    low = make_proposal(order_type=OrderType.LIMIT, limit_price=Decimal(20))
    assert failures(judge(high, make_facts(), LIMITS)) == {CheckCode.PRICE_COLLAR}
    assert failures(judge(low, make_facts(), LIMITS)) == set()


def test_a_tenfold_spike_is_refused() -> None:
    checks = judge(make_proposal(reference_price=Decimal(490), quantity=Decimal(1)), make_facts(position_quantity=Decimal(0)), LIMITS)
    assert failures(checks) == {CheckCode.PRICE_COLLAR}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reference_price": None}, CheckCode.VALID_NUMBERS),
        ({"previous_close": None}, CheckCode.PRICE_COLLAR),
        ({"confidence": None}, CheckCode.MIN_CONFIDENCE),
        ({"data_age_bars": None}, CheckCode.MAX_DATA_AGE),
        ({"data_age_bars": -1}, CheckCode.MAX_DATA_AGE),
        ({"data_at": None}, CheckCode.MAX_DATA_AGE),
        ({"confidence": Decimal("1.01")}, CheckCode.MIN_CONFIDENCE),
    ],
)
def test_what_is_missing_refuses(changes: dict[str, Any], code: CheckCode) -> None:
    assert code in failures(judge(make_proposal(**changes), make_facts(), LIMITS))


def test_a_person_s_order_needs_no_confidence() -> None:
    assert failures(judge(make_proposal(confidence=None, is_manual=True), make_facts(), LIMITS)) == set()


def test_sessions_may_repeat_an_order_on_another_bar() -> None:
    assert failures(judge(make_proposal(), make_facts(is_duplicate=True), LIMITS)) == set()


@pytest.mark.parametrize("code", list(LimitCode))
def test_a_limit_that_is_not_set_refuses_and_one_switched_off_does_not(code: LimitCode) -> None:
    proposal = make_proposal(is_manual=code is LimitCode.DUPLICATE_ORDER)
    without = {key: value for key, value in LIMITS.items() if key is not code}
    assert failures(judge(proposal, make_facts(), without)) == {CheckCode(code.value)}
    checks = judge(proposal, make_facts(), {**LIMITS, code: None})
    assert failures(checks) == set()
    assert next(check for check in checks if check.code == code.value).limit == "off"


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("Infinity"), Decimal(-1)])
@pytest.mark.parametrize("code", list(LimitCode))
def test_a_limit_that_is_no_usable_number_refuses(code: LimitCode, bad: Decimal) -> None:
    proposal = make_proposal(is_manual=code is LimitCode.DUPLICATE_ORDER)
    assert failures(judge(proposal, make_facts(), {**LIMITS, code: bad})) == {CheckCode(code.value)}


def test_live_orders_need_both_switches() -> None:
    live = make_proposal(mode=TradingMode.LIVE)
    assert failures(judge(live, make_facts(account_mode=TradingMode.LIVE), LIMITS)) == {CheckCode.MODE}
    assert failures(judge(live, make_facts(account_mode=TradingMode.LIVE, live_refusal=""), LIMITS)) == set()


def test_an_exit_passes_whatever_the_account_s_state() -> None:
    ruined = make_facts(
        halt_reason="a test", equity=Decimal(1), cash=Decimal(-5000), gross_exposure=Decimal(10**9), day_start_equity=Decimal(10**6),
        peak_equity=Decimal(10**6), reserved_cash=Decimal(10**9), reserved_notional=Decimal(10**9), open_orders=10**6, orders_today=10**6,
        is_duplicate=True, currency="EUR",
    )  # fmt: skip
    blind = make_exit(confidence=None, previous_close=None, reference_price=None, data_at=None, data_age_bars=None)
    assert failures(judge(blind, ruined, {})) == set()


@pytest.mark.parametrize(
    ("changes", "facts", "passes"),
    [
        ({"quantity": Decimal(200)}, {}, True),
        ({"quantity": Decimal(201)}, {}, False),
        ({"quantity": Decimal(100)}, {"reserved_exits": Decimal(100)}, True),
        ({"quantity": Decimal(101)}, {"reserved_exits": Decimal(100)}, False),
        ({"side": Side.BUY}, {}, False),
        ({"side": Side.BUY, "quantity": Decimal(200)}, {"position_quantity": Decimal(-200)}, True),
        ({}, {"position_quantity": Decimal(0)}, False),
        ({}, {"position_quantity": Decimal("NaN")}, False),
    ],
)
def test_an_exit_is_within_the_position_and_other_open_exits(changes: dict[str, Any], facts: dict[str, Any], passes: bool) -> None:
    assert (CheckCode.EXIT_WITHIN_POSITION not in failures(judge(make_exit(**changes), make_facts(**facts), LIMITS))) is passes


@pytest.mark.parametrize(
    ("gross_exposure", "passes"),
    [(Decimal(194950), True), (Decimal("194950.01"), False), (Decimal("NaN"), False)],
    ids=["fits", "over", "unknown"],
)
def test_on_margin_there_is_room_for_what_equity_carries_beside_all_positions(gross_exposure: Decimal, passes: bool) -> None:
    """Cash of 250,000, most of it brought by short sales, is no room: equity of 100,000 carries 200,000, and the order needs 5,050 of it."""
    short = make_facts(leverage=Decimal(2), cash=Decimal(250_000), equity=Decimal(100_000), gross_exposure=gross_exposure)
    limits = LIMITS | {LimitCode.MAX_GROSS_EXPOSURE: None}
    assert (CheckCode.FREE_CASH not in failures(judge(make_proposal(), short, limits))) is passes


def test_dust_below_the_least_quantity_may_be_closed() -> None:
    dusty = make_exit(
        quantity=Decimal(1), instrument=INSTRUMENT.__class__(**{**_fields(), "min_quantity": Decimal(5), "min_notional": Decimal(1000)})
    )
    assert failures(judge(dusty, make_facts(), LIMITS)) == set()


def _fields() -> dict[str, Any]:
    return {name: getattr(INSTRUMENT, name) for name in INSTRUMENT.__dataclass_fields__}


PROTECTION: dict[str, Any] = {
    "order_type": OrderType.STOP,
    "is_reduce_only": True,
    "has_relative_price": True,
    "parent_quantity": Decimal(100),
}


def test_a_child_needs_no_position_but_is_not_larger_than_its_parent() -> None:
    flat = make_facts(position_quantity=Decimal(0))
    assert failures(judge(make_exit(**PROTECTION), flat, LIMITS)) == set()
    larger = make_exit(**PROTECTION | {"quantity": Decimal(101)})
    assert failures(judge(larger, flat, LIMITS)) == {CheckCode.EXIT_WITHIN_POSITION}
    unknown = make_exit(**PROTECTION | {"parent_quantity": Decimal("NaN")})
    assert failures(judge(unknown, flat, LIMITS)) == {CheckCode.EXIT_WITHIN_POSITION}


def test_no_loss_and_no_count_holds_protection_back() -> None:
    worst = make_facts(
        position_quantity=Decimal(0), day_start_equity=Decimal(10**9), peak_equity=Decimal(10**9), orders_today=10**6, open_orders=10**6,
        cash=Decimal(-1), halt_reason="a test",
    )  # fmt: skip
    assert failures(judge(make_exit(**PROTECTION), worst, LIMITS)) == set()


def test_reduce_only_exits_share_a_position_and_others_do_not() -> None:
    facts = make_facts(position_quantity=Decimal(100), reserved_exits=Decimal(100))
    assert failures(judge(make_exit(), facts, LIMITS)) == {CheckCode.EXIT_WITHIN_POSITION}
    assert failures(judge(make_exit(is_reduce_only=True), facts, LIMITS)) == set()
    assert failures(judge(make_exit(is_reduce_only=True, quantity=Decimal(101)), facts, LIMITS)) == {CheckCode.EXIT_WITHIN_POSITION}
    assert failures(judge(make_exit(is_reduce_only=True, side=Side.BUY), facts, LIMITS)) == {CheckCode.EXIT_WITHIN_POSITION}


def test_a_stop_limit_needs_both_prices_and_is_held_to_the_collar_by_its_limit() -> None:
    prices = {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal(55), "limit_price": Decimal(56)}
    assert failures(judge(make_proposal(**prices), make_facts(), LIMITS)) == set()
    assert CheckCode.INSTRUMENT_RULES in failures(judge(make_proposal(**prices | {"stop_price": None}), make_facts(), LIMITS))
    assert failures(judge(make_proposal(**prices | {"limit_price": Decimal(64)}), make_facts(), LIMITS)) == {CheckCode.PRICE_COLLAR}
