from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.backtests.domain.scenarios import EPISODES, SCENARIOS, Episode, Knot, Scenario, user_scenario
from apps.backtests.domain.stress import apply_scenario, find_episode
from apps.backtests.domain.stress_text import scenario_of_text
from apps.core.errors import InvalidInput, NotFound, OutOfBounds
from apps.markets.contracts import BarFlag, BarWindow
from tests.factories.windows import make_spec, make_window, random_window, real_window


def flat_window(bars: int, price: int = 100_000) -> BarWindow:
    """Bars that do not move; one unit is one tick."""
    return make_window([price] * bars, spec=make_spec(price_scale=2))


def test_the_known_crashes_are_as_deep_as_published() -> None:
    assert round(SCENARIOS["crash_2008"].worst_return, 3) == -0.399
    assert round(SCENARIOS["crash_2020"].worst_return, 3) == -0.339
    assert round(SCENARIOS["flash_crash"].worst_return, 3) == -0.085
    assert (SCENARIOS["crash_2008"].bars, SCENARIOS["crash_2020"].bars, SCENARIOS["flash_crash"].bars) == (49, 23, 1)


def test_the_path_of_2008_is_that_of_the_stored_index() -> None:
    stored = real_window("sp500")
    days = find_episode(stored, EPISODES["autumn_2008"])
    closes = stored.close[days.slice] / stored.close[days.start]
    assert [knot.factor for knot in SCENARIOS["crash_2008"].path] == pytest.approx(closes.tolist(), abs=1e-5)


@pytest.mark.parametrize("code", ["dot_com", "crisis_2008", "autumn_2008", "summer_2011", "august_2015", "winter_2018"])
def test_episodes_are_as_deep_in_the_stored_index_as_they_say(code: str) -> None:
    stored = real_window("sp500")
    closes = stored.close[find_episode(stored, EPISODES[code]).slice]
    assert f"{closes[-1] / closes[0] - 1:.1%}".replace("%", " %") in EPISODES[code].fact


def test_daily_closes_follow_the_crash_of_2020_to_the_tick() -> None:
    shocked = apply_scenario(flat_window(40, 338_615), SCENARIOS["crash_2020"], start=10)
    assert shocked.close[10:13].tolist() == [337_323, 333_775, 322_589]
    assert shocked.close[32] == 223_740
    assert shocked.open[11:14].tolist() == [337_323, 333_775, 322_589]
    assert set(shocked.close[33:].tolist()) == {223_740}, "it stays where the crash left it"
    assert shocked.close[:10].tolist() == [338_615] * 10


def test_the_flash_crash_is_a_spike_inside_one_daily_bar() -> None:
    shocked = apply_scenario(flat_window(3, 116_438), SCENARIOS["flash_crash"], start=1).bar(1)
    assert (shocked.open, shocked.high, shocked.low, shocked.close) == (116_438, 116_438, 106_579, 112_815)


def test_the_flash_crash_over_many_bars_falls_and_recovers() -> None:
    shocked = apply_scenario(flat_window(500, 116_438), SCENARIOS["flash_crash"], start=50, length=390)
    assert int(shocked.low.argmin()) in {50 + 314, 50 + 315}
    assert shocked.close[50 + 314] == 106_579
    assert shocked.close[50 + 337] == 112_000
    assert shocked.close[-1] == 112_815


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    code=st.sampled_from(sorted(SCENARIOS)),
    length=st.integers(1, 60),
    start=st.integers(0, 60),
    severity=st.floats(0.0, 3.0),
)
def test_bars_stay_bars_on_the_tick_and_the_past_is_untouched(seed: int, code: str, length: int, start: int, severity: float) -> None:
    bars = random_window(120, seed=seed)
    tick = bars.instrument.price_units(bars.instrument.tick_size)
    shocked = apply_scenario(bars, SCENARIOS[code], start=start, length=length, severity=severity)
    assert (shocked.low <= np.minimum(shocked.open, shocked.close)).all()
    assert (shocked.high >= np.maximum(shocked.open, shocked.close)).all()
    for name in ("open", "high", "low", "close"):
        prices = getattr(shocked, name)
        assert prices.dtype == np.int64 and (prices >= tick).all()
        assert not (prices[start:] % tick).any()
        assert prices[:start].tolist() == getattr(bars, name)[:start].tolist()
    assert shocked.volume.tolist() == bars.volume.tolist()


