"""Cutting a series to a span, for sources that hold all of it."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from apps.markets.domain.bars import RawBars, to_micros


def cut(bars: RawBars, *, since: datetime | None, until: datetime | None) -> RawBars:
    """Bars that opened at or after `since` and closed at or before `until`."""
    chosen = np.ones(len(bars), np.bool_)
    if since is not None:
        chosen &= bars.opened_at >= to_micros(since)
    if until is not None:
        chosen &= bars.closed_at <= to_micros(until)
    return bars if chosen.all() else bars.take(chosen)
