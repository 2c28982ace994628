from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from apps.backtests.domain.optimise import Dimension, ListSearch, Point, build_space, grid, point_key, sample, space_size
from apps.core.errors import InvalidInput
from apps.strategies.domain.parameters import ParameterSpec, build_parameters, describe_parameters
from apps.strategies.library.momentum import MomentumParameters
from tests.unit.backtests.seeds import fresh_seed

SPECS = [
    ParameterSpec("fast", int, 10, 2, 50, ""),
    ParameterSpec("band", float, 0.1, 0.0, 1.0, ""),
    ParameterSpec("short", bool, False, None, None, ""),
    ParameterSpec("free", float, 1.0, None, None, ""),
]
PINNED_POINT: Point = {"fast": 32, "band": 0.491633426166, "short": True}


def names_and_values(wanted: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {dimension.name: dimension.values for dimension in build_space(SPECS, wanted)}


def test_lists_and_ranges_in_the_order_of_the_strategy() -> None:
    assert names_and_values({"short": {}, "band": {"step": 0.1, "maximum": 0.5}, "fast": [10, 20.0, 10]}) == {
        "fast": (10, 20),
        "band": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
        "short": (False, True),
    }


def test_whole_numbers_go_in_steps_of_one_over_their_own_bounds() -> None:
    assert names_and_values({"fast": {}}) == {"fast": tuple(range(2, 51))}
    assert names_and_values({"fast": {"minimum": 5, "step": 20}}) == {"fast": (5, 25, 45)}


def test_the_space_of_a_real_strategy_only_holds_points_that_it_accepts() -> None:
    space = build_space(
        describe_parameters(MomentumParameters),
        {"slow_bars": {"minimum": 20, "maximum": 40, "step": 10}, "fast_bars": [5, 20, 30], "exit_band": {"step": 0.05}},
    )
    points = grid(space, 100, is_allowed=lambda point: point["fast_bars"] < point["slow_bars"])
    assert len(points) == (1 + 2 + 3) * 3
    for point in points:
        build_parameters(MomentumParameters, point)


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ({"unknown": [1]}, "unknown"),
        ({"fast": [1]}, "fast"),
        ({"fast": [2.5]}, "fast"),
        ({"fast": [True]}, "fast"),
        ({"fast": []}, "fast"),
        ({"fast": "10"}, "fast"),
        ({"fast": {"minimum": 1}}, "fast"),
        ({"fast": {"minimum": 20, "maximum": 10}}, "fast"),
        ({"fast": {"step": 0}}, "fast"),
        ({"fast": {"step": 1.5}}, "fast"),
        ({"fast": {"steps": 2}}, "fast"),
        ({"band": [float("nan")]}, "band"),
        ({"band": {"is_logarithmic": True}}, "band"),
        ({"short": [1]}, "short"),
        ({"free": {"minimum": 0}}, "free"),
        ({}, "space"),
    ],
)
def test_what_is_no_space_is_refused_by_name(wanted: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_space(SPECS, wanted)
    assert caught.value.where == where


def test_an_unknown_setting_of_a_range_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        build_space(SPECS, {"fast": {"from": 2}})
    assert caught.value.hint == "Known: minimum, maximum, step, is_logarithmic."


def test_a_grid_is_every_point_the_last_moving_fastest() -> None:
    space = build_space(SPECS, {"fast": [5, 6], "short": {}})
    assert grid(space, 4) == [
        {"fast": 5, "short": False},
        {"fast": 5, "short": True},
        {"fast": 6, "short": False},
        {"fast": 6, "short": True},
    ]
    assert space_size(space) == 4


def test_a_grid_that_is_too_large_or_endless_or_empty_is_refused() -> None:
    with pytest.raises(InvalidInput, match="98 points, more than 97"):
        grid(build_space(SPECS, {"fast": {}, "short": {}}), 97)
    with pytest.raises(InvalidInput, match="needs a step for band"):
        grid(build_space(SPECS, {"band": {}}), 100)
    with pytest.raises(InvalidInput, match="No point"):
        grid(build_space(SPECS, {"fast": {}}), 100, is_allowed=lambda point: False)


def test_the_same_seed_draws_the_same_points() -> None:
    space = build_space(SPECS, {"fast": {}, "band": {"minimum": 0.001, "is_logarithmic": True}, "short": {}})
    points = sample(space, 20, 7)
    assert points == sample(space, 20, 7)
    assert points != sample(space, 20, 8)
    assert points[0] == PINNED_POINT
    assert len({point_key(point) for point in points}) == 20
    assert all(2 <= point["fast"] <= 50 and 0.001 <= point["band"] <= 1.0 for point in points)


def test_points_are_drawn_evenly_and_never_twice() -> None:
    space = build_space(SPECS, {"fast": {"maximum": 11}, "short": {}})
    points = sample(space, 15, fresh_seed())
    assert len({point_key(point) for point in points}) == 15
    assert len(sample(space, 500, fresh_seed())) == 20, "there are no more"
    wide = sample(build_space(SPECS, {"fast": {}, "band": {}}), 4_900, fresh_seed())
    counts = Counter(point["fast"] for point in wide)
    assert set(counts) == set(range(2, 51)) and max(counts.values()) < 160


def test_what_was_tried_is_not_drawn_again() -> None:
    space = build_space(SPECS, {"fast": {"maximum": 5}})
    tried: list[Point] = [{"fast": 2}, {"fast": 4}]
    assert sorted(point["fast"] for point in sample(space, 4, fresh_seed(), tried=tried)) == [3, 5]
    with pytest.raises(InvalidInput, match="all were tried"):
        sample(space, 1, 1, tried=[{"fast": number} for number in range(2, 6)])


def test_shares_of_a_dimension() -> None:
    assert Dimension("a", float, (), 0.0, 10.0).at(0.25) == 2.5
    assert Dimension("a", float, (), 0.01, 1.0, is_logarithmic=True).at(0.5) == 0.1
    assert [Dimension("a", int, (3, 5, 9)).at(share) for share in (0.0, 0.34, 0.999)] == [3, 5, 9]


def test_a_list_is_tried_in_order_and_goes_on_behind_what_was_done() -> None:
    points: list[Point] = [{"a": 1}, {"a": 2}, {"a": 3}]
    search = ListSearch(points, done=[0, 2])
    suggestion = search.ask()
    assert suggestion is not None and (suggestion.number, suggestion.parameters) == (1, {"a": 2})
    assert search.ask() is None
    search.tell(1, 0.5)
    with pytest.raises(InvalidInput, match="not open"):
        search.tell(1, 0.5)
