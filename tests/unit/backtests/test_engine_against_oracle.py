"""The kernels and the oracle, fed the same orders and events, agree on every order, fill, amount, trade and entry."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.backtests.seeds import fresh_seed
from tests.unit.backtests.streams import Plan, Result, run_stream, run_streams
from tests.unit.backtests.worlds import Dice

PINNED = 20_261_120


class DrawnDice(Dice):
    """Numbers that Hypothesis chooses, so that it can look for the smallest stream that differs."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def number(self, low: int, high: int) -> int:
        return self._data.draw(st.integers(low, high))

    def chance(self, probability: float) -> bool:
        return self._data.draw(st.integers(0, 9_999)) < probability * 10_000


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_small_streams_agree(data: st.DataObject) -> None:
    result = Result()
    run_stream(DrawnDice(data), result, Plan(periods=4), name="drawn")
    assert result.differences == []


def test_streams_of_a_pinned_seed_agree_and_meet_everything() -> None:
    result = run_streams(PINNED, 110)
    assert result.differences == []
    assert result.never_occurred() == []


@pytest.mark.parametrize("is_skipping", [False, True])
def test_streams_of_a_fresh_seed_agree(is_skipping: bool) -> None:
    """With `is_skipping` the engine leaves out the bars inside its envelope: the books are the same."""
    seed = fresh_seed()
    result = run_streams(seed, 40, Plan(is_skipping=is_skipping))
    assert result.differences == []
    assert result.fills > 0
    assert (result.skipped > 0) is is_skipping
