"""What performance is measured from: equity over time, closed trades, and bars; the same for accounts and backtests.

Times are int64 microseconds since 1970 UTC. Amounts are float64 in the account's currency: these feed statistics only, never a ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

DAY_MICROS = 86_400_000_000
_SATURDAY = 5
_WEEKDAY_OF_1970 = 3
TRADING_DAYS = 252.0
CALENDAR_DAYS = 365.0


class ExitReason(IntEnum):
    """What ended a trade."""

    SIGNAL = 0
    STOP = 1
    TARGET = 2
    TRAILING = 3
    LIQUIDATION = 4
    MANUAL = 5
    END_OF_DATA = 6
    OTHER = 7

    @property
    def word(self) -> str:
        """The reason as a page writes it: `end of data`."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, eq=False)
class DailyValues:
    """One value a day: `days` are days since 1970 UTC, rising; `values` the last of each day."""

    days: Int64Array
    values: FloatArray

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, eq=False)
class EquitySeries:
    """Equity (or a benchmark's price) at points in time.

    `times` rise strictly. `exposure`, where known, is the gross value held at each point. Raises InvalidInput for unequal lengths,
    times out of order and values that are not finite.
    """

    times: Int64Array
    equity: FloatArray
    exposure: FloatArray | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.times), len(self.equity), len(self.times if self.exposure is None else self.exposure)}
        if len(lengths) > 1:
            raise InvalidInput("Times, equity and exposure must have one length.", where="equity")
        if len(self.times) > 1 and not np.all(self.times[1:] > self.times[:-1]):
            raise InvalidInput("The times of equity must rise strictly.", where="equity.times")
        if not np.all(np.isfinite(self.equity)):
            raise InvalidInput("Equity must be a finite number at every point.", where="equity.equity")

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def daily(self) -> DailyValues:
        """The last value of each UTC day.

        The first point is the start, before anything was won or lost: when its day has more points, it stands as the value of the day
        before, so that the first day's result counts.
        """
        days = self.times // DAY_MICROS
        is_last = np.append(days[1:] != days[:-1], True)[: len(days)]
        last_days, values = days[is_last], self.equity[is_last]
        if len(days) > 1 and days[0] == days[1]:
            last_days, values = np.insert(last_days, 0, days[0] - 1), np.insert(values, 0, self.equity[0])
        return DailyValues(last_days, values)

    @cached_property
    def days_per_year(self) -> float:
        """Days that make a year of daily returns: 365 where weekends have points, 252 where they have not.

        The first point does not count: an account may be opened on any day.
        """
        weekdays = (self.times[1:] // DAY_MICROS + _WEEKDAY_OF_1970) % 7
        return CALENDAR_DAYS if bool(np.any(weekdays >= _SATURDAY)) else TRADING_DAYS


@dataclass(frozen=True, eq=False)
class TradeRecords:
    """Round trips, in the order in which they closed; one element of each array per trade.

    `side` is +1 for long and -1 for short, `quantity` positive; `entry_value` and `exit_value` are positive (price x quantity x
    multiplier). `realised` is before `fees`; fees are positive when paid. `slippage` (paid against the price wished, positive when paid)
    is already inside `realised`. `exit_reason` holds ExitReason numbers. `target_price` is NaN for a trade without a target.
    """

    opened_at: Int64Array
    closed_at: Int64Array
    side: Int64Array
    quantity: FloatArray
    entry_value: FloatArray
    exit_value: FloatArray
    realised: FloatArray
    fees: FloatArray
    exit_reason: Int64Array
    slippage: FloatArray | None = None
    target_price: FloatArray | None = None

    def __post_init__(self) -> None:
        if len({len(column) for column in self._columns().values()}) > 1:
            raise InvalidInput("The columns of trades must have one length.", where="trades")

    def __len__(self) -> int:
        return len(self.opened_at)

    @cached_property
    def results(self) -> FloatArray:
        """What each trade earned after fees."""
        return self.realised - self.fees

    def _columns(self) -> dict[str, Any]:
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: column for name, column in columns.items() if column is not None}

    def where(self, chosen: BoolArray) -> TradeRecords:
        """The chosen trades."""
        return replace(self, **{name: column[chosen] for name, column in self._columns().items()})

    def ended_by(self, reason: ExitReason) -> TradeRecords:
        """The trades that ended for this reason."""
        return self.where(self.exit_reason == int(reason))


def no_trades() -> TradeRecords:
    """Records of nothing."""
    times, amounts = np.empty(0, np.int64), np.empty(0, np.float64)
    return TradeRecords(times, times, times, amounts, amounts, amounts, amounts, amounts, times)


@dataclass(frozen=True, eq=False)
class PriceBars:
    """Bars of the traded instrument, in time order; times are those of the close."""

    closed_at: Int64Array
    high: FloatArray
    low: FloatArray


def as_known_at(times: Int64Array, known_at: Int64Array, values: FloatArray) -> FloatArray | None:
    """The newest of `values` known at each time; None without any time, or where nothing positive was known at the first."""
    places = np.searchsorted(known_at, times, side="right") - 1
    if not len(times) or places[0] < 0 or values[places[0]] <= 0:
        return None
    known: FloatArray = values[places]
    return known
