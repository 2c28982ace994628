"""Trading costs of the simulated venue as whole parts per million, which kernels can use."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.core.errors import InvalidInput
from apps.core.rounding import require_finite

PPM_PER_BPS = 100
MAX_BPS = 2_000
"""A fifth of the price: far beyond any real cost, far below what could overflow or turn a price negative."""


@dataclass(frozen=True)
class Costs:
    """`fee_ppm` of the traded value; `adverse_ppm` of the price against an order that takes liquidity (half the spread and slippage)."""

    fee_ppm: int
    adverse_ppm: int

    @classmethod
    def from_bps(cls, *, fee_bps: Decimal, spread_bps: Decimal, slippage_bps: Decimal) -> Costs:
        """From basis points; at most two decimals, 0 to 2,000. Half of an odd spread is rounded up, against the trader."""
        half_spread_ppm = (_ppm(spread_bps, "spread_bps") + 1) // 2
        return cls(fee_ppm=_ppm(fee_bps, "fee_bps"), adverse_ppm=half_spread_ppm + _ppm(slippage_bps, "slippage_bps"))


def _ppm(bps: Decimal, name: str) -> int:
    require_finite(bps, name=name)
    ppm = bps * PPM_PER_BPS
    if not 0 <= bps <= MAX_BPS or ppm != ppm.to_integral_value():
        raise InvalidInput(f"{name} must be 0 to {MAX_BPS} basis points with at most two decimals, got {bps}.", where=name)
    return int(ppm)
