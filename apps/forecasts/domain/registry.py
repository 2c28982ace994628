"""The registry of declared features: name, inputs, look-back, unit, and one sentence for pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.core.errors import Misconfigured
from apps.forecasts.domain.series import FloatArray, Series

Compute = Callable[[Series], FloatArray]


@dataclass(frozen=True)
class Feature:
    """One declared feature.

    `look_back` counts the bars that a value depends on, its own included: the value at bar *t* is the same, to the bit, whatever else
    the window holds. The first `warm_up` values of a window are NaN. `is_constant_without` names the input that, where the source
    does not carry it (closes-only bars, no volume), leaves the feature at one constant value.
    """

    name: str
    inputs: tuple[str, ...]
    look_back: int
    unit: str
    description: str
    compute: Compute
    is_constant_without: str = ""

    @property
    def warm_up(self) -> int:
        """Values at the start of a window that cannot be known yet."""
        return self.look_back - 1


FEATURES: dict[str, Feature] = {}
"""Every declared feature by name, in the order in which models see them."""


def declare(item: Feature) -> None:
    """Add a feature; a name is declared once."""
    if item.name in FEATURES:
        raise Misconfigured(f"The feature {item.name} is declared twice.", where=item.name)
    if item.look_back < 1:
        raise Misconfigured(f"The feature {item.name} needs a look-back of at least one bar.", where=item.name)
    FEATURES[item.name] = item
