"""Candles made from ticks: what a run over ticks is measured, walked forward and drawn on, with the tape that it trades on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.backtests.domain.tick_config import TimeUnit
from apps.backtests.domain.ticks import Int64Array, Tape, TickKind
from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow

LENGTHS = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400)
"""Seconds that a candle may have."""
MOST_CANDLES = 2_000
"""The shortest length is taken that makes no more."""
_SECOND = 1_000_000


@dataclass(frozen=True)
class TickWindow(BarWindow):
    """Candles of `seconds` of the middle between bid and ask (of trades where nothing was quoted yet), and the ticks that they were made of.
    `timeframe` says nothing here. `file` and `time_unit` tell where the ticks come from."""

    tape: Tape
    seconds: int
    file: str
    time_unit: TimeUnit

    def part(self, start: int, stop: int) -> TickWindow:
        """The candles [start, stop) with their ticks."""
        return candles_between(self, slice(start, stop))


def tick_window(spec: InstrumentSpec, tape: Tape, *, file: str, time_unit: TimeUnit, timeframe: Timeframe) -> TickWindow:
    """The candles of a tape that is not empty; those without a tick are left out."""
    seconds = next((length for length in LENGTHS if _count(tape, length) <= MOST_CANDLES), LENGTHS[-1])
    length = seconds * _SECOND
    buckets = tape.at // length
    firsts = np.flatnonzero(np.concatenate(([True], buckets[1:] != buckets[:-1])))
    lasts = np.append(firsts[1:], len(tape)) - 1
    middle = (tape.bid + tape.ask) // 2
    opened = buckets[firsts] * length
    return TickWindow(
        spec, timeframe, opened, opened + length, middle[firsts], np.maximum.reduceat(middle, firsts), np.minimum.reduceat(middle, firsts),
        middle[lasts], _volumes(tape, firsts, spec), np.zeros(len(firsts), np.int64), tape, seconds, file, time_unit,
    )  # fmt: skip


def candles_between(window: TickWindow, cut: slice) -> TickWindow:
    """Some of the candles with their ticks."""
    opened, closed = window.opened_at[cut], window.closed_at[cut]
    tape = window.tape.between(int(opened[0]), int(closed[-1])) if len(opened) else window.tape.part(0, 0)
    return TickWindow(
        window.instrument, window.timeframe, opened, closed, window.open[cut], window.high[cut], window.low[cut], window.close[cut],
        window.volume[cut], window.flags[cut], tape, window.seconds, window.file, window.time_unit,
    )  # fmt: skip


def tape_of(window: BarWindow) -> Tape:
    """The ticks behind candles; raises InvalidInput for bars that were not made of ticks."""
    if not isinstance(window, TickWindow):
        raise InvalidInput("Crises and other paths are put into bars, not into ticks.", where="ticks")
    return window.tape


def events_of(window: BarWindow) -> int:
    """What a strategy is told: bars, or ticks."""
    return len(window.tape) if isinstance(window, TickWindow) else len(window)


def tick_sheet(windows: tuple[BarWindow, ...]) -> dict[str, Any]:
    """What the tear sheet of a run over ticks tells of them, as JSON; empty for bars. Candles are closing second, open, high, low, close."""
    if not windows or not isinstance(windows[0], TickWindow):
        return {}
    window = windows[0]
    unit, scale = float(window.instrument.price_unit), window.instrument.price_scale
    columns = [(column * unit).round(scale).tolist() for column in (window.open, window.high, window.low, window.close)]
    return {
        "ticks": {
            "file": window.file,
            "times": window.time_unit.words,
            "quotes": window.tape.count(TickKind.QUOTE),
            "trades": window.tape.count(TickKind.TRADE),
            "snapshots": window.tape.count(TickKind.DEPTH),
            "seconds": window.seconds,
            "candles": [list(row) for row in zip((window.closed_at // _SECOND).tolist(), *columns, strict=True)],
        }
    }


def _count(tape: Tape, seconds: int) -> int:
    """Candles of a length that have a tick; times rise."""
    buckets = tape.at // (seconds * _SECOND)
    return 1 + int(np.count_nonzero(buckets[1:] != buckets[:-1]))


def _volumes(tape: Tape, firsts: Int64Array, spec: InstrumentSpec) -> Int64Array:
    """What was traded in each candle, in whole units of the instrument."""
    lots = np.zeros(len(tape), np.float64)
    is_trade = tape.kind == TickKind.TRADE
    lots[is_trade] = tape.trades.lots[tape.row[is_trade]]
    traded: Int64Array = np.rint(np.add.reduceat(lots, firsts) * float(spec.lot_size)).astype(np.int64)
    return traded
