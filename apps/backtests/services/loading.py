"""The bars or ticks of a run: loaded once, checked, and hashed, so that a result names exactly what it was made from."""

from __future__ import annotations

import hashlib
from datetime import datetime
from importlib import import_module
from pathlib import Path
from uuid import UUID

import msgspec
import numpy as np

from apps.backtests.domain.checks import check_capital
from apps.backtests.domain.config import RunConfig
from apps.backtests.domain.tick_bars import TickWindow, tick_window
from apps.backtests.domain.tick_config import TickFile
from apps.backtests.domain.tick_table import RawTicks
from apps.backtests.domain.tick_units import tape_of_table
from apps.backtests.domain.ticks import tape_columns
from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.markets import selectors as markets
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import from_micros, to_micros

_TICK_FILES = "apps.backtests.adapters.tick_file"
"""Loaded by who runs over a file of ticks, and pyarrow with it."""
_HASHED = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")


def load_bars(config: RunConfig) -> tuple[BarWindow, ...]:
    """One window per instrument, in the order of the configuration; over ticks that of the candles made from them. Raises InvalidInput or OutOfBounds where they cannot be traded on."""
    if config.tick_file is not None:
        return (_ticks(config, config.tick_file),)
    windows = (_file_window(config),) if config.bar_file else tuple(_stored_window(config, spec) for spec in instruments_of(config))
    for window in windows:
        if not len(window):
            raise _no_bars(config, window.instrument)
        check_capital(config, window.instrument)
        _require_usable(window)
    return windows


def instruments_of(config: RunConfig) -> list[InstrumentSpec]:
    """The stored instruments of a configuration; raises NotFound."""
    return [markets.instrument_spec(instrument_id) for instrument_id in config.instrument_ids]


def require_bars(config: RunConfig, spec: InstrumentSpec) -> None:
    """Raise InvalidInput if no stored bar lies in the range, without loading them all."""
    newest = markets.bar_window(spec, config.timeframe, until=config.end, count=1)
    if not len(newest) or (config.start is not None and newest.last_bar().opened_at < config.start):
        raise _no_bars(config, spec)
    if config.trade_from is not None and newest.last_bar().opened_at < config.trade_from:
        raise InvalidInput(
            f"Trading would begin at {_said(config.trade_from)}, behind the last bar of {spec.symbol}, {_said(newest.last_bar().opened_at)}.",
            where="trade_from",
            hint="Nothing would ever be traded: choose an earlier time.",
        )


def with_fixed_end(config: RunConfig) -> RunConfig:
    """The configuration with an open end closed at the newest bar there is, so that a run made again, or a sweep's last chunk, sees no newer ones.

    Of several venues the one that has come least far ends it: beyond that its clock brings new bars.
    """
    if config.end is not None or config.bar_file is not None or config.tick_file is not None:
        return config
    ends: dict[UUID, datetime] = {}
    for spec in instruments_of(config):
        newest = markets.bar_window(spec, config.timeframe, until=None, count=1).last_bar().closed_at
        ends[spec.venue_id] = max(newest, ends.get(spec.venue_id, newest))
    return msgspec.structs.replace(config, end=min(ends.values()))


def data_hash(windows: tuple[BarWindow, ...]) -> str:
    """64 hex digits over every time and price of the bars (of ticks: every number), and the scales that they are in."""
    digest = hashlib.blake2b(digest_size=32)
    for window in windows:
        spec = window.instrument
        digest.update(f"{window.timeframe}|{spec.price_scale}|{spec.volume_scale}|{spec.tick_size}|{spec.lot_size}|{len(window)}".encode())
        for column in tape_columns(window.tape) if isinstance(window, TickWindow) else [getattr(window, name) for name in _HASHED]:
            digest.update(np.ascontiguousarray(column, dtype="<i8").data)
    return digest.hexdigest()


def _file_window(config: RunConfig) -> BarWindow:
    file = config.bar_file
    assert file is not None
    return markets.bars_of_file(
        file.path,
        symbol=file.symbol,
        timeframe=config.timeframe,
        calendar=file.calendar,
        quote_asset=file.quote_asset,
        file_format=file.file_format,
        price_scale=file.price_scale,
        tick=file.tick,
        since=config.start,
        until=config.end,
    )


def _ticks(config: RunConfig, file: TickFile) -> TickWindow:
    """A file's ticks between the dates of the configuration."""
    raw: RawTicks = import_module(_TICK_FILES).read_ticks(Path(file.path), file_format=file.file_format, time_unit=file.time_unit)
    spec, whole = tape_of_table(raw, file)
    since, until = (None if at is None else to_micros(at) for at in (config.start, config.end))
    tape = whole.between(since, until)
    if not len(tape):
        raise InvalidInput(
            f"There are no ticks in {raw.name} from {config.start or 'the first'} to {config.end or 'the last'}.",
            where="start",
            hint=f"They begin at {from_micros(int(whole.at[0])):%Y-%m-%d %H:%M:%S} UTC and end at {from_micros(int(whole.at[-1])):%Y-%m-%d %H:%M:%S}.",
        )
    check_capital(config, spec)
    return tick_window(spec, tape, file=raw.name, time_unit=raw.time_unit, timeframe=config.timeframe)


def _stored_window(config: RunConfig, spec: InstrumentSpec) -> BarWindow:
    until = config.end or markets.venue(spec.venue_id).now_at
    return markets.bars_between(spec, config.timeframe, since=config.start, until=until)


def _require_usable(window: BarWindow) -> None:
    """What compiled code relies on: rising times and positive prices with the high on top and the low below."""
    symbol = window.instrument.symbol
    if (np.diff(window.opened_at) <= 0).any() or (window.closed_at <= window.opened_at).any():
        raise InvalidInput(f"The bars of {symbol} are not in strictly rising order of time.", where=symbol)
    highest, lowest = np.maximum(window.open, window.close), np.minimum(window.open, window.close)
    if (window.low <= 0).any() or (window.low > lowest).any() or (window.high < highest).any() or (window.volume < 0).any():
        raise InvalidInput(f"A bar of {symbol} has a price that is not positive or lies outside its range.", where=symbol)
    if (window.high > window.instrument.price_units(window.instrument.max_price)).any():
        raise InvalidInput(f"A bar of {symbol} is above the largest price {window.instrument.max_price}.", where=symbol)


def _said(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else ""


def _no_bars(config: RunConfig, spec: InstrumentSpec) -> InvalidInput:
    start, end = _said(config.start) or "the first bar", _said(config.end) or "now"
    return InvalidInput(
        f"There are no {config.timeframe} bars of {spec.symbol} from {start} to {end}.",
        where="start",
        hint="Choose other dates or another timeframe, or import bars with manage.py import_candles.",
    )