def test_no_severity_changes_nothing() -> None:
    bars = random_window(50, seed=4)
    shocked = apply_scenario(bars, SCENARIOS["crash_2008"], start=0, severity=0.0)
    for name in ("open", "high", "low", "close"):
        assert getattr(shocked, name).tolist() == getattr(bars, name).tolist()


def test_half_a_crisis_twice_is_a_whole_one() -> None:
    bars = flat_window(30, 1_000_000)
    half = apply_scenario(bars, SCENARIOS["crash_2020"], start=2, severity=0.5)
    assert half.close[-1] / 1_000_000 == pytest.approx(np.sqrt(2237.40 / 3386.15), abs=1e-6)


def test_bars_of_closes_alone_stay_so() -> None:
    bars = flat_window(30)
    bars = replace(bars, flags=np.full(30, BarFlag.CLOSES_ONLY, dtype=np.int64))
    shocked = apply_scenario(bars, SCENARIOS["crash_2020"], start=3)
    assert shocked.open.tolist() == shocked.close.tolist() == shocked.high.tolist() == shocked.low.tolist()


def own(text: str) -> Scenario:
    return user_scenario(scenario_of_text(text), code="own")


def test_a_scenario_of_ones_own() -> None:
    shocked = apply_scenario(flat_window(5, 100_000), own("-10%, -50%, +20%"), start=1)
    assert shocked.close.tolist() == [100_000, 90_000, 45_000, 54_000, 54_000]
    assert shocked.open.tolist() == [100_000, 100_000, 90_000, 45_000, 54_000]


def test_a_gap_moves_the_first_open_and_all_behind_it() -> None:
    shocked = apply_scenario(flat_window(4, 100_000), own("-10% then flat; gap -20%"), start=1)
    assert shocked.open.tolist() == [100_000, 80_000, 72_000, 72_000]
    assert shocked.close.tolist() == [100_000, 72_000, 72_000, 72_000]
    assert shocked.high.tolist() == [100_000, 80_000, 72_000, 72_000]
    assert own("-10% then flat; gap -20%").worst_return == pytest.approx(-0.28)


def test_a_fall_over_days_has_an_even_rate() -> None:
    shocked = apply_scenario(flat_window(5, 100_000), own("-19% in 2 days then flat 2 days"), start=1)
    assert shocked.close.tolist() == [100_000, 90_000, 81_000, 81_000, 81_000]


def test_volatility_makes_each_move_a_power_and_the_end_stays() -> None:
    bars = make_window([100_000, 110_000, 99_000, 120_000], spec=make_spec(price_scale=2))
    shocked = apply_scenario(bars, own("flat 2 days; volatility x2"), start=1)
    assert shocked.close.tolist() == [100_000, 121_000, 98_010, 118_800], "120,000 x 98,010 / 99,000"
    calm = apply_scenario(bars, own("flat 2 days; volatility x0"), start=1)
    assert calm.close.tolist() == [100_000, 100_000, 100_000, 121_212]


def test_volumes_are_divided_while_it_lasts_and_never_forgotten() -> None:
    bars = make_window([100] * 5, volume=[1000, 1000, 5, 0, 1000])
    assert apply_scenario(bars, own("flat 3 days; volume /10"), start=1).volume.tolist() == [1000, 100, 1, 0, 1000]


