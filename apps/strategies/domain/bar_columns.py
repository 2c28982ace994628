"""Bars of one instrument as arrays: what vector strategies see and what the engine runs over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec

Int64Array: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BarColumns:
    """Closed bars as contiguous int64 arrays: prices in price units, volume in lots (-1: not known), times in microseconds since 1970 UTC."""

    opened_at: Int64Array
    closed_at: Int64Array
    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array

    def __len__(self) -> int:
        return len(self.close)

    def check(self, instrument: InstrumentSpec) -> None:
        """Raise InvalidInput naming the first bar that is out of order or no bar at all."""
        bad = (self.low <= 0) | (self.low > np.minimum(self.open, self.close)) | (self.high < np.maximum(self.open, self.close))
        bad |= (self.high > instrument.price_units(instrument.max_price)) | (self.closed_at <= self.opened_at) | (self.volume < -1)
        if bad.any():
            index = int(bad.argmax())
            raise InvalidInput(
                f"Bar {index} of {instrument.symbol} is no bar: open {self.open[index]}, high {self.high[index]}, low {self.low[index]},"
                f" close {self.close[index]} price units, volume {self.volume[index]}.",
                where=f"bars[{index}]",
                hint="Prices must be positive, low and high must enclose open and close, and stay below the instrument's largest price.",
            )
        backwards = self.opened_at[1:] < self.closed_at[:-1]
        if backwards.any():
            index = int(backwards.argmax()) + 1
            raise InvalidInput(
                f"Bar {index} of {instrument.symbol} opens before bar {index - 1} closes.",
                where=f"bars[{index}]",
                hint="Sort the bars by time.",
            )
