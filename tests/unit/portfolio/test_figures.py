"""All figures together, and those of trades, exits, activity and drawdowns against tables worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from apps.core.errors import InvalidInput
from apps.portfolio.domain.metrics import FIGURES, Figure, FigureGroup, FigureUnit, performance_figures
from apps.portfolio.domain.metrics.drawdowns import Drawdown, drawdowns, worst_drawdowns
from apps.portfolio.domain.metrics.exits import exit_rows
from apps.portfolio.domain.metrics.relative import pair
from apps.portfolio.domain.records import DAY_MICROS, EquitySeries, ExitReason, PriceBars, no_trades
from tests.unit.portfolio.records import START, daily_equity, make_trades

FLAT = daily_equity([100.0, 100.0])


def values(figures: dict[str, Figure], *keys: str) -> list[float | None]:
    return [figures[key].value for key in keys]


def test_every_figure_of_the_list_is_given_and_explained() -> None:
    figures = performance_figures(FLAT, no_trades())
    assert list(figures) == list(FIGURES)
    assert len(FIGURES) > 60
    for key, definition in FIGURES.items():
        assert definition.key == key
        assert definition.help.endswith(".")
        assert definition.title
    assert {definition.group for definition in FIGURES.values()} == set(FigureGroup)
    assert {definition.unit for definition in FIGURES.values()} == set(FigureUnit)


def test_a_figure_as_json_carries_its_explanation() -> None:
    assert performance_figures(FLAT, no_trades())["total_return"].as_dict() == {
        "key": "total_return",
        "title": "Total return",
        "unit": "percent",
        "group": "return",
        "is_higher_better": True,
        "help": "Last equity over the first, less one.",
        "value": 0.0,
    }


@pytest.mark.parametrize(
    "equity", [daily_equity([]), daily_equity([100.0]), daily_equity([100.0, 0.0, -5.0] * 10), daily_equity([0.0] * 40)]
)
def test_nothing_is_said_where_there_is_nothing_to_say(equity: EquitySeries) -> None:
    figures = performance_figures(equity, no_trades(), benchmark=equity, index=equity)
    assert values(figures, "sharpe", "annual_return", "volatility", "win_rate", "expectancy", "benchmark_beta") == [None] * 6
    assert all(figure.value is None or math.isfinite(figure.value) for figure in figures.values())


def test_equity_that_never_moves_has_no_ratio() -> None:
    figures = performance_figures(daily_equity([100.0] * 150), no_trades(), benchmark=daily_equity([5.0] * 150))
    keys = ("sharpe", "sortino", "omega", "calmar", "skew", "kurtosis", "tail_ratio", "probabilistic_sharpe", "benchmark_beta")
    assert values(figures, *keys) == [None] * len(keys)
    assert values(figures, "volatility", "max_drawdown", "average_drawdown", "longest_drawdown_days", "ulcer_index") == [0.0] * 5
    assert figures["recovery_days"].value is None


def test_steady_growth_has_no_ratio_from_rounding() -> None:
    figures = performance_figures(daily_equity([100.0 * 1.001**day for day in range(400)]), no_trades())
    assert values(figures, "sharpe", "sortino", "skew") == [None] * 3


def test_the_first_point_is_the_start_and_the_first_day_counts() -> None:
    """Two points on the first day: its result is the return from the first to the last of them."""
    hours = np.array([0, 2, 24, 26]) * (DAY_MICROS // 24)
    equity = EquitySeries(START + hours, np.array([100.0, 110.0, 105.0, 99.0]))
    first = START // DAY_MICROS
    assert equity.daily.days.tolist() == [first - 1, first, first + 1]
    assert equity.daily.values.tolist() == [100.0, 110.0, 99.0]
    figures = performance_figures(equity, no_trades())
    assert figures["total_return"].value == pytest.approx(-0.01)
    assert figures["max_drawdown"].value == pytest.approx(0.1)


def test_a_fall_within_a_day_shows_only_in_the_drawdown_at_any_point() -> None:
    hours = np.arange(4) * (DAY_MICROS // 24 // 2)
    figures = performance_figures(EquitySeries(START + hours, np.array([100.0, 80.0, 90.0, 100.0])), no_trades())
    assert values(figures, "max_drawdown", "max_drawdown_within_days") == [0.0, pytest.approx(0.2)]


def test_weekends_make_a_year_of_365_days() -> None:
    assert daily_equity([1.0] * 5).days_per_year == 252.0
    assert daily_equity([1.0] * 6).days_per_year == 365.0


def test_records_refuse_what_does_not_fit() -> None:
    with pytest.raises(InvalidInput):
        EquitySeries(np.array([2, 1]), np.array([1.0, 1.0]))
    with pytest.raises(InvalidInput):
        EquitySeries(np.array([1, 2]), np.array([1.0, math.nan]))
    with pytest.raises(InvalidInput):
        EquitySeries(np.array([1, 2]), np.array([1.0]))
    with pytest.raises(InvalidInput):
        make_trades([1.0, 2.0], targets=[1.0])


def test_drawdowns_by_hand() -> None:
    daily = daily_equity([100.0, 90.0, 95.0, 100.0, 120.0, 60.0, 119.0, 130.0, 117.0]).daily
    day = int(daily.days[0])
    falls = drawdowns(daily)
    assert [(fall.peak - day, fall.valley - day, fall.recovered and fall.recovered - day) for fall in falls] == [
        (0, 1, 3),
        (4, 5, 7),
        (7, 8, None),
    ]
    assert [fall.depth for fall in falls] == pytest.approx([0.1, 0.5, 0.1])
    assert [(fall.days, fall.days_to_recover) for fall in falls] == [(3, 2), (3, 2), (1, None)]
    assert isinstance(worst_drawdowns(daily, count=1)[0], Drawdown)
    figures = performance_figures(daily_equity(daily.values.tolist()), no_trades())
    keys = ("max_drawdown", "average_drawdown", "longest_drawdown_days", "average_drawdown_days", "recovery_days")
    assert values(figures, *keys) == pytest.approx([0.5, 0.7 / 3, 3, 7 / 3, 2])
    depths = [0.1, 0.05, 0.0, 0.0, 0.5, 1 / 120, 0.0, 0.1]
    assert figures["ulcer_index"].value == pytest.approx(math.sqrt(sum(depth**2 for depth in depths) / 8))


def test_figures_of_trades_by_hand() -> None:
    trades = make_trades([10.0, 20.0, -5.0, 0.0, -15.0, -10.0, 30.0], days=[1, 2, 3, 1, 1, 1, 5])
    figures = performance_figures(FLAT, trades)
    assert values(figures, "trades", "win_rate", "profit_factor", "expectancy", "payoff_ratio", "expectancy_ratio") == pytest.approx(
        [7, 3 / 7, 60 / 30, 30 / 7, 20 / 10, 30 / 7 / 10]
    )
    assert values(figures, "average_win", "average_loss", "largest_win", "largest_loss") == [20.0, -10.0, 30.0, -15.0]
    assert values(figures, "longest_winning_streak", "longest_losing_streak") == [2, 2]
    assert values(figures, "average_trade_return", "average_trade_days", "longest_trade_days") == pytest.approx([30 / 7 / 1000, 2, 5])


def test_only_wins_leave_the_figures_of_losses_open() -> None:
    figures = performance_figures(FLAT, make_trades([1.0, 2.0]))
    assert values(figures, "profit_factor", "payoff_ratio", "expectancy_ratio", "average_loss", "largest_loss") == [None] * 5
    assert values(figures, "longest_losing_streak", "longest_winning_streak", "win_rate") == [0, 2, 1.0]


def test_exits_by_hand() -> None:
    reasons = [ExitReason.STOP, ExitReason.TARGET, ExitReason.STOP, ExitReason.TRAILING]
    trades = make_trades([-10.0, 20.0, -20.0, 4.0], reasons=reasons)
    figures = performance_figures(FLAT, trades)
    assert values(figures, "stop_share", "target_share", "trailing_share", "signal_share") == [0.5, 0.25, 0.25, 0.0]
    assert values(figures, "stop_average", "target_average", "trailing_average", "signal_average") == [-15.0, 20.0, 4.0, None]
    rows = exit_rows(trades)
    assert [(row.reason, row.trades, row.share, row.earned, row.average, row.win_rate) for row in rows] == [
        (ExitReason.STOP, 2, 0.5, -30.0, -15.0, 0.0),
        (ExitReason.TARGET, 1, 0.25, 20.0, 20.0, 1.0),
        (ExitReason.TRAILING, 1, 0.25, 4.0, 4.0, 1.0),
    ]


def test_a_target_reached_after_the_stop_is_counted_within_twenty_bars() -> None:
    """Bars close daily; the long's target of 110 comes three bars after its stop, the short's of 90 too late, one trade had none."""
    high, low = np.full(60, 105.0), np.full(60, 95.0)
    high[[1, 4]] = 110.0
    low[30] = 90.0
    bars = PriceBars(START + np.arange(60) * DAY_MICROS, high, low)
    trades = make_trades(
        [-1.0, -1.0, -1.0, 5.0],
        reasons=[ExitReason.STOP, ExitReason.STOP, ExitReason.STOP, ExitReason.TARGET],
        sides=[1, -1, 1, 1],
        opened=[0, 8, 20, 25],
        targets=[110.0, 90.0, math.nan, 110.0],
    )
    assert performance_figures(FLAT, trades, bars=bars)["target_after_stop"].value == 0.5
    earlier = PriceBars(bars.closed_at[:4], high[:4], low[:4])
    assert performance_figures(FLAT, trades, bars=earlier)["target_after_stop"].value == 0.0
    assert performance_figures(FLAT, trades)["target_after_stop"].value is None
    assert performance_figures(FLAT, make_trades([-1.0], reasons=[ExitReason.STOP]), bars=bars)["target_after_stop"].value is None


def test_time_in_market_counts_overlapping_trades_once() -> None:
    trades = make_trades([1.0, 1.0, 1.0, 1.0], opened=[-1, 1, 2, 9], days=[1.5, 3, 1, 5])
    equity = daily_equity([100.0] * 11)
    assert performance_figures(equity, trades)["time_in_market"].value == pytest.approx((0.5 + 3 + 1) / 10)


def test_known_exposure_is_what_counts() -> None:
    equity = EquitySeries(START + np.array([0, 1, 3, 4]) * DAY_MICROS, np.full(4, 200.0), np.array([0.0, 100.0, 50.0, 0.0]))
    figures = performance_figures(equity, no_trades())
    assert values(figures, "time_in_market", "average_exposure") == pytest.approx([3 / 4, 150 / 800])


def test_turnover_and_costs_by_hand() -> None:
    trades = make_trades([9.0, 19.0], fee=1.0, slippage=2.0)
    figures = performance_figures(daily_equity([1000.0] * 11), trades, per_year=252)
    assert figures["turnover"].value == pytest.approx((2000 + 1010 + 1020) / 1000 * 252 / 10)
    assert values(figures, "fees", "slippage") == [2.0, 4.0]
    assert figures["costs_of_gross_profit"].value == pytest.approx(6 / 34)
    assert values(performance_figures(FLAT, make_trades([-5.0])), "slippage", "costs_of_gross_profit") == [None, None]


def test_against_a_benchmark_that_is_half_as_strong() -> None:
    """Own returns are twice the benchmark's plus a basis point: beta 2, alpha 252 basis points, perfect correlation."""
    moves = np.tile([0.01, -0.008, 0.004], 20)
    own, other = (np.concatenate(([100.0], 100.0 * np.cumprod(1 + gains))).tolist() for gains in (2 * moves + 0.0001, moves))
    figures = performance_figures(daily_equity(own), no_trades(), index=daily_equity(other), per_year=252)
    assert values(figures, "index_beta", "index_alpha", "index_correlation") == pytest.approx([2.0, 0.0252, 1.0])
    assert figures["index_up_capture"].value == pytest.approx(
        math.expm1(math.log(1.0201 * 1.0081) / 2) / math.expm1(math.log(1.01 * 1.004) / 2)
    )
    assert figures["index_down_capture"].value == pytest.approx(0.0159 / 0.008)
    assert figures["index_return"].value == pytest.approx(other[-1] / 100 - 1)
    assert figures["index_excess_return"].value == pytest.approx((own[-1] - other[-1]) / 100)
    assert figures["benchmark_beta"].value is None


def test_returns_are_paired_on_common_days_only() -> None:
    own, other = daily_equity([100.0 + day for day in range(40)]), daily_equity([50.0 + day for day in range(30)], first_day=5)
    paired = pair(own.daily, other.daily)
    assert paired is not None
    assert len(paired.own) == len(paired.other) == 29
    assert (paired.own[0], paired.other[0]) == (pytest.approx(1 / 105), pytest.approx(1 / 50))
    assert pair(own.daily, daily_equity([1.0] * 30, first_day=25).daily) is None
