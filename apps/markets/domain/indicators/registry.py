"""The list of indicators and the two ways to use one: `compute` over whole columns, `stream` bar by bar."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from apps.core.errors import InvalidInput, NotFound
from apps.markets.domain.indicators.graph import Bars, FloatArray, Node, Program, work_out

LONGEST = 100_000
"""Most bars that a length may name."""
NAN = float("nan")

Value = int | float | str


@dataclass(frozen=True)
class Whole:
    """A whole number, usually of bars."""

    default: int
    least: int = 1
    most: int = LONGEST

    def check(self, value: object) -> Value | None:
        return value if isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most else None

    def __str__(self) -> str:
        return f"a whole number from {self.least} to {self.most}"


@dataclass(frozen=True)
class Number:
    """A number, both bounds included."""

    default: float
    least: float
    most: float

    def check(self, value: object) -> Value | None:
        allowed = isinstance(value, (int, float)) and not isinstance(value, bool) and self.least <= value <= self.most
        return float(value) if allowed else None  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"a number from {self.least:g} to {self.most:g}"


@dataclass(frozen=True)
class Choice:
    """One of some words; the first is the default."""

    words: tuple[str, ...]

    @property
    def default(self) -> str:
        return self.words[0]

    def check(self, value: object) -> Value | None:
        return value if isinstance(value, str) and value in self.words else None

    def __str__(self) -> str:
        return "one of " + ", ".join(self.words)


Parameter = Whole | Number | Choice
Definition = Callable[..., "Node | dict[str, Node]"]


@dataclass(frozen=True)
class Indicator:
    """What the registry knows of one indicator. Inputs and outputs are read off the graph, so they cannot differ from it."""

    name: str
    kind: str
    description: str
    parameters: Mapping[str, Parameter]
    define: Definition

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The columns it reads with the default parameters, in the order `update` takes them (others may need others: ask `Stream.inputs`)."""
        return self.build({})[0].names()

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The names of its series; the first is what `update` answers."""
        return tuple(self.build({})[1])

    def build(self, parameters: Mapping[str, object]) -> tuple[Bars, dict[str, Node]]:
        """The graph for these parameters. Raises InvalidInput for one that is unknown or out of bounds."""
        bars = Bars()
        made = self.define(bars, **self._checked(parameters))
        return bars, made if isinstance(made, dict) else {self.name: made}

    def _checked(self, given: Mapping[str, object]) -> dict[str, Value]:
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            raise InvalidInput(
                f"The indicator {self.name} has no parameter {unknown[0]}.",
                where=self.name,
                hint="It takes " + (", ".join(self.parameters) or "none") + ".",
            )
        return {name: self._one(name, parameter, given) for name, parameter in self.parameters.items()}

    def _one(self, name: str, parameter: Parameter, given: Mapping[str, object]) -> Value:
        value = parameter.check(given.get(name, parameter.default))
        if value is None:
            raise InvalidInput(f"{given[name]!r} is no {name} of {self.name}.", where=self.name, hint=f"It must be {parameter}.")
        return value


INDICATORS: dict[str, Indicator] = {}


def indicator(name: str, kind: str, description: str, **parameters: Parameter) -> Callable[[Definition], Definition]:
    """Put a definition into the registry."""

    def put(define: Definition) -> Definition:
        if name in INDICATORS:
            raise InvalidInput(f"There are two indicators {name}.", where=define.__name__)
        INDICATORS[name] = Indicator(name, kind, description, parameters, define)
        return define

    return put


def find(name: str) -> Indicator:
    """The indicator of that name. Raises NotFound."""
    if name not in INDICATORS:
        raise NotFound(f"There is no indicator {name}.", where="indicators", hint="Known: " + ", ".join(sorted(INDICATORS)) + ".")
    return INDICATORS[name]


def compute(name: str, columns: Mapping[str, Any], **parameters: object) -> dict[str, FloatArray]:
    """Every output over whole columns, each as long as the columns, nan until warm.

    `columns` holds at least the indicator's inputs (others are not looked at), one-dimensional, of one length. A bar with a nan or an infinity
    in an input is left out: its outputs are nan and later bars are as if it had not been. Raises InvalidInput or NotFound.
    """
    known = find(name)
    bars, outputs = known.build(parameters)
    inputs = _inputs(known, bars.names(), columns)
    length = len(next(iter(inputs.values())))
    usable = np.ones(length, dtype=np.bool_)
    for values in inputs.values():
        usable &= np.isfinite(values)
    if usable.all():
        return dict(zip(outputs, work_out(list(outputs.values()), inputs, length), strict=True))
    series = work_out(list(outputs.values()), {key: values[usable] for key, values in inputs.items()}, int(usable.sum()))
    return {key: _spread(values, usable) for key, values in zip(outputs, series, strict=True)}


def _inputs(known: Indicator, names: tuple[str, ...], columns: Mapping[str, Any]) -> dict[str, FloatArray]:
    missing = [name for name in names if name not in columns]
    if missing:
        raise InvalidInput(
            f"The indicator {known.name} needs the column {missing[0]}.", where=known.name, hint="It reads " + ", ".join(names) + "."
        )
    inputs = {name: np.ascontiguousarray(columns[name], dtype=np.float64) for name in names}
    if len({values.shape for values in inputs.values()}) > 1 or any(values.ndim != 1 for values in inputs.values()):
        raise InvalidInput(f"The columns of {known.name} need one dimension and one length.", where=known.name)
    return inputs


def _spread(values: FloatArray, usable: np.ndarray[Any, np.dtype[np.bool_]]) -> FloatArray:
    out = np.full(len(usable), np.nan)
    out[usable] = values
    return out


class Stream:
    """One indicator, bar by bar, with the same bits as `compute`. `update` takes the inputs in the order of `inputs` and answers the first
    output. A bar with a nan or an infinity is answered with nan and changes nothing."""

    __slots__ = ("_places", "_program", "inputs", "name", "outputs", "warmup")

    def __init__(self, known: Indicator, parameters: Mapping[str, object]) -> None:
        bars, outputs = known.build(parameters)
        self.name = known.name
        self.inputs = bars.names()
        self.outputs = tuple(outputs)
        self._places = {name: index for index, name in enumerate(outputs)}
        self.warmup = max(node.warmup for node in outputs.values())
        self._program = Program([bars.inputs[name] for name in self.inputs], list(outputs.values()))

    def update(self, *values: float) -> float:
        """Take one bar. Raises InvalidInput for a wrong number of values."""
        if len(values) != len(self.inputs):
            raise InvalidInput(
                f"{self.name} takes {len(self.inputs)} values a bar, got {len(values)}.", where=self.name, hint=", ".join(self.inputs)
            )
        for value in values:
            if value - value != 0.0:
                return NAN
        return self._program.update(values)

    @property
    def value(self) -> float:
        """The first output after the last usable bar; nan until warm."""
        return self._program.output(0)

    def __getitem__(self, output: str) -> float:
        """One output after the last usable bar. Raises KeyError for a name that is not among `outputs`."""
        return self._program.output(self._places[output])

    @property
    def values(self) -> dict[str, float]:
        """Every output after the last usable bar."""
        return {name: self._program.output(index) for index, name in enumerate(self.outputs)}

    @property
    def is_ready(self) -> bool:
        """Whether every output has a value."""
        return not any(math.isnan(value) for value in self.values.values())


def stream(name: str, **parameters: object) -> Stream:
    """A fresh indicator for bar-by-bar use. Raises InvalidInput or NotFound."""
    return Stream(find(name), parameters)
