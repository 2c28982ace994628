"""Several computations over the same bars, told as one progress."""

from __future__ import annotations

from apps.backtests.domain.runners import ReportProgress


class Steps:
    """Reports `bars` for each of `count` steps; `next` ends one step. More steps than were announced stay at the end."""

    def __init__(self, report: ReportProgress, *, bars: int, count: int) -> None:
        self._report, self._bars, self._count = report, bars, count
        self._over = 0

    def progress(self, done: int, total: int) -> None:
        """What the computation of this step reports."""
        share = self._bars * done // total if total else 0
        self._report(min(self._over * self._bars + share, self._bars * self._count), self._bars * self._count)

    def next(self) -> None:
        """This step is over."""
        self._over += 1
        self.progress(0, self._bars)
