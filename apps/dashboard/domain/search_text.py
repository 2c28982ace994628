"""Values to search over as people write them: `5, 10, 20`, `5 to 50` or `5 to 50 step 5`; `yes, no` for what is on or off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.core.errors import InvalidInput
from apps.dashboard.domain.formatting import to_decimal
from apps.strategies.domain.parameters import ParameterSpec

MOST_VALUES = 200
_RANGE = re.compile(r"(?P<low>\S+)\s+to\s+(?P<high>\S+)(\s+step\s+(?P<step>\S+))?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,12})?")
_FLAGS = {"yes": True, "no": False, "true": True, "false": False}
_HINT = "Write 5, 10, 20 or 5 to 50 or 5 to 50 step 5."


@dataclass(frozen=True)
class SearchText:
    """Listed values, or bounds with an optional step."""

    values: tuple[Any, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    step: int | float | None = None

    def as_dimension(self) -> Any:
        """As a sweep takes it: a list, or an object with bounds."""
        if self.values:
            return list(self.values)
        bounds = {"minimum": self.minimum, "maximum": self.maximum, "step": self.step}
        return {name: value for name, value in bounds.items() if value is not None}

    def listed(self) -> tuple[Any, ...]:
        """Every value; raises InvalidInput for bounds without a step, and for too many values."""
        if self.values:
            return self.values
        if self.minimum is None or self.maximum is None or self.step is None:
            raise InvalidInput("A range without a step names no single values.", hint="Write 5 to 50 step 5.")
        low, high, step = (Decimal(str(item)) for item in (self.minimum, self.maximum, self.step))
        count = int((high - low) / step) + 1
        if count > MOST_VALUES:
            raise InvalidInput(f"That is {count} values; at most {MOST_VALUES} are taken.")
        return tuple(_plain(low + step * index) for index in range(count))


def read_values(text: str, spec: ParameterSpec) -> SearchText:
    """What was written; raises InvalidInput for what cannot be read as values of this parameter."""
    found = _RANGE.fullmatch(text.strip())
    if found and spec.kind is not bool:
        low, high = _number(found["low"]), _number(found["high"])
        step = _number(found["step"]) if found["step"] else None
        if low >= high or (step is not None and step <= 0):
            raise InvalidInput("A range goes from a smaller to a larger number, by steps above zero.", where=spec.name, hint=_HINT)
        return SearchText(minimum=low, maximum=high, step=step if step is not None or spec.kind is not int else 1)
    parts = [item for item in re.split(r"[,;\s]+", text.strip()) if item]
    if len(parts) > MOST_VALUES:
        raise InvalidInput(f"At most {MOST_VALUES} values are taken.", where=spec.name)
    return SearchText(tuple(_flag(item) if spec.kind is bool else _number(item) for item in parts))


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise InvalidInput(f"{text[:20]!r} is neither yes nor no.", hint="Write yes, no.")
    return _FLAGS[text.lower()]


def _number(text: str) -> int | float:
    number = to_decimal(text) if _NUMBER.fullmatch(text) else None
    if number is None:
        raise InvalidInput(f"{text[:20]!r} is no number.", hint=_HINT)
    return _plain(number)


def _plain(number: Decimal) -> int | float:
    return int(number) if number == int(number) else float(number)
