"""Small tables worked out by hand, and TA-Lib as a second judge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import talib
from talib import MA_Type  # type: ignore[attr-defined]

from apps.markets.domain.indicators import INDICATORS, Ema, FloatArray, Sma, Wilder, compute, stream
from apps.markets.domain.indicators.averages_nb import ema_nb, sma_nb
from tests.unit.markets.test_indicators import BARS, drawn, walk

NAN = math.nan
ENDLESS = {"open": 4.0, "high": 4.0, "low": 4.0, "close": 4.0, "volume": 5.0, "reference": 4.0}

# name, parameters, columns, output, expected
TABLE: list[tuple[str, dict[str, Any], dict[str, list[float]], str, list[float]]] = [
    ("sma", {"length": 3}, {"close": [1, 2, 6, 4, 2]}, "sma", [NAN, NAN, 3, 4, 4]),
    ("ema", {"length": 3}, {"close": [1, 3, 2, 6]}, "ema", [1, 2, 2, 4]),
    ("ema", {"length": 3, "seed": "mean"}, {"close": [1, 2, 6, 5]}, "ema", [NAN, NAN, 3, 4]),
    ("rma", {"length": 2}, {"close": [1, 3, 4, 7]}, "rma", [NAN, 2, 3, 5]),
    ("wma", {"length": 3}, {"close": [1, 2, 6, 0]}, "wma", [NAN, NAN, 23 / 6, 14 / 6]),
    ("momentum", {"length": 2}, {"close": [5, 6, 9, 2]}, "momentum", [NAN, NAN, 4, -4]),
    ("roc", {"length": 1}, {"close": [4, 5, 0, 3]}, "roc", [NAN, 25, -100, 0]),
    ("max", {"length": 2}, {"close": [3, 1, 2, 0]}, "max", [NAN, 3, 2, 2]),
    ("min", {"length": 2}, {"close": [3, 1, 2, 4]}, "min", [NAN, 1, 1, 2]),
    ("variance", {"length": 2}, {"close": [1, 3, 3, 7]}, "variance", [NAN, 1, 0, 4]),
    ("std", {"length": 3}, {"close": [2, 2, 2, 5]}, "std", [NAN, NAN, 0, math.sqrt(2)]),
    ("rsi", {"length": 2}, {"close": [10, 11, 10, 10, 13]}, "rsi", [NAN, NAN, 50, 50, 100 * 1.625 / 1.75]),
    ("rsi", {"length": 2}, {"close": [10, 10, 10]}, "rsi", [NAN, NAN, 50]),
    ("cmo", {"length": 2}, {"close": [10, 13, 12]}, "cmo", [NAN, NAN, 50]),
    ("macd", {"fast": 1, "slow": 2, "signal": 2}, {"close": [1, 3, 5, 5]}, "histogram", [NAN, NAN, 0, -2 / 9]),
    ("true_range", {}, {"high": [5, 7, 4], "low": [3, 6, 3], "close": [4, 6, 3]}, "true_range", [NAN, 3, 3]),
    ("atr", {"length": 2}, {"high": [5, 7, 4, 9], "low": [3, 6, 3, 8], "close": [4, 6, 3, 8]}, "atr", [NAN, NAN, 3, 4.5]),
    ("stochastic", {"length": 2, "k": 1, "d": 1}, {"high": [4, 5], "low": [1, 3], "close": [2, 4]}, "k", [NAN, 75]),
    ("williams_r", {"length": 2}, {"high": [4, 5], "low": [1, 3], "close": [2, 4]}, "williams_r", [NAN, -25]),
    ("bollinger", {"length": 2, "factor": 1.0}, {"close": [1, 3, 3, 3]}, "percent", [NAN, 1, 0.5, 0.5]),
    ("donchian", {"length": 2}, {"high": [4, 5, 3], "low": [1, 3, 2]}, "middle", [NAN, 3, 3.5]),
    ("obv", {}, {"close": [3, 4, 4, 2], "volume": [10, 20, 30, 40]}, "obv", [10, 30, 30, -10]),
    ("ad", {}, {"high": [4, 4, 4], "low": [2, 2, 4], "close": [4, 3, 4], "volume": [10, 20, 30]}, "ad", [10, 10, 10]),
    ("vwma", {"length": 2}, {"close": [2, 4, 6], "volume": [1, 3, 0]}, "vwma", [NAN, 3.5, 4]),
    ("vwma", {"length": 2}, {"close": [2, 4], "volume": [0, 0]}, "vwma", [NAN, 3]),
    ("anchored_vwap", {}, {"high": [2, 4], "low": [2, 4], "close": [2, 4], "volume": [1, 3]}, "anchored_vwap", [2, 3.5]),
    ("aroon", {"length": 2}, {"high": [3, 2, 1, 1], "low": [3, 2, 1, 1]}, "oscillator", [NAN, NAN, -100, -100]),
    ("heikin_ashi", {}, {"open": [2, 4], "high": [4, 6], "low": [2, 2], "close": [4, 4]}, "open", [3, 3]),
    ("pivots", {"around": 1}, {"high": [1, 3, 2, 2, 2], "low": [0, 2, 1, 0, 1]}, "pivots", [NAN, NAN, 1, 0, -1]),
    ("zigzag", {"turn": 0.5, "bars": 1}, {"high": [3, 4, 7, 5], "low": [2, 3, 6, 3]}, "zigzag", [2, 2, 7, 3]),
    ("lsma", {"length": 3}, {"close": [1, 2, 6]}, "lsma", [NAN, NAN, 5.5]),
    ("slope", {"length": 3}, {"close": [1, 2, 6]}, "slope", [NAN, NAN, 2.5]),
    ("percent_rank", {"length": 2}, {"close": [1, 3, 2, 5]}, "percent_rank", [NAN, NAN, 50, 100]),
    ("correlation", {"length": 2}, {"close": [1, 2, 3], "reference": [2, 4, 4]}, "correlation", [NAN, 1, 0]),
    ("rank_correlation", {"length": 3}, {"close": [1, 5, 9], "reference": [2, 1, 3]}, "rank_correlation", [NAN, NAN, 0.5]),
    ("beta", {"length": 2}, {"close": [1, 3, 6], "reference": [1, 2, 3]}, "beta", [NAN, NAN, 2]),
    ("ibs", {}, {"high": [4, 4], "low": [2, 4], "close": [3, 4]}, "ibs", [0.5, 0.5]),
    (
        "volume_profile", {"length": 3, "step": 1.0, "share": 0.5},
        {"close": [10.2, 11.0, 10.9, 12.5], "volume": [5, 3, 2, 9]}, "busiest", [NAN, NAN, 11, 13],
    ),
    (
        "supertrend", {"length": 1, "factor": 1.0},
        {"high": [11, 11, 15, 12], "low": [9, 9, 13, 6], "close": [10, 10, 15, 6]}, "supertrend", [NAN, 12, 9, 18],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameters", "columns", "output", "expected"), TABLE, ids=[f"{row[0]}-{index}" for index, row in enumerate(TABLE)]
)
def test_the_hand_made_table(
    name: str, parameters: dict[str, Any], columns: dict[str, list[float]], output: str, expected: list[float]
) -> None:
    np.testing.assert_allclose(compute(name, columns, **parameters)[output], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_a_market_that_stands_still_gives_finite_numbers(name: str) -> None:
    parameters = drawn(INDICATORS[name], 3)
    for values in compute(name, {key: np.full(BARS, value) for key, value in ENDLESS.items()}, **parameters).values():
        assert np.isfinite(values[-10:]).all()


SIMPLE = MA_Type.SMA
MARKET = walk(7, 300)
H, L, C, O, V = (MARKET[name] for name in ("high", "low", "close", "open", "volume"))  # noqa: E741
SECOND_JUDGE: list[tuple[str, dict[str, Any], str, FloatArray]] = [
    ("sma", {"length": 9}, "sma", talib.SMA(C, 9)),
    ("ema", {"length": 9, "seed": "mean"}, "ema", talib.EMA(C, 9)),
    ("wma", {"length": 9}, "wma", talib.WMA(C, 9)),
    ("dema", {"length": 9}, "dema", talib.DEMA(C, 9)),
    ("tema", {"length": 9}, "tema", talib.TEMA(C, 9)),
    ("trima", {"length": 9}, "trima", talib.TRIMA(C, 9)),
    ("kama", {"length": 9}, "kama", talib.KAMA(C, 9)),
    ("rsi", {"length": 9}, "rsi", talib.RSI(C, 9)),
    ("cmo", {"length": 9}, "cmo", talib.CMO(C, 9)),
    ("momentum", {"length": 9}, "momentum", talib.MOM(C, 9)),
    ("roc", {"length": 9}, "roc", talib.ROC(C, 9)),
    ("trix", {"length": 9}, "trix", talib.TRIX(C, 9)),
    ("apo", {"fast": 5, "slow": 9, "average": "simple"}, "apo", talib.APO(C, 5, 9, SIMPLE)),
    ("ppo", {"fast": 5, "slow": 9, "average": "simple"}, "ppo", talib.PPO(C, 5, 9, SIMPLE)),
    ("bollinger", {"length": 9}, "upper", talib.BBANDS(C, 9, 2, 2)[0]),
    ("variance", {"length": 9}, "variance", talib.VAR(C, 9)),
    ("std", {"length": 9}, "std", talib.STDDEV(C, 9)),
    ("max", {"length": 9}, "max", talib.MAX(C, 9)),
    ("min", {"length": 9}, "min", talib.MIN(C, 9)),
    ("midpoint", {"length": 9}, "midpoint", talib.MIDPOINT(C, 9)),
    ("midprice", {"length": 9}, "midprice", talib.MIDPRICE(H, L, 9)),
    ("lsma", {"length": 9}, "lsma", talib.LINEARREG(C, 9)),
    ("tsf", {"length": 9}, "tsf", talib.TSF(C, 9)),
    ("slope", {"length": 9}, "slope", talib.LINEARREG_SLOPE(C, 9)),
    ("correlation", {"length": 9}, "correlation", talib.CORREL(C, MARKET["reference"], 9)),
    ("true_range", {}, "true_range", talib.TRANGE(H, L, C)),
    ("atr", {"length": 9}, "atr", talib.ATR(H, L, C, 9)),
    ("natr", {"length": 9}, "natr", talib.NATR(H, L, C, 9)),
    ("aroon", {"length": 9}, "oscillator", talib.AROONOSC(H, L, 9)),
    ("psar", {}, "psar", talib.SAR(H, L, 0.02, 0.2)),
    ("cci", {"length": 9}, "cci", talib.CCI(H, L, C, 9)),
    ("williams_r", {"length": 9}, "williams_r", talib.WILLR(H, L, C, 9)),
    ("stochastic", {"length": 9}, "k", talib.STOCH(H, L, C, 9, 3, SIMPLE, 3, SIMPLE)[0]),
    ("stochastic", {"length": 9}, "d", talib.STOCH(H, L, C, 9, 3, SIMPLE, 3, SIMPLE)[1]),
    ("ultimate", {}, "ultimate", talib.ULTOSC(H, L, C)),
    ("bop", {}, "bop", talib.BOP(O, H, L, C)),
    ("obv", {}, "obv", talib.OBV(C, V)),
    ("ad", {}, "ad", talib.AD(H, L, C, V)),
    ("mfi", {"length": 9}, "mfi", talib.MFI(H, L, C, V, 9)),
]


@pytest.mark.parametrize(("name", "parameters", "output", "expected"), SECOND_JUDGE, ids=[f"{row[0]}-{row[2]}" for row in SECOND_JUDGE])
def test_ta_lib_agrees_where_both_are_warm(name: str, parameters: dict[str, Any], output: str, expected: FloatArray) -> None:
    ours = compute(name, MARKET, **parameters)[output]
    both = ~np.isnan(ours) & ~np.isnan(expected)
    assert both.sum() > 250
    np.testing.assert_allclose(ours[both], expected[both], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("average", "length"), [(Ema(3), 3), (Sma(3), 3), (Wilder(3), 3)])
def test_an_average_alone_keeps_its_value_at_a_nan(average: Ema | Sma | Wilder, length: int) -> None:
    ready = [average.is_ready]
    for value in (1.0, 2.0, 3.0, 4.0):
        average.update(value)
        ready.append(average.is_ready)
    before = average.value
    assert ready == [False] * average.warmup + [True] * (5 - average.warmup)
    assert math.isnan(average.update(NAN))
    assert average.value == before
    assert average.update(5.0) > before
    assert average.warmup in {1, length}


def test_the_kernels_of_the_averages_take_empty_and_short_series() -> None:
    for kernel in (ema_nb, sma_nb):
        out = np.empty(0)
        kernel(np.empty(0), 3, out)
        out = np.empty(2)
        kernel(np.array([1.0, 2.0]), 3, out)
    assert np.isnan(out).all()


def test_a_spike_leaves_the_running_sums_without_a_trace() -> None:
    close = np.concatenate([np.full(50, 1e15), np.linspace(1.0, 1.1, 60)])
    assert compute("sma", {"close": close}, length=10)["sma"][-1] == pytest.approx(close[-10:].mean(), rel=1e-15)
    assert compute("variance", {"close": close}, length=10)["variance"][-1] == pytest.approx(close[-10:].var(), rel=1e-9)


def test_outputs_can_be_read_by_name() -> None:
    macd = stream("macd", fast=1, slow=2, signal=2)
    for close in (1.0, 3.0, 5.0, 5.0):
        macd.update(close)
    assert macd.value == macd["macd"] == macd.values["macd"]
    assert macd["histogram"] == macd["macd"] - macd["signal"]
