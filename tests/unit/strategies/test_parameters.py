"""Typed parameters: validated by name, type and bound."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from apps.core.errors import InvalidInput, NotFound
from apps.strategies.domain.catalog import session_class, session_help, session_kinds
from apps.strategies.domain.parameters import build_parameters, describe_parameters
from apps.strategies.domain.strategy import build_strategy
from apps.strategies.library import load_library
from apps.strategies.library.momentum import MomentumParameters

load_library()


def test_every_shipped_strategy_describes_its_parameters_with_help_and_valid_defaults() -> None:
    assert {"momentum", "forecast", "ema_cross", "vector:ema_cross"} <= session_kinds().keys()
    for kind in session_kinds():
        assert session_help(kind)
        parameters_class = session_class(kind).Parameters
        specs = describe_parameters(parameters_class)
        assert specs
        assert all(spec.help for spec in specs)
        defaults = {spec.name: spec.default for spec in specs}
        assert asdict(build_parameters(parameters_class, defaults)) == defaults


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"fast_bars": 1}, "fast_bars"),
        ({"fast_bars": 2.5}, "fast_bars"),
        ({"fast_bars": "20"}, "fast_bars"),
        ({"fast_bars": True}, "fast_bars"),
        ({"exit_band": float("nan")}, "exit_band"),
        ({"exit_band": float("inf")}, "exit_band"),
        ({"exit_band": -0.1}, "exit_band"),
        ({"speed": 3}, "speed"),
    ],
)
def test_a_bad_value_names_its_parameter(values: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_parameters(MomentumParameters, values)
    assert caught.value.where == where


def test_an_unknown_strategy_lists_the_known_ones() -> None:
    with pytest.raises(NotFound, match="momentum"):
        build_strategy("wishful", {})
