"""From a table of bars to our series."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa

from apps.core.errors import InvalidInput
from apps.core.values import INT64_SAFE
from apps.core.vocabulary import Timeframe
from apps.markets.adapters.calendars import ALWAYS_OPEN, sessions
from apps.markets.domain.bars import FloatArray, Int64Array, RawBars, empty_raw_bars, raw_bars_of, smallest_scale
from apps.markets.ports import Listing

_DAY_US = 86_400_000_000
_EPOCH_UNITS = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3), (0.0, 1e6))
"""Whole numbers as times: at least this large means that many microseconds each (nano-, micro-, milliseconds, seconds)."""


def raw_bars(table: pa.Table, timeframe: Timeframe, calendar: str) -> RawBars:
    """Bars that open at the file's dates; a daily bar of an exchange opens and closes with its session. Times without zone are UTC."""
    if not table.num_rows:
        return empty_raw_bars()
    opened = times(table["date"])
    values = [numbers(table[name]) for name in ("open", "high", "low", "close", "volume")]
    opened, closed = bar_times(opened, timeframe, calendar)
    return raw_bars_of(opened, closed, values)


def times(column: pa.ChunkedArray) -> Int64Array:
    """Microseconds since 1970 UTC from timestamps, dates, whole numbers since the epoch, or ISO text. What Arrow lends is read-only, which
    compiled kernels do not take: here and below it is copied."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _parsed(column)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = kind.tz if pa.types.is_timestamp(kind) else None
        return np.array(column.cast(pa.timestamp("us", tz=zone)).cast(pa.int64()).to_numpy(), np.int64)
    if pa.types.is_integer(kind):
        whole = column.to_numpy().astype(np.float64)
        factor = next(factor for least, factor in _EPOCH_UNITS if abs(whole[-1]) >= least)
        return np.asarray(np.rint(whole * factor), np.int64)
    raise InvalidInput(f"Dates of type {kind} are not understood.", where="date")


def numbers(column: pa.ChunkedArray) -> FloatArray:
    """Floats, NaN where a value is missing. Raises InvalidInput for text."""
    try:
        return np.array(column.cast(pa.float64()).to_numpy(), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"A number cannot be read: {str(error).splitlines()[0]}.", where="path") from error


def bar_times(opened: Int64Array, timeframe: Timeframe, calendar: str) -> tuple[Int64Array, Int64Array]:
    """Opening and closing times. Daily bars of an exchange are matched to its sessions by date."""
    length = int(timeframe.duration.total_seconds()) * 1_000_000
    if timeframe is not Timeframe.D1 or calendar == ALWAYS_OPEN:
        return opened, opened + length
    days = opened // _DAY_US
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    found = sessions(calendar, int(years.min()), int(years.max()))
    place = np.searchsorted(found.days, days).clip(max=len(found) - 1)
    strangers = days[found.days[place] != days]
    if len(strangers):
        raise InvalidInput(
            f"{strangers[0].astype('datetime64[D]')} is no trading day of {calendar}.", where="date", hint="Give another --calendar."
        )
    return found.opens[place], found.closes[place]


def listing(
    symbol: str, bars: RawBars, *, calendar: str, quote_asset: str, source_label: str, price_scale: int | None, asset_class: str = ""
) -> Listing:
    """An instrument with the fewest decimal places that hold the file's prices; bounds from its highest price."""
    prices = np.concatenate([bars.open, bars.high, bars.low, bars.close])
    scale = smallest_scale(prices) if price_scale is None else price_scale
    tick = Decimal(1).scaleb(-scale)
    is_exchange = calendar != ALWAYS_OPEN
    lot = Decimal("0.01") if is_exchange else Decimal(1).scaleb(-min(8, 10 - scale))
    highest = float(np.nanmax(prices[np.isfinite(prices)], initial=1.0))
    max_price = Decimal(10) ** max(2, int(np.ceil(np.log10(highest))) + 1)
    cash_scale = max(8, scale + max(0, -int(lot.normalize().as_tuple().exponent)))
    max_quantity = Decimal(int(Decimal(INT64_SAFE).scaleb(-cash_scale) / max_price / lot)) * lot
    base, _, quote = symbol.partition("/")
    return Listing(
        symbol=symbol, name=symbol, base_asset=base, quote_asset=quote or quote_asset, asset_class=asset_class or ("equity" if is_exchange else "crypto"),
        calendar=calendar, price_scale=scale, volume_scale=_volume_scale(bars.volume), tick_size=tick, lot_size=lot, min_quantity=lot,
        min_notional=Decimal(0), max_price=max_price, max_quantity=max_quantity, source_label=source_label, cash_scale=cash_scale,
    )  # fmt: skip


def _volume_scale(volume: FloatArray) -> int:
    """Decimal places for volumes: none where they are whole, else as many of eight as their size leaves exact."""
    finite = volume[np.isfinite(volume)]
    if not len(finite) or (finite == np.rint(finite)).all():
        return 0
    return int(np.clip(15 - np.ceil(np.log10(max(finite.max(), 1.0))), 0, 8))


def _parsed(column: pa.ChunkedArray) -> Int64Array:
    try:
        texts = np.array([text.strip().removesuffix("Z").removesuffix("+00:00") for text in column.to_pylist()])
        return np.asarray(texts.astype("datetime64[us]"), np.int64)
    except (ValueError, AttributeError) as error:
        raise InvalidInput(f"A date cannot be read: {error}", where="date", hint="Use ISO 8601 in UTC, or seconds since 1970.") from error
