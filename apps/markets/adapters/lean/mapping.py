"""From LEAN's rows to our series: times of the exchange become UTC, equity prices lose their factor of 10,000."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe
from apps.markets.adapters.files.mapping import bar_times
from apps.markets.adapters.lean.client import LeanFile
from apps.markets.domain.bars import FloatArray, Int64Array, RawBars, raw_bars_of

_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class SecurityType:
    """How LEAN writes one kind of security."""

    price_factor: Decimal
    zone: str
    calendar: str


SECURITY_TYPES = {
    "equity": SecurityType(Decimal(10_000), "America/New_York", "XNYS"),
    "crypto": SecurityType(Decimal(1), "UTC", "24/7"),
}


def security(name: str) -> SecurityType:
    """Raises InvalidInput for a kind that has no trade bars (forex and CFD are quoted)."""
    found = SECURITY_TYPES.get(name)
    if found is None:
        raise InvalidInput(
            f"LEAN data of type {name!r} cannot be imported.", where="security_type", hint="Only equity and crypto have trade bars."
        )
    return found


def raw_bars(files: list[LeanFile], kind: SecurityType, timeframe: Timeframe) -> RawBars:
    """All files as one series."""
    local = np.concatenate([_local_times(file) for file in files])
    values = [np.concatenate([_column(file, place) for file in files]) for place in range(1, 6)]
    prices = [column / float(kind.price_factor) for column in values[:4]]
    if timeframe is Timeframe.D1:
        opened, closed = bar_times(local, timeframe, kind.calendar)
    else:
        opened, closed = bar_times(to_utc(local, kind.zone), timeframe, "24/7")
    return raw_bars_of(opened, closed, [*prices, values[4]])


def to_utc(local: Int64Array, zone: str) -> Int64Array:
    """Exchange times (microseconds as if UTC) in UTC. The offset is that of the day's noon: markets are closed when clocks change."""
    days, place = np.unique(local // _DAY_US, return_inverse=True)
    offsets = [_offset(int(day), ZoneInfo(zone)) for day in days]
    return local - np.array(offsets, np.int64)[place]


def _offset(day: int, zone: ZoneInfo) -> int:
    noon = datetime(1970, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
    offset = noon.replace(tzinfo=zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) * 1_000_000


def _local_times(file: LeanFile) -> Int64Array:
    """Milliseconds since the midnight of the file's day, or `YYYYMMDD HH:MM`."""
    try:
        if file.day:
            midnight = int(np.datetime64(_iso_day(file.day), "us").astype(np.int64))
            return midnight + np.array([int(row[0]) for row in file.rows], np.int64) * 1000
        texts = [f"{_iso_day(row[0])}T{row[0][9:]}" for row in file.rows]
        return np.array(texts, "datetime64[us]").astype(np.int64)
    except ValueError as error:
        raise InvalidInput(f"A time in a LEAN file cannot be read: {error}", where="time") from error


def _iso_day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def _column(file: LeanFile, place: int) -> FloatArray:
    try:
        return np.array([float(row[place]) for row in file.rows])
    except (ValueError, IndexError) as error:
        raise InvalidInput(f"A value in a LEAN file cannot be read: {error}", where="price") from error
