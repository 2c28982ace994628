"""A limit is declared in one place: code, meaning, defaults and what it measures."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from apps.core.errors import InvalidInput
from apps.core.vocabulary import TradingMode
from apps.risk.domain import rules
from apps.risk.domain.limits import limit_help, limit_rules, strictest
from apps.risk.domain.rules import Measured, Must, Seeds, limit, registered
from apps.risk.domain.values import CheckResult, LimitCode
from tests.unit.risk.proposals import make_exit, make_facts, make_proposal

SEEDS = Seeds(Decimal(1000), Decimal("0.1"), 20, Decimal("0.6"))


@pytest.fixture
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rules, "_rules", {})
    yield


def declare(must: Must, value: Decimal | None, *, code: str = "MADE_UP") -> rules.LimitRule:
    limit(code, must, help="Made up.", paper=Decimal(5), live=lambda seeds: seeds.capital)(lambda *_: Measured(value, "It is so much"))
    return registered()[code]


def check(rule: rules.LimitRule, limits: dict[str, Decimal | None]) -> CheckResult:
    return rule.check(make_proposal(), make_facts(), limits)


@pytest.mark.parametrize(
    ("must", "passing", "failing"),
    [(Must.BE_AT_MOST, ["4", "5"], ["5.01"]), (Must.BE_BELOW, ["4.99"], ["5", "6"]), (Must.BE_AT_LEAST, ["5", "6"], ["4.99"])],
)
def test_a_value_is_compared_as_declared(must: Must, passing: list[str], failing: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for value, wanted in [(value, True) for value in passing] + [(value, False) for value in failing]:
        monkeypatch.setattr(rules, "_rules", {})
        result = check(declare(must, Decimal(value)), {"MADE_UP": Decimal(5)})
        assert (result.code, result.passed, result.value, result.limit) == ("MADE_UP", wanted, value, "5")
        assert result.message == "It is so much; the limit is 5."


@pytest.mark.parametrize("value", [None, Decimal("NaN"), Decimal("-0.01")])
@pytest.mark.parametrize("must", list(Must))
def test_what_is_not_known_refuses_but_an_exit(must: Must, value: Decimal | None, empty_registry: None) -> None:
    rule = declare(must, value)
    assert not check(rule, {"MADE_UP": Decimal(5)}).passed
    assert rule.check(make_exit(), make_facts(), {}).passed


def test_a_limit_that_is_not_set_refuses_and_one_switched_off_does_not(empty_registry: None) -> None:
    rule = declare(Must.BE_AT_MOST, Decimal(1))
    assert not check(rule, {}).passed
    assert check(rule, {"MADE_UP": None}).limit == "off"
    assert check(rule, {"MADE_UP": None}).passed


def test_defaults_are_a_number_or_follow_from_the_settings(empty_registry: None) -> None:
    rule = declare(Must.BE_AT_MOST, Decimal(1))
    assert rule.default(TradingMode.PAPER, SEEDS) == 5
    assert rule.default(TradingMode.LIVE, SEEDS) == 1000


@pytest.mark.parametrize("code", ["HALT", "lower_case", "", "X" * 31, "1_FIRST"])
def test_a_code_that_cannot_be_stored_or_is_a_condition_is_refused(code: str, empty_registry: None) -> None:
    with pytest.raises(InvalidInput):
        declare(Must.BE_AT_MOST, Decimal(1), code=code)


def test_two_limits_cannot_share_a_code(empty_registry: None) -> None:
    declare(Must.BE_AT_MOST, Decimal(1))
    with pytest.raises(InvalidInput, match="MADE_UP"):
        declare(Must.BE_BELOW, Decimal(1))


def test_the_limits_that_ship_are_declared_once_each_with_their_meaning() -> None:
    assert [rule.code for rule in limit_rules()] == list(LimitCode)
    assert all(rule.help.endswith(".") for rule in limit_rules())
    assert limit_help("REMOVED_LONG_AGO").startswith("No file of this installation")


def test_the_strictest_is_the_smallest_unless_the_limit_is_a_least() -> None:
    assert {rule.code for rule in limit_rules() if rule.larger_is_stricter} == {LimitCode.MIN_CONFIDENCE, LimitCode.DUPLICATE_ORDER}
    assert strictest("REMOVED_LONG_AGO", [Decimal(2), Decimal(1)]) == 1
