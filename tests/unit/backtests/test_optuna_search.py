"""The estimator finds what is there, goes on exactly after an interruption, and is loaded by nobody else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from apps.backtests.adapters.optuna_search import OptunaSearch
from apps.backtests.adapters.searching import new_search
from apps.backtests.domain.optimise import Dimension, ListSearch, Point, Search, Told, point_key
from apps.backtests.domain.states import SweepMethod
from apps.core.errors import InvalidInput
from tests.unit.backtests.seeds import fresh_seed

SPACE = (
    Dimension("fast", int, tuple(range(2, 100))),
    Dimension("band", float, (), 0.0, 1.0),
    Dimension("short", bool, (False, True)),
)


def hill(point: Point) -> float:
    return -(((int(point["fast"]) - 70) / 30) ** 2) - float(point["band"] - 0.3) ** 2 + (0.2 if point["short"] else 0.0)


def driven(search: Search, count: int) -> list[Told]:
    told = []
    for _ in range(count):
        suggestion = search.ask()
        if suggestion is None:
            break
        told.append(Told(suggestion.number, suggestion.parameters, hill(suggestion.parameters)))
        search.tell(suggestion.number, told[-1].score)
    return told


def test_it_finds_the_top_sooner_than_chance_does() -> None:
    told = driven(OptunaSearch(SPACE, seed=fresh_seed()), 100)
    late = [item.score or 0.0 for item in told[60:]]
    assert sum(late) / len(late) > sum(item.score or 0.0 for item in told[:10]) / 10
    assert max(item.score or -1.0 for item in told) > 0.1
    assert [item.number for item in told] == list(range(100))


def test_an_interrupted_search_goes_on_as_if_nothing_had_been() -> None:
    seed = fresh_seed()
    whole = driven(OptunaSearch(SPACE, seed=seed), 40)
    assert driven(OptunaSearch(SPACE, seed=seed), 40) == whole
    assert driven(OptunaSearch(SPACE, seed=seed, told=whole[:25]), 15) == whole[25:]
    assert driven(OptunaSearch(SPACE, seed=seed + 1), 40) != whole


def test_suggestions_that_were_pending_can_still_be_told() -> None:
    seed = fresh_seed()
    first = OptunaSearch(SPACE, seed=seed)
    asked = [first.ask() for _ in range(14)]
    suggestions = [item for item in asked if item is not None]
    told = [Told(item.number, item.parameters, hill(item.parameters)) for item in suggestions[:12]]
    for item in told:
        first.tell(item.number, item.score)
    again = OptunaSearch(SPACE, seed=seed, told=told, pending=suggestions[12:])
    assert again.ask() == first.ask()
    again.tell(12, 0.5)
    with pytest.raises(InvalidInput, match="Suggestion 12 is not open"):
        again.tell(12, 0.5)
    with pytest.raises(InvalidInput, match="Suggestion 0 is not open"):
        again.tell(0, 0.5)


def test_scores_that_could_not_be_judged_are_left_out() -> None:
    search = OptunaSearch(SPACE, seed=3)
    for score in (None, float("nan"), float("inf"), 1.0):
        suggestion = search.ask()
        assert suggestion is not None
        search.tell(suggestion.number, score)
    assert search.ask() is not None


def test_a_small_space_is_tried_out_to_its_last_allowed_point() -> None:
    space = (Dimension("a", int, (1, 2, 3, 4)), Dimension("b", str, ("x", "z", "y")))
    search = OptunaSearch(space, seed=fresh_seed(), is_allowed=lambda point: point["a"] != 3)
    found = []
    while (suggestion := search.ask()) is not None:
        found.append(suggestion.parameters)
        search.tell(suggestion.number, float(suggestion.parameters["a"]))
    assert sorted(point_key(point) for point in found) == sorted((("a", a), ("b", b)) for a in (1, 2, 4) for b in "xyz")


@pytest.mark.parametrize("method", list(SweepMethod))
def test_every_method_is_driven_the_same_way(method: SweepMethod) -> None:
    space = (Dimension("fast", int, (10, 40, 70)), Dimension("band", float, (0.1, 0.3)), Dimension("short", bool, (False, True)))
    told = driven(new_search(method, space, budget=12, seed=5), 12)
    assert len({point_key(item.parameters) for item in told}) == 12
    rest = driven(new_search(method, space, budget=12, seed=5, told=told[:5]), 12)
    assert rest == told[5:]


def test_grid_and_random_are_lists() -> None:
    assert isinstance(new_search(SweepMethod.GRID, SPACE[:1], budget=98, seed=1), ListSearch)
    assert isinstance(new_search(SweepMethod.RANDOM, SPACE, budget=5, seed=1), ListSearch)


def test_optuna_is_loaded_only_by_who_searches_with_it() -> None:
    script = "import sys, apps.backtests.adapters.searching; print('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "False"
