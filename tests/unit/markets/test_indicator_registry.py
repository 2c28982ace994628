"""What the registry refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from apps.core.errors import InvalidInput, NotFound
from apps.markets.domain.indicators import INDICATORS, compute, stream
from apps.markets.domain.indicators.registry import LONGEST, indicator

CLOSE = {"close": np.arange(30.0)}


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("sma", {"length": 0}, f"0 is no length of sma. (sma) It must be a whole number from 1 to {LONGEST}."),
        ("sma", {"length": LONGEST + 1}, "is no length of sma"),
        ("sma", {"length": 2.0}, "2.0 is no length of sma"),
        ("sma", {"length": True}, "True is no length of sma"),
        ("sma", {"length": "5"}, "'5' is no length of sma"),
        ("sma", {"bars": 5}, "The indicator sma has no parameter bars. (sma) It takes length."),
        ("ibs", {"length": 5}, "The indicator ibs has no parameter length. (ibs) It takes none."),
        ("bollinger", {"factor": float("nan")}, "nan is no factor of bollinger. (bollinger) It must be a number from 0 to 100."),
        ("rsi", {"average": "hull"}, "'hull' is no average of rsi. (rsi) It must be one of wilder, simple, exponential."),
    ],
)
def test_a_parameter_out_of_bounds_is_refused(name: str, parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        compute(name, CLOSE, **parameters)
    assert says in str(refused.value)
    with pytest.raises(InvalidInput):
        stream(name, **parameters)


def test_an_unknown_indicator_is_not_found() -> None:
    with pytest.raises(NotFound, match="There is no indicator moon"):
        compute("moon", CLOSE)
    with pytest.raises(NotFound, match="There is no indicator moon"):
        stream("moon")


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="The indicator atr needs the column high"):
        compute("atr", CLOSE)
    with pytest.raises(InvalidInput, match="one dimension and one length"):
        compute("donchian", {"high": np.arange(3.0), "low": np.arange(4.0)})
    with pytest.raises(InvalidInput, match="one dimension and one length"):
        compute("sma", {"close": np.ones((2, 2))})


def test_a_wrong_number_of_values_is_refused() -> None:
    with pytest.raises(InvalidInput, match="atr takes 3 values a bar, got 1"):
        stream("atr").update(1.0)


def test_whole_numbers_are_taken_as_prices_and_the_columns_are_left_alone() -> None:
    close = np.arange(1, 6)
    assert compute("sma", {"close": close, "colour": "red"}, length=2)["sma"].tolist()[1:] == [1.5, 2.5, 3.5, 4.5]
    assert close.tolist() == [1, 2, 3, 4, 5]


def test_two_indicators_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidInput, match="There are two indicators sma"):
        indicator("sma", "average", "Another.")(lambda bars: bars.close)


def test_enough_is_offered() -> None:
    wanted = (
        "rsi macd sma ema bollinger atr realised_volatility volume_profile adx obv vwap stochastic supertrend ichimoku psar cci mfi keltner"
    )
    assert set(wanted.split()) <= set(INDICATORS)
