"""Small series for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.markets.domain.bars import RawBars, raw_bars_of

DAY = 86_400_000_000


def daily(closes: Sequence[float], *, start: int = 0) -> RawBars:
    """Daily bars whose range is one percent around the close, opening at the close before."""
    close = np.array(closes, np.float64)
    opened = start * DAY + np.arange(len(close)) * DAY
    return raw_bars_of(opened, opened + DAY, [close, close * 1.01, close * 0.99, close, np.full(len(close), 1000.0)])


def flat_bars(closes: Sequence[float], *, start: int = 0) -> RawBars:
    """Daily bars that are all close."""
    close = np.array(closes, np.float64)
    opened = start * DAY + np.arange(len(close)) * DAY
    return raw_bars_of(opened, opened + DAY, [close, close, close, close, np.zeros(len(close))])
