"""Which bars may be used, and which are quarantined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.vocabulary import Timeframe
from apps.markets.adapters import open_source
from apps.markets.domain.bars import RawBars, raw_bars_of, to_candles
from apps.markets.domain.quality import Fault, FaultReason, find_gaps, forward_fill, inspect
from tests.unit.markets.series import DAY, daily, flat_bars

PRICE = st.one_of(st.floats(-10, 2000), st.integers(1, 200).map(float), st.sampled_from([np.nan, np.inf, -np.inf]))
BAR = st.tuples(st.integers(0, 30), PRICE, PRICE, PRICE, PRICE, st.one_of(st.floats(-5, 1e9), st.just(np.nan)))


def faults(bars: RawBars, **options: object) -> list[tuple[int, FaultReason]]:
    found = inspect(bars, price_scale=4, max_price=1e6, **options)  # type: ignore[arg-type]
    return [(fault.index, fault.reason) for fault in found.faults]


def changed(bars: RawBars, index: int, **values: float) -> RawBars:
    columns = {name: array.copy() for name, array in vars(bars).items()}
    for name, value in values.items():
        columns[name][index] = value
    return RawBars(**columns)


def walk(count: int, *, sigma: float = 0.01, seed: int = 5) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.round(100 * np.exp(np.cumsum(generator.normal(0, sigma, count))), 2)


def test_a_clean_series_has_no_faults() -> None:
    assert faults(flat_bars(walk(500))) == []
    assert faults(flat_bars(walk(500)), is_history=True) == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"close": np.nan}, FaultReason.NOT_FINITE),
        ({"volume": np.nan}, FaultReason.NOT_FINITE),
        ({"high": np.inf}, FaultReason.NOT_FINITE),
        ({"low": 0.0}, FaultReason.NOT_POSITIVE),
        ({"close": -1.0}, FaultReason.NOT_POSITIVE),
        ({"high": 90.0}, FaultReason.HIGH_BELOW_LOW),
        ({"open": 120.0}, FaultReason.OUTSIDE_RANGE),
        ({"close": 90.0}, FaultReason.OUTSIDE_RANGE),
        ({"volume": -1.0}, FaultReason.NEGATIVE_VOLUME),
        ({"open": 100.00001}, FaultReason.OFF_GRID),
        ({"high": 2e6}, FaultReason.TOO_LARGE),
        ({"closed_at": 2 * DAY}, FaultReason.BAD_TIMES),
    ],
)
def test_each_fault_is_found_with_its_reason_and_numbers(values: dict[str, float], reason: FaultReason) -> None:
    found = inspect(changed(daily([100.0] * 5), 2, **values), price_scale=4, max_price=1e6)
    assert [(fault.index, fault.reason) for fault in found.faults] == [(2, reason)]
    assert found.good.tolist() == [True, True, False, True, True]
    assert "c=" in found.faults[0].detail


def test_duplicates_keep_the_first_and_time_never_goes_back() -> None:
    bars = daily([100.0, 101.0, 102.0, 103.0, 104.0])
    opened = np.array([0, 1, 1, 0, 2]) * DAY
    bars = RawBars(opened, opened + DAY, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.flags)
    assert faults(bars) == [(2, FaultReason.DUPLICATE), (3, FaultReason.BACKWARDS)]


@settings(max_examples=200)
@given(st.lists(BAR, max_size=25), st.booleans())
def test_whatever_comes_only_sound_bars_pass(rows: list[tuple[int, float, float, float, float, float]], is_history: bool) -> None:
    columns = [np.array([row[place] for row in rows], np.float64) for place in range(1, 6)]
    opened = np.array([row[0] for row in rows], np.int64) * DAY
    bars = raw_bars_of(opened, opened + DAY, columns)
    found = inspect(bars, price_scale=4, max_price=1e6, is_history=is_history)
    good = bars.take(found.good)
    prices = np.stack([good.open, good.high, good.low, good.close])
    assert (np.diff(good.opened_at) > 0).all()
    assert np.isfinite(prices).all()
    assert (prices > 0).all()
    assert (good.high >= prices.max(axis=0)).all()
    assert (good.low <= prices.min(axis=0)).all()
    assert (good.volume >= 0).all()
    assert sorted(fault.index for fault in found.faults) == np.flatnonzero(~found.good).tolist()


@settings(max_examples=50)
@given(st.integers(80, 200), st.sampled_from([0.1, 0.2, 5.0, 10.0]), st.integers(0, 1000))
def test_a_tenfold_bar_is_a_spike_in_history_and_live(place: int, factor: float, seed: int) -> None:
    closes = walk(300, seed=seed)
    closes[place] = round(closes[place] * factor, 2)
    assert faults(flat_bars(closes), is_history=True) == [(place, FaultReason.SPIKE)]
    assert faults(flat_bars(closes)) == [(place, FaultReason.SPIKE)]


def test_with_hindsight_a_jump_of_half_that_is_taken_back_is_a_spike_and_alone_it_is_not() -> None:
    closes = walk(300)
    spiked, stepped = closes.copy(), closes.copy()
    spiked[150] = round(spiked[150] * 1.5, 2)
    stepped[150:] = np.round(stepped[150:] * 1.5, 2)
    assert faults(flat_bars(spiked), is_history=True) == [(150, FaultReason.SPIKE)]
    assert faults(flat_bars(spiked)) == []
    assert faults(flat_bars(stepped), is_history=True) == []


def test_without_hindsight_a_new_level_is_believed_at_its_second_bar() -> None:
    closes = walk(300)
    closes[150:] = np.round(closes[150:] * 20, 2)
    assert faults(flat_bars(closes)) == [(150, FaultReason.SPIKE)]


def test_without_hindsight_no_later_bar_changes_a_verdict() -> None:
    closes = walk(300)
    closes[120] *= 9
    closes[200:] = np.round(closes[200:] / 12, 2)
    closes = np.round(closes, 2)
    whole = faults(flat_bars(closes))
    for length in (121, 122, 150, 200, 201, 202, 300):
        part = faults(flat_bars(closes[:length]))
        assert part == [item for item in whole if item[0] < length]


def test_earlier_closes_count_for_the_first_bars_of_a_batch() -> None:
    closes = walk(120)
    spike = flat_bars([round(float(closes[-1]) * 10, 2)])
    assert faults(spike) == []
    assert faults(spike, before=closes) == [(0, FaultReason.SPIKE)]


@pytest.mark.parametrize("fall", [[-0.229, 0.053, 0.087], [-0.128, 0.058], [-0.25, 0.15], [-0.09, -0.12, -0.2, 0.1]])
def test_a_crash_is_data(fall: list[float]) -> None:
    closes = walk(300)
    returns = np.diff(np.log(closes))
    returns[200 : 200 + len(fall)] = fall
    crash = np.round(100 * np.exp(np.concatenate([[0], np.cumsum(returns)])), 2)
    assert faults(flat_bars(crash), is_history=True) == []
    assert faults(flat_bars(crash)) == []


@pytest.mark.parametrize("is_history", [False, True])
def test_no_bar_of_the_bundled_history_is_quarantined(is_history: bool) -> None:
    """1999 to 2022 hold 2000, 2008 and 2020 and single stocks that fell by half in a day: all real, all kept."""
    source = open_source("bundled", {})
    found: dict[str, tuple[Fault, ...]] = {}
    for listing in source.listings():
        bars = source.bars(listing.symbol, Timeframe.D1, since=None, until=None)
        inspection = inspect(bars, price_scale=listing.price_scale, max_price=float(listing.max_price), is_history=is_history)
        found |= {listing.symbol: inspection.faults} if inspection.faults else {}
    assert found == {}


def test_gaps_are_runs_of_expected_bars_inside_the_series() -> None:
    opened = np.array([2, 3, 6, 9]) * DAY
    gaps = find_gaps(opened, np.arange(12) * DAY)
    assert [(gap.first_open // DAY, gap.last_open // DAY, gap.missing) for gap in gaps] == [(4, 5, 2), (7, 8, 2)]
    assert find_gaps(np.empty(0, np.int64), np.arange(3)) == []


@given(st.sets(st.integers(0, 40), min_size=1))
def test_filling_leaves_no_gap_and_marks_what_it_put_in(days: set[int]) -> None:
    opened = np.array(sorted(days), np.int64) * DAY
    close = 10.0 + np.arange(len(opened))
    bars = to_candles(raw_bars_of(opened, opened + DAY, [close, close, close, close, np.ones(len(close))]), price_scale=1, volume_scale=0)
    expected = np.arange(60, dtype=np.int64) * DAY
    filled = forward_fill(bars, expected, expected + DAY, flag=2)
    assert find_gaps(filled.opened_at, expected) == []
    is_filler = filled.flags == 2
    assert filled.opened_at[~is_filler].tolist() == opened.tolist()
    assert filled.volume[is_filler].tolist() == [0] * int(is_filler.sum())
    for index in np.flatnonzero(is_filler).tolist():
        assert filled.close[index] == filled.close[index - 1]
