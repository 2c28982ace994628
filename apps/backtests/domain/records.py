"""What a run leaves behind, whatever runner made it: orders, fills, trades, ledger entries and equity, all int64.

Columns are those of `orders/domain/engine_codes.py` (O_*, F_*) and `portfolio/domain/ledger_codes.py` (T_*, L_*). Times are microseconds UTC,
prices price units, quantities lots, amounts units of 10^-`cash_scale`: equity and exposure of `currency`, the account's, all else of the instrument's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec, decimal_unit
from apps.orders.domain.engine_codes import (
    BOOK_COLUMNS,
    F_AT,
    F_FEE,
    F_LOTS,
    F_ORDER,
    F_PLACE,
    F_PRICE,
    F_REASON,
    F_SIDE,
    FILL_COLUMNS,
)
from apps.orders.domain.margin_calls import MarginCall
from apps.portfolio.domain.ledger_codes import ENTRY_COLUMNS, TRADE_COLUMNS

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_HASHED = [F_ORDER, F_PLACE, F_AT, F_SIDE, F_LOTS, F_PRICE, F_FEE, F_REASON]
TABLE_COLUMNS = {"orders": BOOK_COLUMNS, "fills": FILL_COLUMNS, "trades": TRADE_COLUMNS, "entries": ENTRY_COLUMNS}


@dataclass(frozen=True, eq=False)
class RunRecords:
    """The records of one run. Place `p` of a record is `places[p]`.

    `equity` is the account's value at each close, `equity_at` its times, rising; `exposure`, where the runner knows it, the gross value held
    then. `opening_cash` is the capital. `rates` are the prices of the instruments' other currencies in the account's. `refusals` counts refused orders by `Reason` name, `decisions` what the strategy decided by outcome.
    `margin_calls` are known once the run is over, see `margin_records.py`.
    Raises InvalidInput for arrays of the wrong shape or type.
    """

    places: tuple[InstrumentSpec, ...]
    orders: Int64Array
    fills: Int64Array
    trades: Int64Array
    entries: Int64Array
    equity_at: Int64Array
    equity: Int64Array
    cash_scale: int
    currency: str
    opening_cash: int
    exposure: Int64Array | None = None
    refusals: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, int] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    margin_calls: tuple[MarginCall, ...] = ()

    def __post_init__(self) -> None:
        for name, columns in TABLE_COLUMNS.items():
            array = getattr(self, name)
            if array.ndim != 2 or array.shape[1] != columns or array.dtype != np.int64:
                raise InvalidInput(f"The {name} of a run have {columns} int64 columns, got {array.dtype} {array.shape}.", where=name)
        lengths = {len(self.equity_at), len(self.equity), len(self.equity if self.exposure is None else self.exposure)}
        if len(lengths) > 1 or self.equity.dtype != np.int64 or self.equity_at.dtype != np.int64:
            raise InvalidInput("Equity, its times and the exposure are int64 arrays of one length.", where="equity")

    @property
    def cash_unit(self) -> Decimal:
        """The size of one cash unit in the account's currency."""
        return decimal_unit(self.cash_scale)

    @property
    def unit_values(self) -> FloatArray:
        """By place what a cash unit of its instrument's currency is worth in the account's."""
        return np.array([float(value) for value in unit_values(self.places, self.cash_scale, self.rates)])

    @property
    def final_equity(self) -> Decimal:
        """Equity at the last close; the capital where there was no bar."""
        return int(self.equity[-1] if len(self.equity) else self.opening_cash) * self.cash_unit

    def fills_hash(self) -> str:
        """Identifies the fills: same inputs, same hash. 64 hex digits of BLAKE2b over order, place, at, side, lots, price, fee, reason."""
        rows = np.ascontiguousarray(self.fills[:, _HASHED], dtype="<i8")
        return hashlib.blake2b(rows.tobytes(), digest_size=32).hexdigest()


def unit_values(places: Sequence[InstrumentSpec], cash_scale: int, rates: Mapping[str, Decimal]) -> list[Decimal]:
    """By place what a cash unit of its instrument's currency is worth in the account's; a currency without a rate is the account's own."""
    return [decimal_unit(cash_scale) * rates.get(spec.quote_asset, Decimal(1)) for spec in places]


def currencies_of(places: Sequence[InstrumentSpec], currency: str) -> tuple[str, ...]:
    """The account's currency, then those of the instruments in the order of their first one: the order in which the engine numbers them."""
    return tuple(dict.fromkeys([currency, *(spec.quote_asset for spec in places)]))


def no_rows(columns: int) -> Int64Array:
    """Records of nothing."""
    return np.empty((0, columns), np.int64)
