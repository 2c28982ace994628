"""The margin call: told at a close at which the account's equity is below a level above that at which the venue closes positions.

The level is a part of the gross exposure at its marks. Without one of its own a profile calls midway between the initial margin (1 / leverage)
and the maintenance margin; an account that can borrow nothing is never called. Nothing in here changes what the engine does.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from apps.orders.domain.engine_codes import PPM
from apps.orders.domain.profiles import EngineProfile

Int64Array = npt.NDArray[np.int64]
Amount = TypeVar("Amount", int, Decimal)


@dataclass(frozen=True)
class MarginCall:
    """From the close at which equity was below the level to the first at which it was not. Equity and exposure are those of the first."""

    called_at: int
    equity: int
    exposure: int
    cleared_at: int | None
    """None: it stood at the end."""
    is_flat: bool
    """Nothing was held any more when it ended: the positions were given up, by whomever."""


def call_ppm(profile: EngineProfile) -> int:
    """The level in millionths of the exposure, rounded up; 0 where there is no call. It is never below the maintenance margin."""
    if profile.is_cash_only:
        return 0
    initial = Decimal(PPM) / profile.leverage
    maintenance = min(profile.maintenance * PPM, initial)
    level = (initial + maintenance) / 2 if profile.margin_call is None else max(profile.margin_call * PPM, maintenance)
    return int(level.to_integral_value(rounding=ROUND_CEILING))


def is_called(equity: Amount, exposure: Amount, ppm: int) -> bool:
    """Whether equity is below the level, where there is one; both amounts in the same unit."""
    return ppm > 0 and equity * PPM < exposure * ppm


def required_of(exposure: Decimal, ppm: int) -> Decimal:
    """The equity that an exposure asks for."""
    return exposure * ppm / PPM


def margin_calls(at: Int64Array, equity: Int64Array, exposure: Int64Array, ppm: int) -> tuple[MarginCall, ...]:
    """Every call of a run, from its account at each close; amounts within 2^61."""
    whole, rest = np.divmod(exposure, PPM)
    below = equity < whole * ppm + -(-(rest * ppm) // PPM)
    edges = np.flatnonzero(np.diff(below, prepend=False, append=False)).tolist()
    return tuple(
        MarginCall(
            called_at=int(at[first]),
            equity=int(equity[first]),
            exposure=int(exposure[first]),
            cleared_at=int(at[end]) if end < len(at) else None,
            is_flat=end < len(at) and not exposure[end],
        )
        for first, end in zip(edges[::2], edges[1::2], strict=True)
    )
