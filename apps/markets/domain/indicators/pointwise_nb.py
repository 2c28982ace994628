"""Functions of one value over whole arrays, in kernel form: the same mathematical library as the bar-by-bar form, so the same bits."""

from __future__ import annotations

import math
from typing import Any

from apps.core.kernel import kernel

NAN = float("nan")


@kernel
def logarithm(value: float) -> float:
    """Natural logarithm; nan for what has none."""
    return math.log(value) if value > 0.0 else NAN


@kernel
def logarithm_nb(values: Any, out: Any) -> None:
    for index in range(values.shape[0]):
        out[index] = logarithm(values[index])


@kernel
def exponential(value: float) -> float:
    """e to the value, the value kept within -700 and 700."""
    return math.exp(min(700.0, max(-700.0, value))) if value - value == 0.0 else NAN


@kernel
def exponential_nb(values: Any, out: Any) -> None:
    for index in range(values.shape[0]):
        out[index] = exponential(values[index])


@kernel
def ratio(above: float, below: float, otherwise: float) -> float:
    """above / below; `otherwise` where below is 0; nan where either is nan."""
    if below == 0.0:
        return otherwise if above - above == 0.0 else NAN
    return above / below


@kernel
def ratio_nb(above: Any, below: Any, otherwise: float, out: Any) -> None:
    for index in range(above.shape[0]):
        out[index] = ratio(above[index], below[index], otherwise)
