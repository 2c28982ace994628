"""What other apps may know of markets: bars as arrays, instruments, venue state, events. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from uuid import UUID

import numpy as np
import numpy.typing as npt

from apps.core.events import Event, Priority, event
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.domain.statuses import ClockStatus as ClockStatus

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class VenueKind(StrEnum):
    """LIBRARY holds imported bars: nothing trades there, but a replay can be opened from it."""

    REPLAY = "REPLAY"
    LIVE = "LIVE"
    PRACTICE = "PRACTICE"
    LIBRARY = "LIBRARY"


class BarFlag:
    """Bits of a candle's `flags`."""

    CLOSES_ONLY = 1
    FILLED_GAP = 2
    FALLBACK_SOURCE = 4


class CandleSource(IntEnum):
    """Where a stored candle came from, as stored with it. EXTENSION is any source that was added: its instruments' labels say which."""

    BUNDLED = 1
    FILES = 2
    LEAN = 3
    CCXT = 4
    STORED = 5
    EXTENSION = 100


@dataclass(frozen=True)
class Bar:
    """One closed bar; prices in units of the instrument's price scale, times in UTC."""

    opened_at: datetime
    closed_at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    flags: int = 0


@dataclass(frozen=True)
class BarWindow:
    """Closed bars of one instrument, oldest first, as parallel int64 arrays (times in microseconds since 1970, UTC)."""

    instrument: InstrumentSpec
    timeframe: Timeframe
    opened_at: Int64Array
    closed_at: Int64Array
    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    flags: Int64Array

    def __len__(self) -> int:
        return len(self.close)

    @property
    def last_closed_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.closed_at[-1]) / 1_000_000, UTC)

    def last_bar(self) -> Bar:
        """The newest bar; the window must not be empty."""
        return self.bar(len(self) - 1)

    def bar(self, index: int) -> Bar:
        return Bar(
            opened_at=datetime.fromtimestamp(int(self.opened_at[index]) / 1_000_000, UTC),
            closed_at=datetime.fromtimestamp(int(self.closed_at[index]) / 1_000_000, UTC),
            open=int(self.open[index]),
            high=int(self.high[index]),
            low=int(self.low[index]),
            close=int(self.close[index]),
            volume=int(self.volume[index]),
            flags=int(self.flags[index]),
        )

    def last(self, count: int) -> BarWindow:
        """The newest `count` bars."""
        return self.part(max(0, len(self) - count), len(self))

    def part(self, start: int, stop: int) -> BarWindow:
        """The bars [start, stop), without copying."""
        cut = slice(start, stop)
        return BarWindow(
            self.instrument, self.timeframe, self.opened_at[cut], self.closed_at[cut], self.open[cut], self.high[cut],
            self.low[cut], self.close[cut], self.volume[cut], self.flags[cut],
        )  # fmt: skip


@dataclass(frozen=True)
class VenueView:
    """A venue with its clock, as pages and loops see it."""

    id: UUID
    code: str
    name: str
    kind: VenueKind
    label: str
    timeframe: Timeframe
    status: ClockStatus
    now_at: datetime
    starts_at: datetime | None
    ends_at: datetime | None
    bars_per_second: Decimal
    jump_to: datetime | None
    steps_requested: int
    bars_done: int
    message: str


@dataclass(frozen=True)
class QuarantinedBar:
    """A bar that was not let in, and why."""

    id: UUID
    instrument_id: UUID
    symbol: str
    timeframe: str
    opened_at: datetime
    reason: str
    detail: str
    raw: dict[str, str]
    recorded_at: datetime


@dataclass(frozen=True)
class MissingBars:
    """A run of bars that the calendar expects and the store lacks, by opening times."""

    first_opened_at: datetime
    last_opened_at: datetime
    bars: int


@dataclass(frozen=True)
class QualityReport:
    """What is known of the quality of one instrument's bars. `missing` names at most the first hundred runs."""

    instrument_id: UUID
    symbol: str
    timeframe: Timeframe
    bars: int
    first_opened_at: datetime | None
    last_closed_at: datetime | None
    expected_bars: int
    missing_bars: int
    missing: tuple[MissingBars, ...]
    filled_bars: int
    closes_only_bars: int
    revisions: int
    quarantined: dict[str, int]


@dataclass(frozen=True)
class InstrumentDetail:
    """An instrument for pages: what it is, where its numbers come from, its newest bar."""

    spec: InstrumentSpec
    venue: VenueView
    name: str
    asset_class: str
    calendar: str
    timeframe: Timeframe
    source_label: str
    is_closes_only: bool
    is_adjusted: bool
    is_active: bool
    first_bar_at: datetime | None
    last_bar_at: datetime | None
    has_more_bars: bool
    last_bar: Bar | None
    quarantined: int


@event("market.data_received", priority=Priority.LOW)
class DataReceived(Event):
    """A bar of every listed instrument was stored; no prices here, the bars are in the candle store."""

    venue_id: UUID
    venue: str
    timeframe: str
    closed_at: datetime
    instruments: int
    quarantined: int = 0


@event("market.bar_quarantined")
class BarQuarantined(Event):
    instrument_id: UUID
    symbol: str
    opened_at: datetime
    reason: str
    detail: str


@event("market.history_loaded", priority=Priority.LOW)
class HistoryLoaded(Event):
    venue_id: UUID
    venue: str
    source: str
    rows: int
    quarantined: int


@event("market.clock_changed")
class ClockChanged(Event):
    """The transport of a replay was used, or the clock changed state by itself."""

    venue_id: UUID
    venue: str
    status: str
    now_at: datetime
    action: str
    bars_per_second: Decimal
    jump_to: datetime | None = None


@event("market.feed_failed", priority=Priority.HIGH)
class FeedFailed(Event):
    venue_id: UUID
    venue: str
    message: str
    retry_in_seconds: float


@event("market.feed_recovered")
class FeedRecovered(Event):
    venue_id: UUID
    venue: str


@event("market.gap_detected")
class GapDetected(Event):
    instrument_id: UUID
    symbol: str
    timeframe: str
    from_at: datetime
    to_at: datetime
    missing_bars: int


@event("market.instrument_changed", priority=Priority.HIGH)
class InstrumentChanged(Event):
    """A person changed an instrument; old and new value of each field as text."""

    instrument_id: UUID
    symbol: str
    old_values: dict[str, str]
    new_values: dict[str, str]
