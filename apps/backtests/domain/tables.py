"""Records as people and programs read them: named columns with exact numbers, words for codes, the same for pages, API and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np

from apps.backtests.domain.records import Int64Array, currencies_of, unit_values
from apps.core.errors import OutOfBounds
from apps.core.values import INT64_SAFE, InstrumentSpec
from apps.orders.domain import engine_codes as engine
from apps.portfolio.domain import ledger_codes as ledger

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIDES = {engine.BUY: "BUY", engine.SELL: "SELL", 0: ""}
_DIRECTIONS = {engine.BUY: "LONG", engine.SELL: "SHORT", 0: ""}


class ColumnKind(StrEnum):
    """What the numbers of a column are: plain, times, exact decimals of 10^-scale, codes with a word each, or true and false."""

    NUMBER = "number"
    TIME = "time"
    DECIMAL = "decimal"
    WORD = "word"
    FLAG = "flag"


@dataclass(frozen=True, eq=False)
class Column:
    """One column. `empty` is the number that stands for no value."""

    name: str
    kind: ColumnKind
    values: Int64Array
    scale: int = 0
    words: dict[int, str] | None = None
    empty: int | None = None

    def python(self) -> list[Any]:
        """The values as int, aware datetime, Decimal, str, bool; None where there is none."""
        convert = self._converter()
        return [None if value == self.empty and self.empty is not None else convert(value) for value in self.values.tolist()]

    def text(self) -> list[str]:
        """The values as CSV takes them: exact decimals without exponent, times in ISO 8601, empty where there is none."""
        convert = self._decimal_text if self.kind is ColumnKind.DECIMAL else _text
        values = self.values.tolist() if self.kind is ColumnKind.DECIMAL else self.python()
        return ["" if value is None or (value == self.empty and self.empty is not None) else convert(value) for value in values]

    def _decimal_text(self, units: int) -> str:
        if not self.scale:
            return str(units)
        whole, rest = divmod(abs(units), 10**self.scale)
        digits = f"{rest:0{self.scale}d}".rstrip("0")
        return f"{'-' if units < 0 else ''}{whole}{'.' if digits else ''}{digits}"

    def _converter(self) -> Callable[[int], Any]:
        if self.kind is ColumnKind.TIME:
            return lambda value: _EPOCH + timedelta(microseconds=value)
        if self.kind is ColumnKind.DECIMAL:
            unit = Decimal(1).scaleb(-self.scale)
            return lambda value: value * unit
        if self.kind is ColumnKind.WORD:
            words = self.words or {}
            return lambda value: words.get(value, str(value))
        return bool if self.kind is ColumnKind.FLAG else int


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, eq=False)
class Books:
    """What a table needs to know of its run: the instruments by place, and the account's money."""

    places: Sequence[InstrumentSpec]
    cash_scale: int
    currency: str
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    """Prices of the instruments' other currencies in the account's."""

    @property
    def currencies(self) -> tuple[str, ...]:
        """The account's, then the others in the engine's order."""
        return currencies_of(self.places, self.currency)

    @property
    def unit_values(self) -> list[Decimal]:
        """By place what a cash unit of its instrument's currency is worth in the account's."""
        return unit_values(self.places, self.cash_scale, self.rates)

    @property
    def symbols(self) -> dict[int, str]:
        return {place: spec.symbol for place, spec in enumerate(self.places)}


