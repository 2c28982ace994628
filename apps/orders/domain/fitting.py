"""Slippage fitted to own fills: what taking liquidity has cost, as a constant and a part that grows with the root of the share of volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput
from apps.orders.domain.engine_codes import PPM, SlippageModel
from apps.orders.domain.profiles import MAX_BPS, PPM_PER_BPS, Slippage

LEAST_FILLS = 30
"""Fewer fills than this say nothing about a market."""


@dataclass(frozen=True)
class TakenFill:
    """A fill that took liquidity: price units against a reference (the price seen when the order was sent), lots of a bar's volume."""

    side: int
    reference: int
    price: int
    lots: int
    volume: int


@dataclass(frozen=True)
class FittedSlippage:
    """Cost in millionths = `constant_ppm` + `impact_ppm` x sqrt(share of volume). `spread_ppm` is the standard deviation of what is left."""

    constant_ppm: int
    impact_ppm: int
    fills: int
    spread_ppm: float

    def model(self) -> Slippage:
        """For a profile; bounded as every cost is."""
        constant, impact = (min(Decimal(ppm) / PPM_PER_BPS, MAX_BPS) for ppm in (self.constant_ppm, self.impact_ppm))
        return Slippage(SlippageModel.FITTED, slippage_bps=constant, impact_bps=impact)


def fit_slippage(fills: Sequence[TakenFill]) -> FittedSlippage:
    """Least squares with both parts at least zero, rounded up. Raises InvalidInput for fewer than LEAST_FILLS fills with a known volume."""
    usable = [fill for fill in fills if fill.volume > 0 and fill.reference > 0 and fill.lots > 0]
    if len(usable) < LEAST_FILLS:
        raise InvalidInput(
            f"Slippage is fitted to at least {LEAST_FILLS} fills with a known volume, there are {len(usable)}.",
            where="fills",
            hint="Use a fixed model until there are more.",
        )
    costs = np.array([fill.side * (fill.price - fill.reference) / fill.reference * PPM for fill in usable])
    roots = np.sqrt(np.array([min(fill.lots / fill.volume, 1.0) for fill in usable]))
    constant, impact = _non_negative(costs, roots)
    left = costs - constant - impact * roots
    return FittedSlippage(int(np.ceil(constant)), int(np.ceil(impact)), len(usable), float(left.std()))


def _non_negative(costs: npt.NDArray[np.float64], roots: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The best pair of parts among those without a negative one: both, only the constant, or only the impact."""
    both, *_ = np.linalg.lstsq(np.column_stack([np.ones_like(roots), roots]), costs, rcond=None)
    if both.min() >= 0:
        return float(both[0]), float(both[1])
    alone = max(float(costs.mean()), 0.0)
    squares = float((roots * roots).sum())
    growing = max(float((costs * roots).sum()) / squares, 0.0) if squares > 0 else 0.0
    errors = (float(((costs - alone) ** 2).sum()), float(((costs - growing * roots) ** 2).sum()))
    return (alone, 0.0) if errors[0] <= errors[1] else (0.0, growing)
