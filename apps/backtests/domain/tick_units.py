"""A checked table of ticks in the engine's units: the instrument that its numbers make, and the tape."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from apps.backtests.domain.event_run import QuoteColumns
from apps.backtests.domain.tick_config import TickFile
from apps.backtests.domain.tick_table import Faults, FloatArray, Int64Array, Kinds, RawTicks, check_rows, is_price, kinds_of
from apps.backtests.domain.ticks import DepthColumns, Tape, TickKind, TradeColumns
from apps.core.errors import InvalidInput
from apps.core.ids import deterministic_uuid
from apps.core.values import INT64_SAFE, InstrumentSpec
from apps.markets.domain.bars import is_on_grid
from apps.orders.domain.engine_codes import L_ASK, L_ASK_LOTS, L_BID, L_BID_LOTS, SHOWN_COLUMNS

_FINEST = 8
"""Decimal places that prices and lots have at most."""
_DIGITS = 10
"""Decimal places of price and lot together: more would leave too little room for amounts."""
_MOST_PLACES = 18
_UNKNOWN = -1


def tape_of_table(raw: RawTicks, file: TickFile) -> tuple[InstrumentSpec, Tape]:
    """The instrument and the tape of a table, whole or not at all. Raises InvalidInput naming file, row and column of the first row that
    cannot be traded on, is off the tick or the lot, or too large to be counted exactly."""
    kinds = kinds_of(raw)
    check_rows(raw, kinds)
    spec = instrument_of(raw, file)
    tape = _tape(raw, kinds, spec)
    tape.check(spec)
    return spec, tape


def instrument_of(raw: RawTicks, file: TickFile) -> InstrumentSpec:
    """An instrument with the fewest decimal places that hold the table's prices; bounds from its highest price. It needs no row."""
    for name in ("tick", "lot"):
        _require_step(getattr(file, name), name)
    prices = [values for name, values in raw.columns.items() if is_price(name)]
    scale = _price_scale(raw, prices) if file.price_scale is None else _digits(file.price_scale)
    highest = max(float(np.nan_to_num(values).max(initial=1.0)) for values in prices)
    max_price = Decimal(10) ** max(2, int(np.ceil(np.log10(highest))) + 1)
    lot = file.lot or Decimal(1).scaleb(-min(_FINEST, _DIGITS - scale))
    cash_scale = max(_FINEST, scale + max(0, -int(lot.normalize().as_tuple().exponent)))
    largest = int(Decimal(INT64_SAFE).scaleb(-cash_scale) / max_price / lot) * lot
    base, _, quote = file.symbol.partition("/")
    spec = InstrumentSpec(
        id=deterministic_uuid("file", file.path, file.symbol), venue_id=deterministic_uuid("files"), symbol=file.symbol, base_asset=base,
        quote_asset=quote or file.quote_asset, price_scale=scale, volume_scale=0, cash_scale=cash_scale,
        tick_size=file.tick or Decimal(1).scaleb(-scale), lot_size=lot, min_quantity=lot, min_notional=Decimal(0), max_price=max_price,
        max_quantity=largest,
    )  # fmt: skip
    if largest < lot:
        raise InvalidInput(
            f"A lot of {lot} at prices up to {max_price} cannot be counted exactly.", where="lot", hint="Give a smaller --lot."
        )
    spec.check_bounds()
    return spec


def _require_step(step: Decimal | None, name: str) -> None:
    if step is not None and not (step.is_finite() and Decimal(1).scaleb(-_MOST_PLACES) <= step <= INT64_SAFE):
        raise InvalidInput(f"The {name} is a number above zero with at most {_MOST_PLACES} decimal places, got {step}.", where=name)


def _digits(scale: int) -> int:
    if not 0 <= scale <= _FINEST:
        raise InvalidInput(f"Prices have 0 to {_FINEST} decimal places, not {scale}.", where="price_scale")
    return scale


def _price_scale(raw: RawTicks, prices: list[FloatArray]) -> int:
    for scale in range(_FINEST + 1):
        if all(is_on_grid(values[~np.isnan(values)], scale).all() for values in prices):
            return scale
    return _FINEST


