"""A scenario as a trader writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.backtests.domain.robustness import Reruns, Robustness, StressLeg, StressScenario, check_robustness
from apps.backtests.domain.stress_text import EXAMPLE, LONGEST_LINE, scenario_of_text, scenarios_of_lines, text_of_scenario
from apps.core.errors import InvalidInput


def leg(change: str, days: int = 1) -> StressLeg:
    return StressLeg(change=Decimal(change), days=days)


def test_the_example_says_everything_and_is_written_alike() -> None:
    found = scenario_of_text(EXAMPLE)
    assert found == StressScenario(
        legs=(leg("-0.2", 3), leg("0", 5)), title="Black Monday", gap=Decimal("-0.05"), slippage_multiple=Decimal(5), volume_divisor=Decimal(10),
        volatility_multiple=Decimal(2), begins_at=datetime(2008, 9, 15, tzinfo=UTC),
    )  # fmt: skip
    assert text_of_scenario(found) == EXAMPLE


@pytest.mark.parametrize(
    ("text", "legs"),
    [
        ("-20 % in 3 days THEN flat", (leg("-0.2", 3), leg("0"))),
        ("-5%, +2.5%,-3% over 2 days", (leg("-0.05"), leg("0.025"), leg("-0.03", 2))),
        ("\N{MINUS SIGN}5 %", (leg("-0.05"),)),
        ("flat for 10 days", (leg("0", 10),)),
        ("300%", (leg("3"),)),
    ],
)
def test_moves_are_read_in_every_usual_form(text: str, legs: tuple[StressLeg, ...]) -> None:
    assert scenario_of_text(text).legs == legs


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "does not say how prices move"),
        (";;;", "does not say how prices move"),
        ("gap -5%", "'gap -5%' is not understood"),
        ("down a lot", "'down a lot' is not understood"),
        ("-20", "'-20' is not understood"),
        ("-20% in no days", "is not understood"),
        ("-20%; fear x5", "'fear x5' is not understood"),
        ("-20%; slippage x-", "is not understood"),
        ("-20%; gap -1%; gap -2%", "says again"),
        ("-20%; from 2008-02-31", "2008-02-31 is no day"),
        ("-1e9%", "is not understood"),
        ("\x00", "is not understood"),
        ("9" * (LONGEST_LINE + 1), "at most"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as told:
        scenario_of_text(text)
    assert sentence in told.value.message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-100%", "above -100 %"),
        ("1001%", "at most 1000 %"),
        ("-5%; gap -100%", "the gap is above -100 %"),
        ("flat 261 days", "at most 260 days"),
        ("-5% in 0 days", "at least a day"),
        ("-5%; slippage x101", "the multiple of slippage must be from 0 to 100"),
        ("-5%; volume /0.5", "the divisor of volumes must be from 1"),
        ("-5%; volatility x-1", "the multiple of volatility must be from 0 to 10"),
        (f"-5%; name {'x' * 61}", "at most 60 letters"),
    ],
)
def test_what_means_nothing_is_refused_before_the_run(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as told:
        check_robustness(Robustness(scenarios=scenarios_of_lines(text)))
    assert sentence in told.value.message and told.value.where == "robustness.scenarios"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Reruns(count=501), "0 to 500 times"),
        (Reruns(count=-1), "0 to 500 times"),
        (Reruns(count=1, latest_start=Decimal("0.91")), "must be from 0 to 0.9"),
        (Reruns(count=1, lowest_costs=Decimal("NaN")), "must be from 0 to 100, got NaN"),
        (Reruns(count=1, lowest_costs=Decimal(3)), "is above the highest"),
        (Reruns(count=1, latest_start=Decimal(0), lowest_costs=Decimal(1), highest_costs=Decimal(1)), "neither the start nor the costs"),
    ],
)
def test_re_runs_that_cannot_be_drawn_are_refused(asked: Reruns, sentence: str) -> None:
    with pytest.raises(InvalidInput) as told:
        check_robustness(Robustness(reruns=asked))
    assert sentence in told.value.message and told.value.where.startswith("robustness.reruns.")


def test_more_scenarios_than_anybody_reads_are_refused() -> None:
    with pytest.raises(InvalidInput, match="At most 10 scenarios, got 11"):
        check_robustness(Robustness(scenarios=scenarios_of_lines("-1%\n" * 11)))


@given(st.text(max_size=60))
def test_garbage_is_refused_with_a_sentence_or_read(text: str) -> None:
    try:
        found = scenario_of_text(text)
    except InvalidInput as error:
        assert error.message and error.where == "robustness.scenarios"
    else:
        assert found.legs


changes = st.decimals("-0.9999", "10", places=4)


@given(
    st.lists(st.builds(StressLeg, change=changes, days=st.integers(1, 260)), min_size=1, max_size=5), changes, st.decimals(0, 100, places=2)
)
def test_what_is_written_is_read_back_the_same(legs: list[StressLeg], gap: Decimal, slippage: Decimal) -> None:
    scenario = StressScenario(legs=tuple(legs), gap=gap, slippage_multiple=slippage, title="A storm")
    assert scenario_of_text(text_of_scenario(scenario)) == scenario
