"""Typed strategy parameters: a frozen dataclass whose fields carry bounds and a help text.

    @dataclass(frozen=True)
    class Parameters:
        fast_bars: int = parameter(20, minimum=2, maximum=400, help="Bars of the short average.")

The admin renders the fields, the API validates against them, a running session reads them afresh at every bar.
"""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

from apps.core.errors import InvalidInput

P = TypeVar("P")


def parameter(default: Any, *, minimum: float | None = None, maximum: float | None = None, help: str) -> Any:
    """A dataclass field with bounds and help."""
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum, "help": help})


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter as forms and the API need it."""

    name: str
    kind: type
    default: Any
    minimum: float | None
    maximum: float | None
    help: str


def describe_parameters(parameters_class: type[Any]) -> list[ParameterSpec]:
    """The parameters of a strategy in the order in which they are declared."""
    hints = get_type_hints(parameters_class)
    return [
        ParameterSpec(
            name=item.name,
            kind=hints[item.name],
            default=None if item.default is MISSING else item.default,
            minimum=item.metadata.get("minimum"),
            maximum=item.metadata.get("maximum"),
            help=item.metadata.get("help", ""),
        )
        for item in fields(parameters_class)
    ]


def build_parameters(parameters_class: type[P], values: dict[str, Any]) -> P:
    """Validated parameters; unknown names, wrong types and values out of bounds raise InvalidInput naming the parameter."""
    specs = {spec.name: spec for spec in describe_parameters(parameters_class)}
    unknown = sorted(set(values) - set(specs))
    if unknown:
        raise InvalidInput(f"Unknown parameter {unknown[0]!r}.", where=unknown[0], hint=f"Known parameters: {', '.join(specs) or 'none'}.")
    return parameters_class(**{name: _checked(specs[name], value) for name, value in values.items()})


def _checked(spec: ParameterSpec, value: Any) -> Any:
    if spec.kind is bool:
        if not isinstance(value, bool):
            raise InvalidInput(f"{spec.name} must be true or false, got {value!r}.", where=spec.name)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (isinstance(value, float) and not math.isfinite(value)):
        raise InvalidInput(f"{spec.name} must be a finite number, got {value!r}.", where=spec.name)
    if spec.kind is int and value != int(value):
        raise InvalidInput(f"{spec.name} must be a whole number, got {value!r}.", where=spec.name)
    if spec.minimum is not None and value < spec.minimum:
        raise InvalidInput(f"{spec.name} must be at least {spec.minimum:g}, got {value:g}.", where=spec.name)
    if spec.maximum is not None and value > spec.maximum:
        raise InvalidInput(f"{spec.name} must be at most {spec.maximum:g}, got {value:g}.", where=spec.name)
    return spec.kind(value)
