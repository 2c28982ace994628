"""Searching over a strategy's parameters: which points there are, which to try, and the ask-and-tell way in which any search is driven.

The evaluation is never here: a search says what to try next (`ask`) and hears what came of it (`tell`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any, Protocol

import numpy as np

from apps.core.errors import InvalidInput
from apps.strategies.domain.parameters import ParameterSpec

Point = dict[str, Any]
PointKey = tuple[tuple[str, Any], ...]
IsAllowed = Callable[[Point], bool]

_TRIES_PER_POINT = 100
_SIGNIFICANT_DIGITS = 12
_RANGE = ("minimum", "maximum", "step", "is_logarithmic")


@dataclass(frozen=True)
class Dimension:
    """What one parameter may be: the listed `values`, or anything from `minimum` to `maximum` (then `values` is empty)."""

    name: str
    kind: type
    values: tuple[Any, ...] = ()
    minimum: float = 0.0
    maximum: float = 0.0
    is_logarithmic: bool = False

    def at(self, share: float) -> Any:
        """The value at `share` (0 <= share < 1) of the dimension."""
        if self.values:
            return self.values[int(share * len(self.values))]
        if self.is_logarithmic:
            value = self.minimum * (self.maximum / self.minimum) ** share
        else:
            value = self.minimum + (self.maximum - self.minimum) * share
        return min(max(float(f"{value:.{_SIGNIFICANT_DIGITS}g}"), self.minimum), self.maximum)


Space = tuple[Dimension, ...]


def build_space(specs: Sequence[ParameterSpec], wanted: Mapping[str, Any]) -> Space:
    """The space to search, in the order of the strategy's parameters; those not `wanted` keep their default and are left out.

    A wanted parameter is given as a list of values, or as a mapping with any of `minimum`, `maximum` (default: the parameter's own
    bounds), `step` (default: 1 for whole numbers, none for others) and `is_logarithmic`. Raises InvalidInput naming the parameter for an
    unknown one, for values outside its bounds or of the wrong kind, and for a range without an end.
    """
    known = {spec.name: spec for spec in specs}
    for name in wanted:
        if name not in known:
            raise InvalidInput(f"Unknown parameter {name!r}.", where=name, hint=f"Known parameters: {', '.join(known) or 'none'}.")
    if not wanted:
        raise InvalidInput("There is no parameter to search over.", where="space")
    return tuple(_dimension(spec, wanted[spec.name]) for spec in specs if spec.name in wanted)


def _dimension(spec: ParameterSpec, wanted: Any) -> Dimension:
    if isinstance(wanted, Mapping):
        return _range(spec, wanted)
    if isinstance(wanted, str) or not isinstance(wanted, Sequence) or not wanted:
        raise InvalidInput(f"{spec.name} needs a list of values or a range, got {wanted!r}.", where=spec.name)
    return Dimension(spec.name, spec.kind, tuple(dict.fromkeys(_checked(spec, value) for value in wanted)))


def _range(spec: ParameterSpec, wanted: Mapping[str, Any]) -> Dimension:
    unknown = sorted(set(wanted) - set(_RANGE))
    if unknown:
        raise InvalidInput(
            f"The range of {spec.name} has an unknown setting {unknown[0]!r}.", where=spec.name, hint=f"Known: {', '.join(_RANGE)}."
        )
    if spec.kind is bool:
        return Dimension(spec.name, bool, (False, True))
    low, high = wanted.get("minimum", spec.minimum), wanted.get("maximum", spec.maximum)
    if low is None or high is None:
        raise InvalidInput(f"{spec.name} has no bounds of its own: say minimum and maximum.", where=spec.name)
    low, high = _checked(spec, low), _checked(spec, high)
    is_logarithmic = bool(wanted.get("is_logarithmic", False))
    if low > high or (is_logarithmic and low <= 0):
        raise InvalidInput(f"{spec.name} cannot range from {low} to {high}.", where=spec.name)
    step = wanted.get("step", 1 if spec.kind is int else None)
    if step is None or low == high:
        return Dimension(spec.name, spec.kind, (low,) if low == high else (), float(low), float(high), is_logarithmic)
    return Dimension(spec.name, spec.kind, tuple(_steps(spec, low, high, step)), float(low), float(high), is_logarithmic)


def _steps(spec: ParameterSpec, low: float, high: float, step: Any) -> Iterator[Any]:
    """From the lowest upwards in exact decimal steps; the highest is included when a step meets it."""
    stride = Decimal(str(_number(spec.name, step)))
    if stride <= 0 or (spec.kind is int and stride != int(stride)):
        raise InvalidInput(f"{spec.name} cannot move in steps of {step}.", where=spec.name)
    value = Decimal(str(low))
    while value <= Decimal(str(high)):
        yield spec.kind(value)
        value += stride


def _checked(spec: ParameterSpec, value: Any) -> Any:
    if spec.kind is bool:
        if not isinstance(value, bool):
            raise InvalidInput(f"{spec.name} must be true or false, got {value!r}.", where=spec.name)
        return value
    number = _number(spec.name, value)
    if spec.kind is int and number != int(number):
        raise InvalidInput(f"{spec.name} must be a whole number, got {value!r}.", where=spec.name)
    if (spec.minimum is not None and number < spec.minimum) or (spec.maximum is not None and number > spec.maximum):
        raise InvalidInput(f"{spec.name} must lie between {spec.minimum} and {spec.maximum}, got {value!r}.", where=spec.name)
    return spec.kind(number)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidInput(f"{name} must be a finite number, got {value!r}.", where=name)
    return value


def space_size(space: Space) -> int | None:
    """How many points there are; None when a dimension is continuous."""
    return math.prod(len(dimension.values) for dimension in space) if all(dimension.values for dimension in space) else None


def grid(space: Space, limit: int, *, is_allowed: IsAllowed | None = None) -> list[Point]:
    """Every point, the last dimension moving fastest; those not allowed are left out.

    Raises InvalidInput for a continuous dimension, for more than `limit` points, and when nothing is left.
    """
    for dimension in space:
        if not dimension.values:
            raise InvalidInput(f"A grid needs a step for {dimension.name}.", where=dimension.name, hint="Give a step or a list of values.")
    size = math.prod(len(dimension.values) for dimension in space)
    if size > limit:
        raise InvalidInput(
            f"The grid has {size:,} points, more than {limit:,}.", where="space", hint="Use larger steps, or draw at random."
        )
    points = [dict(zip((dimension.name for dimension in space), values, strict=True)) for values in product(*(d.values for d in space))]
    return _some(point for point in points if is_allowed is None or is_allowed(point))


def sample(space: Space, count: int, seed: int, *, is_allowed: IsAllowed | None = None, tried: Iterable[Point] = ()) -> list[Point]:
    """`count` different allowed points drawn evenly, none of those `tried`; fewer only when (hardly) any others exist.

    The same seed draws the same points on any machine.
    """
    if count < 1:
        raise InvalidInput(f"At least one point is drawn, got {count}.", where="count")
    source = np.random.Generator(np.random.PCG64(seed))
    seen = {point_key(point) for point in tried}
    size = space_size(space)
    if size is not None and size <= _TRIES_PER_POINT * (count + len(seen)):
        order = source.permutation(size)
        everything = grid(space, size)
        drawn: Iterator[Point] = (everything[int(at)] for at in order)
    else:
        drawn = (_draw(space, source) for _ in range(_TRIES_PER_POINT * count))
    points: list[Point] = []
    for point in drawn:
        if len(points) == count:
            break
        if point_key(point) not in seen and (is_allowed is None or is_allowed(point)):
            seen.add(point_key(point))
            points.append(point)
    return _some(points)


def _draw(space: Space, source: np.random.Generator) -> Point:
    return {dimension.name: dimension.at(share) for dimension, share in zip(space, source.random(len(space)).tolist(), strict=True)}


def _some(points: Iterable[Point]) -> list[Point]:
    found = list(points)
    if not found:
        raise InvalidInput("No point of the space is allowed, or all were tried.", where="space")
    return found


def point_key(point: Point) -> PointKey:
    """Equal for equal points, whatever the order of their parameters."""
    return tuple(sorted(point.items()))


@dataclass(frozen=True)
class Suggestion:
    """What to try next; `number` counts the suggestions of a search from 0."""

    number: int
    parameters: Point


@dataclass(frozen=True)
class Told:
    """What came of a suggestion; `score` is None where it could not be judged."""

    number: int
    parameters: Point
    score: float | None


class Search(Protocol):
    """A search that is asked and told. Higher scores are better."""

    def ask(self) -> Suggestion | None:
        """The next point, never one suggested before; None when there is nothing left to try."""
        ...

    def tell(self, number: int, score: float | None) -> None:
        """What came of suggestion `number`; None or NaN where it could not be judged. Raises InvalidInput for one that is not open."""
        ...


class ListSearch:
    """Try points that are known beforehand (a grid, a sample) in their order. `done` are the numbers told before an interruption."""

    def __init__(self, points: Sequence[Point], *, done: Iterable[int] = ()) -> None:
        finished = set(done)
        self._waiting = iter([Suggestion(number, dict(point)) for number, point in enumerate(points) if number not in finished])
        self._open: set[int] = set()

    def ask(self) -> Suggestion | None:
        suggestion = next(self._waiting, None)
        if suggestion is not None:
            self._open.add(suggestion.number)
        return suggestion

    def tell(self, number: int, score: float | None) -> None:
        if number not in self._open:
            raise InvalidInput(f"Suggestion {number} is not open.", where="number")
        self._open.discard(number)