def _tape(raw: RawTicks, kinds: Kinds, spec: InstrumentSpec) -> Tape:
    faults = Faults(raw.name)
    quotes, trades = (_Part(raw, rows, spec, faults) for rows in (kinds.quote, kinds.trade))
    quoted = QuoteColumns(
        raw.at[kinds.quote], quotes.prices("bid"), quotes.prices("ask"), quotes.sizes("bid_size"), quotes.sizes("ask_size")
    )
    traded = TradeColumns(raw.at[kinds.trade], trades.prices("price"), trades.sizes("size", is_traded=True), raw.side[kinds.trade])
    shown = _levels(raw, kinds, spec, faults)
    faults.raise_first()
    kind = np.select([kinds.trade, kinds.quote], [int(TickKind.TRADE), int(TickKind.QUOTE)], int(TickKind.DEPTH)).astype(np.int64)
    row = np.zeros(len(raw), np.int64)
    for rows in (kinds.quote, kinds.trade, kinds.depth):
        row[rows] = np.arange(int(rows.sum()))
    return Tape(raw.at, kind, row, quoted, traded, DepthColumns(raw.at[kinds.depth], shown))


def _levels(raw: RawTicks, kinds: Kinds, spec: InstrumentSpec, faults: Faults) -> Int64Array:
    part = _Part(raw, kinds.depth, spec, faults)
    shown = np.zeros((int(kinds.depth.sum()), max(raw.levels, 1), SHOWN_COLUMNS), np.int64)
    for level in range(1, raw.levels + 1):
        for side, price, lots in (("bid", L_BID, L_BID_LOTS), ("ask", L_ASK, L_ASK_LOTS)):
            shown[:, level - 1, price] = part.prices(f"{side}_{level}").clip(min=0)
            shown[:, level - 1, lots] = part.sizes(f"{side}_size_{level}").clip(min=0)
    return shown


class _Part:
    """The rows of one kind; what does not fit the units of the instrument is noted as a fault. Empty cells become -1."""

    def __init__(self, raw: RawTicks, rows: np.ndarray[tuple[int], np.dtype[np.bool_]], spec: InstrumentSpec, faults: Faults) -> None:
        self._raw, self._rows, self._spec, self._faults = raw, rows, spec, faults

    def prices(self, name: str) -> Int64Array:
        values, spec = self._raw.column(name), self._spec
        is_given = self._rows & ~np.isnan(values)
        units = np.rint(np.where(is_given, values, 0.0) * 10.0**spec.price_scale)
        off_grid = is_given & ~is_on_grid(values, spec.price_scale)
        told = f"{name} is {{}}, which {spec.price_scale} decimal places do not hold exactly"
        self._faults.add(off_grid, name, told, f"Round the prices, or give --price-scale (at most {_FINEST}).", values)
        tick = spec.price_units(spec.tick_size)
        off_tick = is_given & ~off_grid & (np.mod(units, tick) != 0)
        self._faults.add(
            off_tick, name, f"{name} is {{}}, no step of {spec.tick_size}", "Correct the price, or give another --tick.", values
        )
        found: Int64Array = np.where(is_given & ~off_grid, units, _UNKNOWN).astype(np.int64)[self._rows]
        return found

    def sizes(self, name: str, *, is_traded: bool = False) -> Int64Array:
        values, lot = self._raw.column(name), float(self._spec.lot_size)
        is_given = self._rows & ~np.isnan(values)
        lots = np.rint(np.where(is_given, values, 0.0) / lot)
        too_large = is_given & (lots > INT64_SAFE)
        told = f"{name} is {{}}, which is too large to be counted in lots of {self._spec.lot_size}"
        self._faults.add(too_large, name, told, "Give a coarser --lot.", values)
        is_off = np.abs(lots * lot - values) > 4 * np.spacing(np.abs(np.where(is_given, values, 1.0)))
        told = f"{name} is {{}}, no whole number of lots of {self._spec.lot_size}"
        self._faults.add(is_given & ~too_large & is_off, name, told, "Round the sizes, or give a finer --lot.", values)
        if is_traded:
            self._faults.add(is_given & (lots < 1), name, f"{name} is {{}}, less than a lot", "Give a finer --lot.", values)
        found: Int64Array = np.where(is_given & ~too_large, lots, _UNKNOWN).astype(np.int64)[self._rows]
        return found
