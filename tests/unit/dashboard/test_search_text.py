"""Values to search over, as people write them."""

from __future__ import annotations

import pytest

from apps.core.errors import InvalidInput
from apps.dashboard.domain.heat import heat_class, rank_class
from apps.dashboard.domain.search_text import SearchText, read_values
from apps.strategies.domain.parameters import ParameterSpec

WHOLE = ParameterSpec("bars", int, 20, 2, 400, "Bars.")
SHARE = ParameterSpec("share", float, 0.5, 0.0, 1.0, "A share.")
FLAG = ParameterSpec("is_on", bool, True, None, None, "On or off.")


@pytest.mark.parametrize(
    ("text", "spec", "found"),
    [
        ("5, 10, 20", WHOLE, SearchText((5, 10, 20))),
        ("5 10;20", WHOLE, SearchText((5, 10, 20))),
        ("0.25,0.5", SHARE, SearchText((0.25, 0.5))),
        ("5 to 50", WHOLE, SearchText(minimum=5, maximum=50, step=1)),
        ("5 to 50 step 5", WHOLE, SearchText(minimum=5, maximum=50, step=5)),
        ("0.1 to 0.9", SHARE, SearchText(minimum=0.1, maximum=0.9)),
        ("yes, no", FLAG, SearchText((True, False))),
    ],
)
def test_values_and_ranges_are_read(text: str, spec: ParameterSpec, found: SearchText) -> None:
    assert read_values(text, spec) == found


def test_a_range_with_steps_lists_its_values_exactly() -> None:
    assert read_values("0.1 to 0.5 step 0.1", SHARE).listed() == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert read_values("5 to 22 step 5", WHOLE).listed() == (5, 10, 15, 20)


def test_dimensions_are_what_a_sweep_takes() -> None:
    assert read_values("5, 10", WHOLE).as_dimension() == [5, 10]
    assert read_values("0.1 to 0.9", SHARE).as_dimension() == {"minimum": 0.1, "maximum": 0.9}


@pytest.mark.parametrize("text", ["five", "50 to 5", "5 to 50 step 0", "1e3", "5 to", "maybe", ",".join("1" * 201)])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_values(text, WHOLE)


def test_a_range_without_steps_or_with_too_many_names_no_values() -> None:
    with pytest.raises(InvalidInput, match="without a step"):
        read_values("0.1 to 0.9", SHARE).listed()
    with pytest.raises(InvalidInput, match="at most 200"):
        read_values("1 to 400", WHOLE).listed()


def test_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(InvalidInput, match="neither yes nor no"):
        read_values("1, 0", FLAG)


def test_colours_grow_with_the_value_and_tell_gains_from_losses() -> None:
    assert [heat_class(value, 0.1) for value in (0.0, 0.01, 0.05, 0.1, 0.5)] == ["", "heat-up-1", "heat-up-3", "heat-up-5", "heat-up-5"]
    assert heat_class(-0.1, 0.1) == "heat-down-5" and heat_class(None, 0.1) == ""


def test_ranks_span_the_values() -> None:
    assert [rank_class(value, 0.0, 2.0) for value in (0.0, 1.0, 2.0, None)] == ["heat-1", "heat-5", "heat-9", ""]
    assert rank_class(1.0, 1.0, 1.0) == "heat-5"
