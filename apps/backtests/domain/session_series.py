"""The bars of one instrument as its sessions see them: windows that end with a bar, looks at it, and hashes, each made once."""

from __future__ import annotations

from apps.forecasts.domain.looking import Look, SeriesLooks
from apps.markets.contracts import Bar, BarWindow
from apps.strategies.domain.evaluation import window_hash


class InstrumentSeries:
    """A whole history with a cursor that only moves forward."""

    def __init__(self, bars: BarWindow) -> None:
        self.bars = bars
        self._closes: list[int] = bars.closed_at.tolist()
        self._looks = SeriesLooks(bars)
        self._next = 0
        self._look: tuple[int, Look] = (-1, Look({}, None))
        self._windows: dict[int, BarWindow] = {}
        self._hashes: dict[int, str] = {}

    def move_to(self, closed_at: int) -> int | None:
        """Go forward to a close (microseconds); the bar that closed exactly then, by its place, or None."""
        self._windows.clear()
        self._hashes.clear()
        while self._next < len(self._closes) and self._closes[self._next] < closed_at:
            self._next += 1
        is_there = self._next < len(self._closes) and self._closes[self._next] == closed_at
        return self._next if is_there else None

    def is_over(self, closed_at: int) -> bool:
        """Whether no bar closes after this time."""
        return not self._closes or self._closes[-1] <= closed_at

    def bar(self, index: int) -> Bar:
        return self.bars.bar(index)

    def close(self, index: int) -> int:
        """The close in price units."""
        return int(self.bars.close[index])

    def window(self, index: int, count: int) -> BarWindow:
        """The newest `count` bars up to the one at the cursor; the same object however often it is asked for."""
        start = max(0, index + 1 - count)
        if start not in self._windows:
            self._windows[start] = self.bars.part(start, index + 1)
        return self._windows[start]

    def hash_of(self, window: BarWindow) -> str:
        """Hash over every bar of a window that ends at the cursor."""
        count = len(window)
        if count not in self._hashes:
            self._hashes[count] = window_hash(window)
        return self._hashes[count]

    def look(self, index: int) -> Look:
        """The features of the bar at the cursor."""
        if self._look[0] != index:
            self._look = (index, self._looks.at(index))
        return self._look[1]
