from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.backtests.domain.regimes import RegimeRules, Regimes, Trend, Volatility, across_assets, label_regimes, results_by_regime
from apps.backtests.domain.returns import FloatArray
from apps.core.errors import InvalidInput
from tests.unit.backtests.seeds import fresh_generator

SMALL = RegimeRules(trend_bars=10, volatility_bars=5, history_bars=20)


def walk(steps: FloatArray) -> FloatArray:
    return np.asarray(100 * np.exp(np.concatenate([[0.0], np.cumsum(steps)])))


def test_a_rise_a_fall_and_a_to_and_fro_are_told_apart() -> None:
    noise = 0.001 * np.where(np.arange(30) % 2, 1, -1)
    up, down = (label_regimes(walk(noise + drift), SMALL).trend for drift in (0.005, -0.005))
    aside = label_regimes(walk(noise), SMALL).trend
    assert up.tolist() == [Trend.UNKNOWN] * 10 + [Trend.UP] * 21
    assert down.tolist() == [Trend.UNKNOWN] * 10 + [Trend.DOWN] * 21
    assert aside.tolist() == [Trend.UNKNOWN] * 10 + [Trend.SIDEWAYS] * 21


def test_prices_that_never_move_are_sideways_and_normal() -> None:
    labels = label_regimes(np.full(60, 50.0), SMALL)
    assert set(labels.trend[10:].tolist()) == {Trend.SIDEWAYS}
    assert set(labels.volatility[24:].tolist()) == {Volatility.NORMAL}


def test_quiet_and_stormy_stretches_are_told_apart_as_they_come() -> None:
    sign = np.where(np.arange(120) % 2, 1, -1)
    size = np.concatenate([np.full(40, 0.01), np.full(40, 0.001), np.full(40, 0.05)]) * (1 + 0.01 * np.arange(120) % 0.07)
    volatility = label_regimes(walk(sign * size), SMALL).volatility
    assert set(volatility[:24].tolist()) == {Volatility.UNKNOWN}
    assert volatility[46] == Volatility.CALM
    assert volatility[86] == Volatility.WILD
    assert SMALL.warmup_bars == 24


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 150))
def test_the_future_changes_no_label(seed: int, cut: int) -> None:
    source = np.random.Generator(np.random.PCG64(seed))
    closes = walk(source.normal(0, 0.01, 149))
    changed = closes.copy()
    changed[cut:] *= source.uniform(0.2, 5.0, len(closes) - cut)
    whole, part, other = label_regimes(closes, SMALL), label_regimes(closes[:cut], SMALL), label_regimes(changed, SMALL)
    for name in ("trend", "volatility"):
        expected = getattr(whole, name)[:cut].tolist()
        assert getattr(part, name).tolist() == expected
        assert getattr(other, name)[:cut].tolist() == expected


def test_older_bars_than_the_warm_up_change_no_label() -> None:
    closes = walk(fresh_generator().normal(0, 0.01, 300))
    whole, late = label_regimes(closes, SMALL), label_regimes(closes[100:], SMALL)
    assert late.trend[24:].tolist() == whole.trend[124:].tolist()
    assert late.volatility[24:].tolist() == whole.volatility[124:].tolist()


def test_long_series_are_labelled_in_pieces() -> None:
    closes = walk(fresh_generator().normal(0, 0.01, 9_000))
    whole, late = label_regimes(closes, SMALL), label_regimes(closes[4_000:], SMALL)
    assert late.volatility[24:].tolist() == whole.volatility[4_024:].tolist()


def test_shares_of_calm_and_wild_are_about_as_asked() -> None:
    labels = label_regimes(walk(fresh_generator().normal(0, 0.01, 5_000)), RegimeRules()).volatility[300:]
    assert (labels == Volatility.CALM).mean() == pytest.approx(0.25, abs=0.08)
    assert (labels == Volatility.WILD).mean() == pytest.approx(0.25, abs=0.08)


def test_results_are_booked_under_the_label_known_before() -> None:
    regimes = Regimes(
        trend=np.array([Trend.UP, Trend.UP, Trend.DOWN, Trend.DOWN, Trend.UP], dtype=np.int8),
        volatility=np.array([Volatility.CALM] * 5, dtype=np.int8),
    )
    rows = results_by_regime(
        regimes, [9.9, 0.1, 0.2, -0.5, 0.3], bars_per_year=1, entry_bars=[0, 1, 3, 4], trade_returns=[7.0, 0.1, -0.2, 0.4]
    )
    down, up = rows
    assert (down.trend, down.bars, down.share, down.trades, down.win_rate) == (Trend.DOWN, 2, 0.5, 2, 0.5)
    assert down.total_return == pytest.approx(0.5 * 1.3 - 1)
    assert (up.trend, up.volatility, up.trades, up.win_rate) == (Trend.UP, Volatility.CALM, 1, 1.0)
    assert up.total_return == pytest.approx(1.1 * 1.2 - 1)
    assert up.mean_return == pytest.approx(0.15)
    assert (up.worst_return, down.worst_return) == (0.1, -0.5)


def test_rows_add_up_to_the_whole() -> None:
    source = fresh_generator()
    closes = walk(source.normal(0, 0.01, 400))
    returns = np.concatenate([[0.0], closes[1:] / closes[:-1] - 1])
    rows = results_by_regime(label_regimes(closes, SMALL), returns, bars_per_year=252)
    assert sum(row.bars for row in rows) == 400
    assert sum(row.share for row in rows) == pytest.approx(1.0)
    assert math.prod(1 + row.total_return for row in rows) == pytest.approx(closes[-1] / closes[0])


def test_labels_and_returns_must_fit() -> None:
    regimes = label_regimes(np.full(30, 1.0), SMALL)
    with pytest.raises(InvalidInput, match="do not fit"):
        results_by_regime(regimes, [0.1] * 29, bars_per_year=1)
    with pytest.raises(InvalidInput, match="entry among the bars"):
        results_by_regime(regimes, [0.1] * 30, bars_per_year=1, entry_bars=[30], trade_returns=[0.1])
    with pytest.raises(InvalidInput, match="positive"):
        label_regimes([1.0, 0.0])
    with pytest.raises(InvalidInput, match="together at most 1"):
        RegimeRules(calm_share=0.6, wild_share=0.6)


def test_instruments_are_compared_best_first() -> None:
    table = across_assets({"A": [0.1, -0.1, 0.1], "B": [0.0, 0.0, 0.0], "C": [-0.1, 0.05, -0.2]}, bars_per_year=252)
    assert [row.instrument for row in table.rows] == ["A", "C", "B"]
    assert table.profitable_share == pytest.approx(1 / 3)
    assert table.rows[0].total_return == pytest.approx(1.1 * 0.9 * 1.1 - 1)
    assert table.median_sharpe == pytest.approx((table.rows[0].sharpe + table.rows[1].sharpe) / 2)
    assert table.worst_drawdown == pytest.approx(1 - 0.9 * 1.05 * 0.8)
    with pytest.raises(InvalidInput, match="no instrument"):
        across_assets({}, bars_per_year=252)