@given(seed=st.integers(0, 10**6), power=st.floats(0, 5), gap=st.floats(-0.5, 0.5))
@settings(max_examples=30, deadline=None)
def test_bars_stay_bars_whatever_the_swing(seed: int, power: float, gap: float) -> None:
    bars = random_window(60, seed=seed)
    bars = replace(bars, instrument=replace(bars.instrument, max_price=Decimal(10**9)))
    shocked = apply_scenario(bars, replace(SCENARIOS["crash_2020"], volatility=power, gap=gap), start=20)
    assert (shocked.low <= np.minimum(shocked.open, shocked.close)).all() and (
        shocked.high >= np.maximum(shocked.open, shocked.close)
    ).all()
    assert (shocked.low > 0).all() and shocked.close[:20].tolist() == bars.close[:20].tolist()


def test_prices_never_fall_below_one_tick() -> None:
    shocked = apply_scenario(flat_window(3, 100), own("-99.99%"), start=1)
    assert shocked.close.tolist() == [100, 1, 1]


def test_paths_that_make_no_sense_are_refused() -> None:
    for path in (
        (Knot(0, 1),),
        (Knot(0, 1), Knot(0.5, 0.8)),
        (Knot(0, 0.9), Knot(1, 0.8)),
        (Knot(0, 1), Knot(1, 0.0)),
        (Knot(0, 1), Knot(0.6, 0.9), Knot(0.5, 0.9), Knot(1, 1)),
    ):
        with pytest.raises(InvalidInput):
            Scenario("bad", "Bad", "", path, 3)
    with pytest.raises(InvalidInput, match="above -1"):
        Scenario("bad", "Bad", "", (Knot(0, 1), Knot(1, 1)), 3, gap=-1.0)


def test_a_scenario_must_fit_into_the_bars() -> None:
    with pytest.raises(InvalidInput, match="lasts 49 bars, but only 10"):
        apply_scenario(flat_window(20), SCENARIOS["crash_2008"], start=10)
    with pytest.raises(InvalidInput, match="within the 20 bars"):
        apply_scenario(flat_window(20), SCENARIOS["crash_2008"], start=20)
    with pytest.raises(InvalidInput, match="severity"):
        apply_scenario(flat_window(20), SCENARIOS["flash_crash"], start=1, severity=float("nan"))


def test_a_scenario_cannot_lift_prices_above_the_instruments_bound() -> None:
    bars = flat_window(3, 100_000)
    bars = replace(bars, instrument=replace(bars.instrument, max_price=Decimal(2000)))
    with pytest.raises(OutOfBounds, match="above its highest price"):
        apply_scenario(bars, own("300%"), start=0)


def test_an_episode_that_is_not_covered_is_refused_with_what_is_stored() -> None:
    stored = real_window("sp500")
    with pytest.raises(NotFound, match=r"does not cover Spring 2020.*Stored: from 1999-01-04 to 2018-12-31"):
        find_episode(stored, EPISODES["crash_2020"])
    late = replace(EPISODES["dot_com"], starts_on=date(1998, 12, 1))
    with pytest.raises(NotFound, match="does not cover"):
        find_episode(stored, late)
    with pytest.raises(NotFound, match=r"Only 309 bars lie in front of it, 400 are needed"):
        find_episode(stored, EPISODES["dot_com"], warmup_bars=400)


def test_an_episode_with_a_hole_is_refused() -> None:
    stored = real_window("sp500")
    keep = np.ones(len(stored), dtype=bool)
    days = find_episode(stored, EPISODES["autumn_2008"])
    keep[days.start + 5 : days.start + 15] = False
    names = ("opened_at", "closed_at", "open", "high", "low", "close", "volume", "flags")
    holed = replace(stored, **{name: getattr(stored, name)[keep] for name in names})
    with pytest.raises(NotFound, match="hole from 2008-09-18 to 2008-10-03"):
        find_episode(holed, EPISODES["autumn_2008"])


def test_the_week_without_an_exchange_is_no_hole() -> None:
    stored = real_window("sp500")
    found = find_episode(stored, Episode("september", "September 2001", date(2001, 9, 4), date(2001, 9, 28), ""))
    first, last = (datetime.fromtimestamp(int(stored.opened_at[at]) / 1e6, UTC).date() for at in (found.start, found.stop - 1))
    assert (first, last) == (date(2001, 9, 4), date(2001, 9, 28))
