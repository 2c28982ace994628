"""Does a strategy look into the future, and does it need more history than it says?

A strategy is given as `decide(bars)`: one decision per bar of the window, made on that bar and those before it. Two things must hold:
- **Look-ahead**: the decisions up to a bar stay the same when the bars behind it are cut off or changed.
- **Warm-up**: from the declared number of bars on, the decisions stay the same however much history lies in front.
The cuts are drawn at random from a seed, and aimed at bars where the decision changes, for there a peek is worth something.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.returns import FloatArray, Int64Array
from apps.core.errors import InvalidInput
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import from_micros

Decide = Callable[[BarWindow], Sequence[Any] | npt.NDArray[Any]]

_COLUMNS = ("opened_at", "closed_at", "open", "high", "low", "close", "volume", "flags")
_PRICES = ("open", "high", "low", "close")


class Probe(StrEnum):
    """What was done with the bars behind the cut (REPEATED: nothing, the same bars were merely given again)."""

    REPEATED = "REPEATED"
    CUT_OFF = "CUT_OFF"
    RAISED = "RAISED"
    LOWERED = "LOWERED"
    SHUFFLED = "SHUFFLED"
    NEXT_BAR = "NEXT_BAR"
    LAST_BAR = "LAST_BAR"
    VOLUMES = "VOLUMES"


@dataclass(frozen=True)
class Peek:
    """A decision that changed although only bars from `cut` on did: the first such `bar`, when it closed, and both decisions."""

    probe: Probe
    cut: int
    bar: int
    closed_at: datetime
    decided: Any
    decided_then: Any

    @property
    def bars_ahead(self) -> int:
        """How many bars ahead the decision looked, at least."""
        return self.cut - self.bar

    def __str__(self) -> str:
        if self.probe is Probe.REPEATED:
            return f"Bar {self.bar} ({self.closed_at:%Y-%m-%d %H:%M}): {self.decided!r} at first, {self.decided_then!r} on the same bars again."
        return (
            f"Bar {self.bar} ({self.closed_at:%Y-%m-%d %H:%M}): {self.decided!r} became {self.decided_then!r} when bars from {self.cut} on"
            f" were changed ({self.probe}): it looks at least {self.bars_ahead} bars ahead."
        )


@dataclass(frozen=True)
class LookAheadReport:
    """What was found; at most one peek per probe and cut. `probes` counts what was tried."""

    peeks: tuple[Peek, ...]
    probes: int
    seed: int

    @property
    def is_clean(self) -> bool:
        return not self.peeks

    @property
    def first(self) -> Peek | None:
        """The peek at the earliest bar."""
        return min(self.peeks, key=lambda peek: (peek.bar, peek.cut), default=None)


def check_look_ahead(decide: Decide, bars: BarWindow, *, seed: int, cuts: int = 20, first_cut: int = 1) -> LookAheadReport:
    """Cut and change the future at `cuts` places (half of them where decisions change), no earlier than bar `first_cut`.

    Decisions are compared exactly (NaN equals NaN). Raises InvalidInput when the strategy fails or does not answer for every bar.
    """
    if not 1 <= first_cut < len(bars) or cuts < 1:
        raise InvalidInput(f"There must be a cut between bar 1 and bar {len(bars) - 1}, got {first_cut}.", where="first_cut")
    source = np.random.Generator(np.random.PCG64(seed))
    whole = _decisions(decide, bars)
    places = _cut_places(whole, source, cuts=cuts, first_cut=first_cut)
    peeks = list(_compared(Probe.REPEATED, len(bars), whole, _decisions(decide, bars), bars))
    tried = 1
    for cut in places:
        for probe, changed in _futures(bars, cut, source):
            tried += 1
            peeks += _compared(probe, cut, whole, _decisions(decide, changed), bars)
    return LookAheadReport(tuple(peeks), tried, seed)


@dataclass(frozen=True)
class LateStart:
    """Decisions that differed when the history began at bar `start`: the first one, and the last bar at which they still did."""

    start: int
    bar: int
    closed_at: datetime
    decided: Any
    decided_then: Any
    last_bar: int

    def __str__(self) -> str:
        return (
            f"Bar {self.bar} ({self.closed_at:%Y-%m-%d %H:%M}): {self.decided!r} with all history, {self.decided_then!r} when it began at bar"
            f" {self.start}, {self.bar - self.start + 1} bars before; still different {self.last_bar - self.start + 1} bars after the start."
        )


@dataclass(frozen=True)
class WarmUpReport:
    """What was found. `needed_bars` is the warm-up with which none of the tried starts would have differed."""

    late_starts: tuple[LateStart, ...]
    needed_bars: int
    starts: int
    seed: int

    @property
    def is_clean(self) -> bool:
        return not self.late_starts


def check_warm_up(
    decide: Decide, bars: BarWindow, *, warmup_bars: int, seed: int, starts: int = 20, tolerance: float = 0.0
) -> WarmUpReport:
    """Begin the history at `starts` random bars and compare the decisions from the `warmup_bars`-th bar on.

    `tolerance` is the relative difference of numbers that is let pass: averages that never forget (an exponential one) only come close.
    Raises InvalidInput when there are too few bars for one start.
    """
    ready = max(warmup_bars - 1, 0)
    latest = len(bars) - ready - 1
    if latest < 1 or starts < 1:
        raise InvalidInput(
            f"{len(bars)} bars are too few to begin later and still warm up over {warmup_bars}.", where="bars", hint="Give more bars."
        )
    source = np.random.Generator(np.random.PCG64(seed))
    whole = _decisions(decide, bars)
    chosen = np.sort(source.permutation(latest)[:starts] + 1)
    found, needed = [], warmup_bars
    for start in chosen.tolist():
        part = _decisions(decide, _part(bars, start, len(bars)))
        late = [bar for bar in range(start + ready, len(bars)) if not same_decision(whole[bar], part[bar - start], tolerance)]
        if late:
            found.append(LateStart(start, late[0], _closed(bars, late[0]), whole[late[0]], part[late[0] - start], late[-1]))
            needed = max(needed, late[-1] - start + 2)
    return WarmUpReport(tuple(found), needed, len(chosen), seed)


def same_decision(left: Any, right: Any, tolerance: float = 0.0) -> bool:
    """Whether two decisions are the same: numbers within the relative tolerance, NaN like NaN, everything else piece by piece."""
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return same_decision(np.asarray(left).tolist(), np.asarray(right).tolist(), tolerance)
    if isinstance(left, (float, np.floating)) or isinstance(right, (float, np.floating)):
        return _same_number(left, right, tolerance)
    if is_dataclass(left) and not isinstance(left, type) and type(left) is type(right):
        return all(same_decision(getattr(left, item.name), getattr(right, item.name), tolerance) for item in fields(left))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same_decision(left[key], right[key], tolerance) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(same_decision(one, other, tolerance) for one, other in zip(left, right, strict=True))
    return bool(left == right)


def _same_number(left: Any, right: Any, tolerance: float) -> bool:
    if left is None or right is None or isinstance(left, str) or isinstance(right, str):
        return False
    one, other = float(left), float(right)
    return one == other or (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=tolerance, abs_tol=0.0)


def _decisions(decide: Decide, bars: BarWindow) -> list[Any]:
    try:
        answer = decide(bars)
    except Exception as error:
        raise InvalidInput(f"The strategy failed on {len(bars)} bars: {error}", where="decide") from error
    decisions = answer.tolist() if isinstance(answer, np.ndarray) else list(answer)
    if len(decisions) != len(bars):
        raise InvalidInput(f"The strategy made {len(decisions)} decisions on {len(bars)} bars.", where="decide")
    return decisions


def _cut_places(whole: list[Any], source: np.random.Generator, *, cuts: int, first_cut: int) -> list[int]:
    """Bars behind which nothing is known; the cuts aimed at lie directly behind a decision that differs from the one before it."""
    turns = [bar + 1 for bar in range(1, len(whole) - 1) if bar + 1 >= first_cut and not same_decision(whole[bar - 1], whole[bar])]
    aimed = source.permutation(np.array(turns, dtype=np.int64))[: cuts // 2]
    anywhere = source.permutation(np.arange(first_cut, len(whole)))[: cuts - len(aimed)]
    return sorted({int(place) for place in np.concatenate([aimed, anywhere])})


def _futures(bars: BarWindow, cut: int, source: np.random.Generator) -> Iterator[tuple[Probe, BarWindow]]:
    """The same past with other futures."""
    behind = len(bars) - cut
    yield Probe.CUT_OFF, _part(bars, 0, cut)
    yield Probe.RAISED, _rescaled(bars, cut, np.full(behind, 3.0))
    yield Probe.LOWERED, _rescaled(bars, cut, np.full(behind, 0.3))
    yield Probe.SHUFFLED, _rescaled(bars, cut, 0.5 + source.random(behind))
    only = np.ones(behind)
    only[0] = 2.0 if source.random() < 0.5 else 0.5
    yield Probe.NEXT_BAR, _rescaled(bars, cut, only)
    yield Probe.LAST_BAR, _rescaled(bars, cut, np.where(np.arange(behind) == behind - 1, 10.0, 1.0))
    volume = bars.volume.copy()
    volume[cut:] = volume[cut:] * 7 + 1_000
    yield Probe.VOLUMES, replace(bars, volume=volume)


def _rescaled(bars: BarWindow, cut: int, factors: FloatArray) -> BarWindow:
    """Prices from `cut` on times the factors, on the tick, between one tick and the instrument's highest price."""
    spec = bars.instrument
    tick = spec.price_units(spec.tick_size)
    highest = spec.price_units(spec.max_price) // tick

    def changed(prices: Int64Array) -> Int64Array:
        ticks = np.clip(np.rint(prices[cut:] * factors / tick), 1, highest)
        return np.concatenate([prices[:cut], ticks.astype(np.int64) * np.int64(tick)])

    prices: dict[str, Any] = {name: changed(getattr(bars, name)) for name in _PRICES}
    return replace(bars, **prices)


def _part(bars: BarWindow, start: int, stop: int) -> BarWindow:
    columns: dict[str, Any] = {name: getattr(bars, name)[start:stop] for name in _COLUMNS}
    return replace(bars, **columns)


def _compared(probe: Probe, cut: int, whole: list[Any], other: list[Any], bars: BarWindow) -> Iterator[Peek]:
    """The first decision before the cut that is not the same."""
    for bar in range(cut):
        if not same_decision(whole[bar], other[bar]):
            yield Peek(probe, cut, bar, _closed(bars, bar), whole[bar], other[bar])
            return


def _closed(bars: BarWindow, bar: int) -> datetime:
    return from_micros(int(bars.closed_at[bar]))
