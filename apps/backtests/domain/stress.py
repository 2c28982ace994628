"""Stress: the same bars with a crisis in them, and the bars of real crises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

import numpy as np

from apps.backtests.domain.returns import FloatArray, Int64Array
from apps.backtests.domain.scenarios import Episode, Scenario
from apps.backtests.domain.windows import BarRange
from apps.core.errors import InvalidInput, NotFound, OutOfBounds
from apps.markets.contracts import BarFlag, BarWindow

_MICROS_PER_DAY = 86_400_000_000
_NOISE_DIGITS = 6
"""A price this close to a tick (in decimals of it) is on it: the rest is the noise of float arithmetic."""
_LONGEST_CLOSURE_DAYS = 8
"""Longer than any closure of an exchange since 1945 (the New York Stock Exchange from 2001-09-10 to 2001-09-17)."""


@dataclass(frozen=True)
class _Factors:
    """Multiples of the undisturbed price in each bar of a scenario."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray


def apply_scenario(bars: BarWindow, scenario: Scenario, *, start: int, length: int | None = None, severity: float = 1.0) -> BarWindow:
    """The bars with the scenario's path imposed from bar `start` on, over `length` bars (the scenario's own number by default).

    Bars before `start` are untouched, those behind the scenario are multiplied by its last factor. In each bar the open moves with the
    path at its beginning, the close with the path at its end, high and low with the highest and lowest the path has in between, so
    low <= open, close <= high stays true. New prices lie on the tick (open and close to the nearest, high up, low down, one tick at
    least). Bars of closes alone stay closes alone. `severity` is the power the factors are raised to: 0.5 is half the crisis, 1.5 what
    an instrument with beta 1.5 goes through; it concerns path and gap alone. A volume stays at least one unit: none would mean that it is not known.
    Raises OutOfBounds above the instrument's highest price.
    """
    count = scenario.bars if length is None else length
    if count < 1 or not 0 <= start < len(bars):
        raise InvalidInput(
            f"The scenario must begin within the {len(bars)} bars and last at least one, got {start} and {count}.", where="start"
        )
    if start + count > len(bars):
        raise InvalidInput(
            f"{scenario.title} lasts {count} bars, but only {len(bars) - start} follow bar {start}.",
            where="start",
            hint="Begin earlier or let it last fewer bars.",
        )
    factors = _factors(scenario, count=count, tail=len(bars) - start - count, severity=severity)
    if scenario.volatility != 1:
        factors = _swung(factors, bars, start, count, scenario.volatility)
    cut = slice(start, None)
    close = _shocked(bars.close[cut], factors.close, bars, np.rint)
    is_close_only = (bars.flags[cut] & BarFlag.CLOSES_ONLY) != 0
    return replace(
        bars,
        open=_joined(bars.open, start, np.where(is_close_only, close, _shocked(bars.open[cut], factors.open, bars, np.rint))),
        high=_joined(bars.high, start, np.where(is_close_only, close, _shocked(bars.high[cut], factors.high, bars, np.ceil))),
        low=_joined(bars.low, start, np.where(is_close_only, close, _shocked(bars.low[cut], factors.low, bars, np.floor))),
        close=_joined(bars.close, start, close),
        volume=_thinned(bars.volume, start, count, scenario.volume_divisor),
    )


def _swung(factors: _Factors, bars: BarWindow, start: int, count: int, power: float) -> _Factors:
    """The factors times those that make each move from the close before the scenario `power` times as large, as a log return."""
    anchor = float(bars.close[start - 1] if start else bars.open[0])
    last = (float(bars.close[start + count - 1]) / anchor) ** (power - 1.0)

    def swung(own: FloatArray, prices: Int64Array) -> FloatArray:
        moved = np.full(len(own), last)
        moved[:count] = (prices[start : start + count] / anchor) ** (power - 1.0)
        return np.asarray(own * moved, np.float64)

    return _Factors(
        open=swung(factors.open, bars.open),
        high=swung(factors.high, bars.high),
        low=swung(factors.low, bars.low),
        close=swung(factors.close, bars.close),
    )