def rows_of(columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    """The table row by row."""
    names = [column.name for column in columns]
    for values in zip(*(column.python() for column in columns), strict=True):
        yield dict(zip(names, values, strict=True))


def order_columns(rows: Int64Array, books: Books, *, first: int = 0) -> list[Column]:
    """Orders as the run left them. `first` is the number of the first row."""
    place = rows[:, engine.O_PLACE]
    flags = rows[:, engine.O_FLAGS]
    return [
        _numbers("number", first + np.arange(len(rows), dtype=np.int64)),
        _words("symbol", place, books.symbols),
        _words("side", rows[:, engine.O_SIDE], _SIDES),
        _enum("type", rows[:, engine.O_TYPE], engine.EngineOrderType),
        _enum("time_in_force", rows[:, engine.O_TIF], engine.EngineTimeInForce),
        Column("post_only", ColumnKind.FLAG, flags & engine.POST_ONLY),
        Column("reduce_only", ColumnKind.FLAG, flags & engine.REDUCE_ONLY),
        _quantity("quantity", rows[:, engine.O_LOTS], place, books),
        _quantity("filled", rows[:, engine.O_FILLED], place, books),
        _price("limit_price", rows[:, engine.O_LIMIT], place, books, empty=0),
        _price("stop_price", rows[:, engine.O_STOP], place, books, empty=0),
        _price("trail", rows[:, engine.O_TRAIL], place, books, empty=0),
        Column("trail_ppm", ColumnKind.NUMBER, rows[:, engine.O_TRAIL_PPM], empty=0),
        _enum("state", rows[:, engine.O_STATE], engine.EngineOrderState),
        _enum("reason", rows[:, engine.O_REASON], engine.Reason),
        _time("submitted_at", rows[:, engine.O_SUBMITTED_AT]),
        _time("expires_at", rows[:, engine.O_EXPIRES_AT], empty=engine.NEVER),
        _time("ended_at", rows[:, engine.O_ENDED_AT], empty=0),
        Column("parent", ColumnKind.NUMBER, rows[:, engine.O_PARENT], empty=engine.NO_ROW),
        Column("group", ColumnKind.NUMBER, rows[:, engine.O_GROUP], empty=0),
        *_currency(place, books),
        _money("value", rows[:, engine.O_VALUE], books),
        _money("fee", rows[:, engine.O_FEE], books),
        _numbers("tag", rows[:, engine.O_TAG]),
    ]


def fill_columns(rows: Int64Array, books: Books, *, first: int = 0) -> list[Column]:
    """Fills in the order in which they happened."""
    place = rows[:, engine.F_PLACE]
    return [
        _numbers("number", first + np.arange(len(rows), dtype=np.int64)),
        _numbers("order", rows[:, engine.F_ORDER]),
        _words("symbol", place, books.symbols),
        _time("at", rows[:, engine.F_AT]),
        _words("side", rows[:, engine.F_SIDE], _SIDES),
        _quantity("quantity", rows[:, engine.F_LOTS], place, books),
        _price("price", rows[:, engine.F_PRICE], place, books),
        *_currency(place, books),
        _money("value", rows[:, engine.F_VALUE], books),
        _money("fee", rows[:, engine.F_FEE], books),
        _enum("reason", rows[:, engine.F_REASON], engine.Reason),
        Column("is_maker", ColumnKind.FLAG, rows[:, engine.F_IS_MAKER]),
        _price("reference_price", rows[:, engine.F_REFERENCE], place, books, empty=0),
        _numbers("tag", rows[:, engine.F_TAG]),
    ]


def trade_columns(rows: Int64Array, books: Books, *, first: int = 0) -> list[Column]:
    """Round trips in the order in which they closed; `realised` is before fees, `result` after."""
    place = rows[:, ledger.T_PLACE]
    return [
        _numbers("number", first + np.arange(len(rows), dtype=np.int64)),
        _words("symbol", place, books.symbols),
        _words("side", np.sign(rows[:, ledger.T_SIDE]), _DIRECTIONS),
        _quantity("quantity", rows[:, ledger.T_LOTS], place, books),
        _time("opened_at", rows[:, ledger.T_OPENED_AT]),
        _time("closed_at", rows[:, ledger.T_CLOSED_AT]),
        *_currency(place, books),
        _money("entry_value", rows[:, ledger.T_ENTRY_VALUE], books),
        _money("exit_value", rows[:, ledger.T_EXIT_VALUE], books),
        _money("realised", rows[:, ledger.T_REALISED], books),
        _money("fees", rows[:, ledger.T_FEES], books),
        _money("result", rows[:, ledger.T_REALISED] - rows[:, ledger.T_FEES], books),
        _enum("entry_reason", rows[:, ledger.T_ENTRY_REASON], engine.Reason),
        _enum("exit_reason", rows[:, ledger.T_EXIT_REASON], engine.Reason),
        _numbers("entry_tag", rows[:, ledger.T_ENTRY_TAG]),
        _numbers("exit_tag", rows[:, ledger.T_EXIT_TAG]),
        _numbers("first_fill", rows[:, ledger.T_FIRST_FILL]),
        _numbers("last_fill", rows[:, ledger.T_LAST_FILL]),
    ]


def entry_columns(rows: Int64Array, books: Books, *, first: int = 0) -> list[Column]:
    """Ledger lines: amounts of one asset; they sum to zero per asset. The first asset is the account's currency, then other currencies, then the
    instruments."""
    asset = rows[:, ledger.L_ASSET]
    names = dict(enumerate([*books.currencies, *(spec.symbol for spec in books.places)]))
    scales = [*[(1, books.cash_scale)] * len(books.currencies), *(_lot_of(spec) for spec in books.places)]
    return [
        _numbers("number", first + np.arange(len(rows), dtype=np.int64)),
        _numbers("fill", rows[:, ledger.L_FILL]),
        _enum("account", rows[:, ledger.L_COLUMN], ledger.LedgerColumn),
        _words("asset", asset, names),
        _scaled("amount", rows[:, ledger.L_AMOUNT], asset, scales),
    ]


def equity_columns(rows: Int64Array, books: Books, *, first: int = 0) -> list[Column]:
    """Equity at each close, and the gross value held where it is known."""
    return [
        _time("at", rows[:, 0]),
        _money("equity", rows[:, 1], books),
        Column("exposure", ColumnKind.DECIMAL, rows[:, 2], books.cash_scale, empty=-1),
    ]


def _numbers(name: str, values: Int64Array) -> Column:
    return Column(name, ColumnKind.NUMBER, values)


def _time(name: str, values: Int64Array, *, empty: int | None = None) -> Column:
    return Column(name, ColumnKind.TIME, values, empty=empty)


def _words(name: str, values: Int64Array, words: dict[int, str]) -> Column:
    return Column(name, ColumnKind.WORD, values, words=words)


def _enum(name: str, values: Int64Array, codes: type[IntEnum]) -> Column:
    return _words(name, values, {int(code): code.name for code in codes})


def _money(name: str, values: Int64Array, books: Books) -> Column:
    return Column(name, ColumnKind.DECIMAL, values, books.cash_scale)


def _currency(place: Int64Array, books: Books) -> list[Column]:
    """What amounts are in, where that is not the account's currency throughout."""
    if len(books.currencies) == 1:
        return []
    return [_words("currency", place, {index: spec.quote_asset for index, spec in enumerate(books.places)})]


def _price(name: str, values: Int64Array, place: Int64Array, books: Books, *, empty: int | None = None) -> Column:
    return _scaled(name, values, place, [(1, spec.price_scale) for spec in books.places], empty=empty)


def _quantity(name: str, values: Int64Array, place: Int64Array, books: Books) -> Column:
    return _scaled(name, values, place, [_lot_of(spec) for spec in books.places])


def _lot_of(spec: InstrumentSpec) -> tuple[int, int]:
    """A lot as a whole number of 10^-scale."""
    scale = max(0, -int(spec.lot_size.normalize().as_tuple().exponent))
    return int(spec.lot_size.scaleb(scale)), scale


def _scaled(name: str, values: Int64Array, place: Int64Array, units: Sequence[tuple[int, int]], *, empty: int | None = None) -> Column:
    """Numbers of several grids on the finest of them, exactly; `units` are (factor, scale) by place."""
    scale = max((unit_scale for _, unit_scale in units), default=0)
    factors = np.array([factor * 10 ** (scale - unit_scale) for factor, unit_scale in units], np.int64)
    factor = factors[place] if len(factors) else np.ones_like(values)
    if (np.abs(values) > INT64_SAFE // factor).any():
        raise OutOfBounds(f"A {name} is too large to be shown on one grid for all instruments.", where=name)
    return Column(name, ColumnKind.DECIMAL, values * factor, scale, empty=empty)


TABLES: dict[str, Callable[..., list[Column]]] = {
    "orders": order_columns,
    "fills": fill_columns,
    "trades": trade_columns,
    "entries": entry_columns,
    "equity": equity_columns,
}
"""What makes the columns of each kind of record."""
