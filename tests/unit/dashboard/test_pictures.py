"""Pictures without scripts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.domain import pictures

values = st.lists(st.floats(min_value=-1e9, max_value=1e9, allow_nan=False), min_size=2, max_size=2000)


@given(values)
def test_a_line_stays_inside_its_box(found: list[float]) -> None:
    line = pictures.line(found)
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.points.split(" ")]
    assert all(0 <= x <= pictures.WIDTH and 0 <= y <= pictures.HEIGHT for x, y in points)
    assert len(points) <= 500
    assert points[0][0] == 0
    assert points[-1][0] == pictures.WIDTH


@pytest.mark.parametrize("found", [[], [1.0]])
def test_there_is_no_line_through_one_point(found: list[float]) -> None:
    assert pictures.line(found) is None


def test_a_line_rises_when_its_end_is_above_its_start() -> None:
    rising, falling = pictures.line([1.0, 5.0, 2.0]), pictures.line([2.0, 5.0, 1.0])
    assert rising is not None
    assert falling is not None
    assert (rising.is_rising, falling.is_rising) == (True, False)


@pytest.mark.parametrize(
    ("value", "limit", "percent", "level"),
    [
        ("50", "100", 50.0, "ok"),
        ("75", "100", 75.0, "warn"),
        ("100", "100", 100.0, "warn"),
        ("101", "100", 100.0, "bad"),
        ("-80", "100", 80.0, "warn"),
    ],
)
def test_how_much_of_a_limit_is_used(value: str, limit: str, percent: float, level: str) -> None:
    assert pictures.used(Decimal(value), Decimal(limit)) == pictures.Used(percent, level)


@pytest.mark.parametrize(("value", "limit"), [(None, Decimal(1)), (Decimal(1), None), (Decimal(1), Decimal(0))])
def test_a_missing_limit_has_no_bar(value: Decimal | None, limit: Decimal | None) -> None:
    assert pictures.used(value, limit) is None


def test_an_interval_is_placed_around_zero() -> None:
    assert pictures.interval(-0.1, 0.0, 0.1) == pictures.Interval(start=45.5, width=909.0, point=500.0)
