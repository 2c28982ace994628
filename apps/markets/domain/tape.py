"""A tape: the checked bars of several instruments on one clock, ready to be played one closing time after the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from apps.markets.domain.bars import CandleBatch, Int64Array, RawBars
from apps.markets.domain.quality import FaultReason


@dataclass(frozen=True)
class RejectedBar:
    """A bar that failed a check, as the source gave it (one bar)."""

    bars: RawBars
    reason: FaultReason
    detail: str

    @property
    def opened_at(self) -> int:
        return int(self.bars.opened_at[0])

    @property
    def closed_at(self) -> int:
        return int(self.bars.closed_at[0])


@dataclass(frozen=True)
class Track:
    """One instrument's part: good bars in units, and the ones that are not let in."""

    symbol: str
    candles: CandleBatch
    rejected: tuple[RejectedBar, ...]

    def until(self, closed_at: int) -> Track:
        """What closed at or before a time (microseconds)."""
        return Track(
            self.symbol, self.candles.take(self.candles.closed_at <= closed_at), tuple(b for b in self.rejected if b.closed_at <= closed_at)
        )

    def step(self, after: int, closed_at: int) -> Track:
        """The good bar that closed exactly at `closed_at`, and what was rejected since `after`."""
        place = int(np.searchsorted(self.candles.closed_at, closed_at))
        has_bar = place < len(self.candles) and int(self.candles.closed_at[place]) == closed_at
        chosen = slice(place, place + 1 if has_bar else place)
        return Track(self.symbol, self.candles.take(chosen), tuple(b for b in self.rejected if after < b.closed_at <= closed_at))


@dataclass(frozen=True)
class Tape:
    """All tracks; `closes` are the steps of the replay (microseconds, ascending)."""

    tracks: tuple[Track, ...]

    @cached_property
    def closes(self) -> Int64Array:
        return np.unique(np.concatenate([track.candles.closed_at for track in self.tracks]))

    def step_after(self, now: int) -> int | None:
        """The first closing time after `now`, None at the end."""
        place = int(np.searchsorted(self.closes, now, side="right"))
        return int(self.closes[place]) if place < len(self.closes) else None

    def step_before(self, at: int) -> int | None:
        """The last closing time before `at`."""
        place = int(np.searchsorted(self.closes, at)) - 1
        return int(self.closes[place]) if place >= 0 else None

    def step(self, after: int, closed_at: int) -> list[Track]:
        """The tracks that have something at the step `closed_at`, which follows the one at `after`."""
        parts = [track.step(after, closed_at) for track in self.tracks]
        return [part for part in parts if len(part.candles) or part.rejected]

    def until(self, closed_at: int) -> list[Track]:
        """Everything up to and including a step."""
        return [track.until(closed_at) for track in self.tracks]
