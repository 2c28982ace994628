"""Trading sessions: when a market opens and closes, in UTC, early closes included.

exchange_calendars takes over a second to import, so what it says for a span of years is kept in the data directory and read from there.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
from django.conf import settings

from apps.core.errors import NotFound
from apps.core.vocabulary import Timeframe
from apps.markets.domain.bars import Int64Array, to_micros

ALWAYS_OPEN = "24/7"
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Sessions:
    """Trading sessions in order: the local date as days since 1970, opening and close in microseconds UTC."""

    days: Int64Array
    opens: Int64Array
    closes: Int64Array

    def __len__(self) -> int:
        return len(self.days)


def expected_bars(calendar: str, timeframe: Timeframe, *, since: datetime, until: datetime) -> tuple[Int64Array, Int64Array]:
    """Opening and closing times (microseconds UTC) of every bar that the calendar expects to open from `since` and close by `until`.

    A daily bar is a session; shorter ones tile each session from its opening, the last one cut at its close.
    """
    found = sessions(calendar, since.year, until.year)
    touched = (found.closes > to_micros(since)) & (found.opens < to_micros(until))
    opens, closes = found.opens[touched], found.closes[touched]
    if timeframe is not Timeframe.D1:
        step = int(timeframe.duration.total_seconds()) * 1_000_000
        counts = -(-(closes - opens) // step)
        place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        opens, ends = np.repeat(opens, counts) + place * step, np.repeat(closes, counts)
        closes = np.minimum(opens + step, ends)
    inside = (opens >= to_micros(since)) & (closes <= to_micros(until))
    return opens[inside], closes[inside]


@lru_cache(maxsize=8)
def sessions(calendar: str, first_year: int, last_year: int) -> Sessions:
    """All sessions of these years; raises NotFound for an unknown calendar."""
    if calendar == ALWAYS_OPEN:
        first, last = (int(np.datetime64(f"{year}-01-01", "D").astype(np.int64)) for year in (first_year, last_year + 1))
        days = np.arange(first, last)
        return Sessions(days, days * _DAY_US, (days + 1) * _DAY_US)
    path = _cache_path(calendar, first_year, last_year)
    if not path.is_file():
        _store(path, _compute(calendar, first_year, last_year))
    with np.load(path) as stored:
        return Sessions(stored["days"], stored["opens"], stored["closes"])


def _cache_path(calendar: str, first_year: int, last_year: int) -> Path:
    name = f"{calendar}-{first_year}-{last_year}-{version('exchange_calendars')}.npz".replace("/", "_")
    return Path(settings.DATA_DIR) / "cache" / "calendars" / name


def _compute(calendar: str, first_year: int, last_year: int) -> Sessions:
    exchange_calendars = import_module("exchange_calendars")
    errors = import_module("exchange_calendars.errors")
    try:
        found = exchange_calendars.get_calendar(calendar, start=f"{first_year}-01-01", end=f"{last_year}-12-31")
    except errors.InvalidCalendarName:
        raise NotFound(
            f"There is no trading calendar {calendar!r}.", where="calendar", hint="Use a name of exchange_calendars, or 24/7."
        ) from None
    return Sessions(
        days=found.sessions.to_numpy().astype("datetime64[D]").astype(np.int64),
        opens=found.opens.dt.tz_convert(None).to_numpy().astype("datetime64[us]").astype(np.int64),
        closes=found.closes.dt.tz_convert(None).to_numpy().astype("datetime64[us]").astype(np.int64),
    )


def _store(path: Path, found: Sessions) -> None:
    """Write beside and rename, so that two processes at once leave one whole file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    with os.fdopen(descriptor, "wb") as file:
        np.savez(file, days=found.days, opens=found.opens, closes=found.closes)
    Path(name).replace(path)
