"""Bars as parallel arrays: as a source gives them (floats) and as they are stored (int64 units), with the exact way between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from apps.core.errors import InexactValue, InvalidInput
from apps.core.values import INT64_SAFE

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FLOAT_EXACT = 2**48
"""Most units that a float may stand for: up to here the noise of float arithmetic stays far below half a unit."""
_NOISE_ULPS = 4


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware time, exactly."""
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC time, exactly."""
    seconds, rest = divmod(int(micros), 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


@dataclass(frozen=True)
class _Parallel:
    """Arrays of one length."""

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, item.name)) for item in fields(self)}
        if len(lengths) > 1:
            raise InvalidInput(f"{type(self).__name__} needs arrays of one length, got {sorted(lengths)}.")

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def take(self, chosen: npt.NDArray[Any] | slice) -> Self:
        """The chosen bars (mask, indexes or slice)."""
        return type(self)(*(getattr(self, item.name)[chosen] for item in fields(self)))

    @classmethod
    def join(cls, parts: list[Self]) -> Self:
        """One after the other; at least one part."""
        return cls(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)))


@dataclass(frozen=True)
class RawBars(_Parallel):
    """Bars as a source gives them: times in microseconds UTC, values as floats that may be wrong in every way."""

    opened_at: Int64Array
    closed_at: Int64Array
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    flags: Int64Array


@dataclass(frozen=True)
class CandleBatch(_Parallel):
    """Checked bars of one instrument in units of its scales, times in microseconds UTC, strictly ascending."""

    opened_at: Int64Array
    closed_at: Int64Array
    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    flags: Int64Array


def raw_bars_of(opened_at: Int64Array, closed_at: Int64Array, columns: Sequence[FloatArray], *, flags: int = 0) -> RawBars:
    """A series from its columns open, high, low, close and volume, every bar with the same flags."""
    open_, high, low, close, volume = columns
    return RawBars(opened_at, closed_at, open_, high, low, close, volume, np.full(len(opened_at), flags, np.int64))


def empty_raw_bars() -> RawBars:
    whole, real = np.empty(0, np.int64), np.empty(0, np.float64)
    return RawBars(whole, whole, real, real, real, real, real, whole)


def is_on_grid(values: FloatArray, scale: int) -> BoolArray:
    """Where a float stands for one decimal with `scale` places: within a few units in its last place, as float arithmetic leaves it
    (0.016984990000000002 is 0.01698499), and small enough that no other decimal is near."""
    factor = 10.0**scale
    with np.errstate(invalid="ignore", over="ignore"):
        units = np.rint(values * factor)
        is_near = np.abs(units / factor - values) <= _NOISE_ULPS * np.spacing(np.abs(values))
        return np.asarray((np.abs(units) < FLOAT_EXACT) & is_near)


def price_units(values: FloatArray, scale: int) -> Int64Array:
    """Prices as whole units of 10^-scale; raises InexactValue unless every one is exactly on the grid."""
    good = is_on_grid(values, scale)
    if not good.all():
        first = values[~good][0]
        raise InexactValue(f"Price {first!r} has no exact value with {scale} decimal places.", where="price_scale")
    return np.rint(values * 10.0**scale).astype(np.int64)


def volume_units(values: FloatArray, scale: int) -> Int64Array:
    """Volumes as units of 10^-scale, rounded to the nearest: a volume is a statistic, venues add it up in floats themselves."""
    units = np.rint(values * 10.0**scale)
    if len(units) and not (np.abs(units) < INT64_SAFE).all():
        raise InvalidInput("A volume is too large for its scale.", where="volume_scale", hint="Use a smaller volume scale.")
    return units.astype(np.int64)


def to_candles(bars: RawBars, *, price_scale: int, volume_scale: int) -> CandleBatch:
    """The stored form of checked bars. Raises where a price is off the grid."""
    return CandleBatch(
        opened_at=bars.opened_at,
        closed_at=bars.closed_at,
        open=price_units(bars.open, price_scale),
        high=price_units(bars.high, price_scale),
        low=price_units(bars.low, price_scale),
        close=price_units(bars.close, price_scale),
        volume=volume_units(bars.volume, volume_scale),
        flags=bars.flags,
    )


def smallest_scale(values: FloatArray, *, largest: int = 8) -> int:
    """The fewest decimal places that hold every value exactly; raises InexactValue if `largest` are not enough."""
    finite = values[np.isfinite(values)]
    for scale in range(largest + 1):
        if is_on_grid(finite, scale).all():
            return scale
    first = finite[~is_on_grid(finite, largest)][0]
    raise InexactValue(f"Value {first!r} needs more than {largest} decimal places.", where="price_scale")


def decimal_of(units: int, scale: int) -> Decimal:
    """The exact decimal of stored units."""
    return Decimal(int(units)).scaleb(-scale)