def _thinned(volume: Int64Array, start: int, count: int, divisor: float) -> Int64Array:
    if divisor == 1:
        return volume
    thinned = volume.copy()
    stretch = thinned[start : start + count]
    thinned[start : start + count] = np.where(stretch > 0, np.maximum(np.floor(stretch / divisor), 1.0), 0.0).astype(np.int64)
    return thinned


def _factors(scenario: Scenario, *, count: int, tail: int, severity: float) -> _Factors:
    """The path cut into `count` bars, followed by `tail` bars at its end."""
    if not (np.isfinite(severity) and severity >= 0):
        raise InvalidInput(f"The severity is a number from 0, got {severity}.", where="severity")
    knots = np.array([knot.at for knot in scenario.path])
    logs = severity * (np.log([knot.factor for knot in scenario.path]) + np.log1p(scenario.gap))
    edges = np.arange(count + 1) / count
    times = np.unique(np.concatenate([edges, knots]))
    path = np.exp(np.interp(times, knots, logs))
    at = np.searchsorted(times, edges)
    behind = np.full(tail, path[-1])
    return _Factors(
        open=np.concatenate([path[at[:-1]], behind]),
        high=np.concatenate([np.maximum(np.maximum.reduceat(path, at[:-1]), path[at[1:]]), behind]),
        low=np.concatenate([np.minimum(np.minimum.reduceat(path, at[:-1]), path[at[1:]]), behind]),
        close=np.concatenate([path[at[1:]], behind]),
    )


def _shocked(prices: Int64Array, factors: FloatArray, bars: BarWindow, rounded: np.ufunc) -> Int64Array:
    spec = bars.instrument
    tick_units = spec.price_units(spec.tick_size)
    ticks = np.maximum(rounded(np.round(prices * factors / tick_units, _NOISE_DIGITS)), 1.0)
    highest = spec.price_units(spec.max_price) // tick_units
    if ticks.max() > highest:
        raise OutOfBounds(f"The scenario lifts {spec.symbol} above its highest price {spec.max_price}.", where="scenario")
    units: Int64Array = ticks.astype(np.int64) * np.int64(tick_units)
    return units


def _joined(prices: Int64Array, start: int, changed: Int64Array) -> Int64Array:
    return np.concatenate([prices[:start], changed])


def find_episode(bars: BarWindow, episode: Episode, *, warmup_bars: int = 0) -> BarRange:
    """The bars that opened from the first to the last day (UTC) of a crisis; raises NotFound where the stored data does not cover it.

    Covered means: bars from the first day or before and up to the last day, no hole longer than any exchange was ever closed, and
    `warmup_bars` in front.
    """
    opened = bars.opened_at
    first = _micros(episode.starts_on)
    behind = _micros(episode.ends_on) + _MICROS_PER_DAY
    found = BarRange(int(np.searchsorted(opened, first)), int(np.searchsorted(opened, behind)))
    if len(opened) == 0 or opened[0] >= first + _MICROS_PER_DAY or opened[-1] < behind - _MICROS_PER_DAY or len(found) == 0:
        raise _not_covered(bars, episode, "")
    around = opened[max(found.start - 1, 0) : found.stop + 1]
    widest = int(np.diff(around).max(initial=0))
    if widest > _LONGEST_CLOSURE_DAYS * _MICROS_PER_DAY:
        hole = int(np.diff(around).argmax())
        raise _not_covered(bars, episode, f" There is a hole from {_day(int(around[hole]))} to {_day(int(around[hole + 1]))}.")
    if found.start < warmup_bars:
        raise _not_covered(bars, episode, f" Only {found.start} bars lie in front of it, {warmup_bars} are needed to warm up.")
    return found


def _not_covered(bars: BarWindow, episode: Episode, detail: str) -> NotFound:
    stored = f"from {_day(int(bars.opened_at[0]))} to {_day(int(bars.closed_at[-1]))}" if len(bars) else "none"
    return NotFound(
        f"The data of {bars.instrument.symbol} does not cover {episode.title}, {episode.starts_on} to {episode.ends_on}.{detail}",
        where=episode.code,
        hint=f"Stored: {stored}. Load those days, or impose the scenario on other bars.",
    )


def _micros(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000


def _day(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).date().isoformat()
