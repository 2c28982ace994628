"""From a table of ticks to a tape: every row is a quote, a trade or a depth snapshot, and the first one that is none of them is named."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.tick_config import TimeUnit
from apps.core.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

TIME, SIDE = "time", "side"
QUOTE_COLUMNS = ("bid", "ask", "bid_size", "ask_size")
TRADE_COLUMNS = ("price", "size", SIDE)
LEVEL_COLUMNS = ("bid_{}", "bid_size_{}", "ask_{}", "ask_size_{}")
MOST_LEVELS = 50
LARGEST_PRICE = 1e12
_LEVEL = re.compile(r"(bid|bid_size|ask|ask_size)_([1-9]\d?)")


@dataclass(frozen=True, eq=False)
class RawTicks:
    """A file's rows: times in microseconds UTC, the columns by name with NaN where a cell is empty, and who took (0 = not said)."""

    name: str
    at: Int64Array
    columns: dict[str, FloatArray]
    side: Int64Array
    time_unit: TimeUnit

    def __len__(self) -> int:
        return len(self.at)

    @property
    def levels(self) -> int:
        """Levels of depth that the file has columns for."""
        return level_count(self.columns)

    def column(self, name: str) -> FloatArray:
        """A column, empty where the file does not have it."""
        found = self.columns.get(name)
        return np.full(len(self), np.nan) if found is None else found


def level_count(names: Any) -> int:
    """The highest level among column names."""
    return max((int(match[2]) for name in names if (match := _LEVEL.fullmatch(name))), default=0)


def is_known(name: str) -> bool:
    """Whether a file may have a column of this name."""
    match = _LEVEL.fullmatch(name)
    return name in (TIME, *QUOTE_COLUMNS, *TRADE_COLUMNS) or (match is not None and int(match[2]) <= MOST_LEVELS)


def is_price(name: str) -> bool:
    return "size" not in name


def bad_cell(file: str, row: int, column: str, what: str, hint: str) -> InvalidInput:
    """The error for a row, counted from 0; people count from 1, behind the header."""
    return InvalidInput(f"Row {row + 1} of {file}: {what}.", where=f"row {row + 1}, column {column}", hint=hint)


@dataclass
class Faults:
    """What is wrong with a table; the first row that is counts."""

    file: str
    found: list[tuple[int, str, str, str]] = field(default_factory=list)

    def add(self, bad: BoolArray, column: str, what: str, hint: str, values: FloatArray | None = None) -> None:
        """Where a row is bad; `{}` in the sentence stands for its value."""
        if bad.any():
            row = int(bad.argmax())
            self.found.append((row, column, what if values is None else what.format(f"{values[row]:.15g}"), hint))

    def raise_first(self) -> None:
        if self.found:
            raise bad_cell(self.file, *min(self.found, key=lambda fault: fault[0]))


@dataclass(frozen=True, eq=False)
class Kinds:
    """Which rows are what."""

    quote: BoolArray
    trade: BoolArray
    depth: BoolArray


def kinds_of(raw: RawTicks) -> Kinds:
    """What each row is, by the columns that it fills."""

    def fills(names: tuple[str, ...]) -> BoolArray:
        found = np.zeros(len(raw), np.bool_)
        for name in names:
            if name in raw.columns:
                found |= ~np.isnan(raw.columns[name])
        return found

    levels = tuple(name.format(level) for level in range(1, raw.levels + 1) for name in LEVEL_COLUMNS)
    return Kinds(fills(QUOTE_COLUMNS), fills(("price", "size")) | (raw.side != 0), fills(levels))


def check_rows(raw: RawTicks, kinds: Kinds) -> None:
    """Raise InvalidInput for the first row that goes back in time, or that is not exactly one whole quote, trade or snapshot."""
    if not len(raw):
        raise InvalidInput(f"{raw.name} has no rows.", where="rows", hint="A file of ticks has a header and a row for each tick.")
    faults = Faults(raw.name)
    backwards = np.zeros(len(raw), np.bool_)
    backwards[1:] = raw.at[1:] < raw.at[:-1]
    faults.add(backwards, TIME, "its time is before that of the row in front of it", "Sort the file by time.")
    count = kinds.quote.astype(np.int64) + kinds.trade + kinds.depth
    empty = "it holds neither a quote nor a trade nor depth (an empty cell and NaN mean that there is none)"
    faults.add(
        count == 0, next(iter(raw.columns)), empty, "Fill bid and ask, price and size, or the levels of depth; or leave the row out."
    )
    two = "it holds more than one of quote, trade and depth"
    faults.add(
        count > 1,
        "price" if "price" in raw.columns else "bid",
        two,
        "Write them as rows of their own, in the order in which they happened.",
    )
    for name, values in raw.columns.items():
        faults.add(np.isinf(values), name, f"{name} is infinite", "Leave out what is not known.")
        if is_price(name):
            faults.add(values <= 0, name, f"{name} is {{}}, and prices are above zero", "Leave out rows without a market.", values)
            faults.add(
                values > LARGEST_PRICE, name, f"{name} is {{}}, which is too large to be counted exactly", "Correct the price.", values
            )
        else:
            faults.add(values < 0, name, f"{name} is {{}}, and sizes are not negative", "Leave sizes that are not known empty.", values)
    _check_quotes(raw, kinds.quote, faults)
    _check_trades(raw, kinds.trade, faults)
    _check_depth(raw, kinds.depth, faults)
    faults.raise_first()


def _check_quotes(raw: RawTicks, rows: BoolArray, faults: Faults) -> None:
    bid, ask = raw.column("bid"), raw.column("ask")
    for name, values in (("bid", bid), ("ask", ask)):
        faults.add(
            rows & np.isnan(values), name, f"it is a quote without {name}", "A quote has a bid and an ask; leave out one-sided ones."
        )
    faults.add(rows & (bid > ask), "bid", "bid {} is above its ask", "Leave out crossed quotes.", bid)


def _check_trades(raw: RawTicks, rows: BoolArray, faults: Faults) -> None:
    for name in ("price", "size"):
        values = raw.column(name)
        faults.add(rows & np.isnan(values), name, f"it is a trade without {name}", "A trade has a price and a size.")
    faults.add(rows & (raw.column("size") == 0), "size", "it is a trade of size 0", "Leave out trades of nothing.")


def _check_depth(raw: RawTicks, rows: BoolArray, faults: Faults) -> None:
    for side, direction in (("bid", -1), ("ask", 1)):
        has_ended = np.zeros(len(raw), np.bool_)
        last = np.full(len(raw), np.nan)
        for level in range(1, raw.levels + 1):
            name, size_name = f"{side}_{level}", f"{side}_size_{level}"
            prices, sizes = raw.column(name), raw.column(size_name)
            is_given = ~np.isnan(prices)
            if level == 1:
                faults.add(rows & ~is_given, name, f"it is a snapshot without {name}", "A snapshot has at least one level on each side.")
            faults.add(rows & is_given & np.isnan(sizes), size_name, f"level {level} has a price and no size", "Give each level its size.")
            faults.add(rows & ~is_given & ~np.isnan(sizes), name, f"level {level} has a size and no price", "Give each level its price.")
            faults.add(rows & is_given & has_ended, name, f"level {level} follows an empty one", "Fill the levels from the first one on.")
            is_better = rows & is_given & (direction * (prices - last) <= 0)
            faults.add(is_better, name, f"{name} is {{}}, no worse than the level before", "Sort each side best first.", prices)
            has_ended |= ~is_given
            last = prices
    bid = raw.column("bid_1")
    faults.add(rows & (bid > raw.column("ask_1")), "bid_1", "bid_1 {} is above ask_1", "Leave out crossed snapshots.", bid)
