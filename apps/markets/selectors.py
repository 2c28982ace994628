"""Reads of markets: venues, instruments, bars, quality. Nothing here writes, and nothing returns a model."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from apps.core.errors import InvalidInput, NotFound
from apps.core.ids import deterministic_uuid
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.adapters import open_source
from apps.markets.adapters.calendars import expected_bars
from apps.markets.candles import candles
from apps.markets.contracts import (
    Bar,
    BarFlag,
    BarWindow,
    ClockStatus,
    InstrumentDetail,
    MissingBars,
    QualityReport,
    QuarantinedBar,
    VenueKind,
    VenueView,
)
from apps.markets.domain.bars import CandleBatch, from_micros, to_candles
from apps.markets.domain.quality import FaultReason, find_gaps, inspect
from apps.markets.models import Instrument, QuarantinedCandle, VenueClock
from apps.markets.ports import Listing

CLOSES_AT_ONCE = 500
_MISSING_RUNS_SHOWN = 100
_LABELS = {VenueKind.REPLAY: "REPLAY", VenueKind.LIVE: "LIVE DATA", VenueKind.PRACTICE: "PRACTICE", VenueKind.LIBRARY: "LIBRARY"}


def active_venue() -> VenueView | None:
    """The venue that this installation trades on now: the default one, else the newest, that is neither archived nor a library."""
    clock = (
        VenueClock.objects.select_related("venue")
        .exclude(status=ClockStatus.ARCHIVED)
        .exclude(venue__kind=VenueKind.LIBRARY)
        .order_by("-venue__is_default", "-venue__created_at")
        .first()
    )
    return venue_view(clock) if clock else None


def venue(venue_id: UUID) -> VenueView:
    """Raises NotFound."""
    clock = VenueClock.objects.select_related("venue").filter(venue_id=venue_id).first()
    if clock is None:
        raise NotFound(f"There is no venue {venue_id}.", where="venue")
    return venue_view(clock)


def venue_by_code(code: str) -> VenueView:
    """Raises NotFound."""
    clock = VenueClock.objects.select_related("venue").filter(venue__code=code).first()
    if clock is None:
        raise NotFound(f"There is no venue {code!r}.", where="venue")
    return venue_view(clock)


def venues() -> list[VenueView]:
    """All venues, newest first, archived ones too."""
    return [venue_view(clock) for clock in VenueClock.objects.select_related("venue").order_by("-venue__created_at")]


def live_venue_ids() -> list[UUID]:
    """Venues that are fed from outside now."""
    clocks = VenueClock.objects.filter(venue__kind=VenueKind.LIVE).exclude(status=ClockStatus.ARCHIVED)
    return list(clocks.order_by("venue__created_at").values_list("venue_id", flat=True))


def open_replay() -> VenueView | None:
    """The replay that plays now, if one is not over."""
    open_replays = VenueClock.objects.filter(venue__kind=VenueKind.REPLAY).exclude(status__in=[ClockStatus.ARCHIVED, ClockStatus.ENDED])
    clock = open_replays.select_related("venue").order_by("-venue__created_at").first()
    return venue_view(clock) if clock else None


def instruments(venue_id: UUID) -> list[InstrumentSpec]:
    """The active instruments of a venue, by symbol."""
    return [row.spec() for row in Instrument.objects.filter(venue_id=venue_id, is_active=True)]


@lru_cache(maxsize=4096)
def instrument_spec(instrument_id: UUID) -> InstrumentSpec:
    """Kept for the life of the process: scales are fixed once bars exist. Raises NotFound."""
    return _instrument(instrument_id).spec()


def instrument_by_symbol(venue_id: UUID, symbol: str) -> InstrumentSpec:
    """Raises NotFound."""
    row = Instrument.objects.filter(venue_id=venue_id, symbol=symbol).first()
    if row is None:
        raise NotFound(f"The venue has no instrument {symbol!r}.", where="symbol")
    return row.spec()


def has_more_bars(instrument_id: UUID) -> bool:
    """Whether another bar of the instrument may still come: false at the end of its data, and when its venue's clock is over."""
    row = _instrument(instrument_id)
    return _has_more_bars(row, venue(row.venue_id))


def has_bars(instrument_id: UUID) -> bool:
    """Whether any bar of the instrument is stored."""
    return candles().has_any(instrument_id)


def bar_window(instrument: InstrumentSpec, timeframe: Timeframe, *, until: datetime | None, count: int) -> BarWindow:
    """The newest `count` bars closed at or before `until` (None: all that the venue's clock has reached), oldest first; fewer if there are no more."""
    if until is None:
        until = VenueClock.objects.values_list("now_at", flat=True).get(venue_id=instrument.venue_id)
    return bar_window_of(instrument, timeframe, candles().window(instrument.id, timeframe, until=until, count=count))


def bars_between(
    instrument: InstrumentSpec,
    timeframe: Timeframe,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    as_of: datetime | None = None,
) -> BarWindow:
    """All bars that opened from `since` and closed by `until`; with `as_of`, as they were known then."""
    return bar_window_of(instrument, timeframe, candles().between(instrument.id, timeframe, since=since, until=until, as_of=as_of))


def bars_of_file(
    path: str,
    *,
    symbol: str,
    timeframe: Timeframe,
    calendar: str = "24/7",
    quote_asset: str = "USD",
    file_format: str = "",
    price_scale: int | None = None,
    tick: Decimal | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> BarWindow:
    """The bars of a CSV, Parquet or Feather file, without storing them. The file is taken whole or not at all: the first bar that is out of
    order, not a number, not positive or off the grid of `tick` raises InvalidInput with its place. Jumps are the file's own business."""
    options = {"path": path, "symbol": symbol, "timeframe": str(timeframe), "calendar": calendar, "quote_asset": quote_asset}
    source = open_source("files", options | {"file_format": file_format, "price_scale": price_scale})
    listing = source.listings()[0]
    bars = source.bars(symbol, timeframe, since=since, until=until)
    found = inspect(bars, price_scale=listing.price_scale, max_price=float(listing.max_price))
    fault = next((fault for fault in found.faults if fault.reason is not FaultReason.SPIKE), None)
    if fault is not None:
        raise InvalidInput(f"Bar {fault.index + 1} {fault.detail}.", where=path, hint="Correct the file; nothing of it was used.")
    spec = _spec_of_file(listing, path, tick)
    batch = to_candles(bars, price_scale=listing.price_scale, volume_scale=listing.volume_scale)
    _require_on_tick(batch, spec, path)
    return bar_window_of(spec, timeframe, batch)


def _spec_of_file(listing: Listing, path: str, tick: Decimal | None) -> InstrumentSpec:
    """An instrument that needs no row; the same file name and symbol give the same ids."""
    spec = InstrumentSpec(
        id=deterministic_uuid("file", path, listing.symbol), venue_id=deterministic_uuid("files"), symbol=listing.symbol,
        base_asset=listing.base_asset, quote_asset=listing.quote_asset, price_scale=listing.price_scale, volume_scale=listing.volume_scale,
        cash_scale=listing.cash_scale, tick_size=tick or listing.tick_size, lot_size=listing.lot_size, min_quantity=listing.min_quantity,
        min_notional=listing.min_notional, max_price=listing.max_price, max_quantity=listing.max_quantity,
    )  # fmt: skip
    spec.check_bounds()
    return spec


def _require_on_tick(bars: CandleBatch, spec: InstrumentSpec, path: str) -> None:
    tick_units = spec.price_units(spec.tick_size)
    for prices in (bars.open, bars.high, bars.low, bars.close):
        off = prices % tick_units != 0
        if off.any():
            place = int(off.argmax())
            price = spec.price(int(prices[place]))
            raise InvalidInput(f"Bar {place + 1} has the price {price}, which is no step of {spec.tick_size}.", where=path)


def bars_closed_at(venue_id: UUID, closed_at: datetime) -> dict[UUID, Bar]:
    """The bar of each instrument of the venue that closed exactly then."""
    ids = _instrument_ids(venue_id)
    found = candles().closed_exactly(ids, _timeframe(venue_id), closed_at) if ids else {}
    return {instrument_id: bar_of(batch, 0) for instrument_id, batch in found.items()}


def closes_after(venue_id: UUID, after: datetime) -> list[datetime]:
    """Distinct closing times of stored bars > `after` and up to the venue's clock, ascending, at most 500."""
    now_at = VenueClock.objects.values_list("now_at", flat=True).get(venue_id=venue_id)
    ids = _instrument_ids(venue_id) if now_at > after else []
    if not ids:
        return []
    return candles().closes_between(ids, _timeframe(venue_id), after=after, until=now_at, limit=CLOSES_AT_ONCE)


def quarantined(venue_id: UUID, limit: int = 100) -> list[QuarantinedBar]:
    """The newest bars that were not let in."""
    rows = QuarantinedCandle.objects.filter(instrument__venue_id=venue_id).select_related("instrument")[:limit]
    return [
        QuarantinedBar(
            id=row.id, instrument_id=row.instrument_id, symbol=row.instrument.symbol, timeframe=row.timeframe, opened_at=row.opened_at,
            reason=row.reason, detail=row.detail, raw=row.raw, recorded_at=row.recorded_at,
        )
        for row in rows
    ]  # fmt: skip


def instrument_detail(instrument_id: UUID) -> InstrumentDetail:
    """Everything that a page says of an instrument. Raises NotFound."""
    row = _instrument(instrument_id)
    view = venue(row.venue_id)
    timeframe = Timeframe(row.venue.timeframe)
    window = candles().window(row.id, timeframe, until=view.now_at, count=1)
    return InstrumentDetail(
        spec=row.spec(), venue=view, name=row.name, asset_class=row.asset_class, calendar=row.calendar, timeframe=timeframe,
        source_label=row.source_label, is_closes_only=row.is_closes_only, is_adjusted=row.is_adjusted, is_active=row.is_active,
        first_bar_at=row.first_bar_at, last_bar_at=row.last_bar_at, has_more_bars=_has_more_bars(row, view),
        last_bar=bar_of(window, 0) if len(window) else None, quarantined=row.quarantined.count(),
    )  # fmt: skip


def quality_report(instrument_id: UUID) -> QualityReport:
    """What is stored, what the calendar misses, what was quarantined. Raises NotFound."""
    row = _instrument(instrument_id)
    timeframe = Timeframe(row.venue.timeframe)
    batch = candles().between(row.id, timeframe)
    first, last = (from_micros(batch.opened_at[0]), from_micros(batch.closed_at[-1])) if len(batch) else (None, None)
    gaps, expected = [], 0
    if first is not None and last is not None:
        opens, _ = expected_bars(row.calendar, timeframe, since=first, until=last)
        gaps, expected = find_gaps(batch.opened_at, opens), len(opens)
    return QualityReport(
        instrument_id=row.id, symbol=row.symbol, timeframe=timeframe, bars=len(batch), first_opened_at=first, last_closed_at=last,
        expected_bars=expected, missing_bars=sum(gap.missing for gap in gaps),
        missing=tuple(
            MissingBars(from_micros(gap.first_open), from_micros(gap.last_open), gap.missing) for gap in gaps[:_MISSING_RUNS_SHOWN]
        ),
        filled_bars=int((batch.flags & BarFlag.FILLED_GAP > 0).sum()),
        closes_only_bars=int((batch.flags & BarFlag.CLOSES_ONLY > 0).sum()),
        revisions=candles().revisions(row.id, timeframe),
        quarantined=dict(Counter(row.quarantined.values_list("reason", flat=True))),
    )  # fmt: skip


def venue_view(clock: VenueClock) -> VenueView:
    """The view of a clock row with its venue."""
    row = clock.venue
    return VenueView(
        id=row.id, code=row.code, name=row.name, kind=VenueKind(row.kind), label=_LABELS[VenueKind(row.kind)],
        timeframe=Timeframe(row.timeframe),
        status=ClockStatus(clock.status), now_at=clock.now_at, starts_at=clock.starts_at, ends_at=clock.ends_at,
        bars_per_second=clock.bars_per_second, jump_to=clock.jump_to, steps_requested=clock.steps_requested,
        bars_done=clock.bars_done, message=clock.message,
    )  # fmt: skip


def bar_window_of(instrument: InstrumentSpec, timeframe: Timeframe, batch: CandleBatch) -> BarWindow:
    return BarWindow(
        instrument, timeframe, batch.opened_at, batch.closed_at, batch.open, batch.high, batch.low, batch.close, batch.volume, batch.flags
    )


def bar_of(batch: CandleBatch, index: int) -> Bar:
    return Bar(
        opened_at=from_micros(batch.opened_at[index]), closed_at=from_micros(batch.closed_at[index]), open=int(batch.open[index]),
        high=int(batch.high[index]), low=int(batch.low[index]), close=int(batch.close[index]), volume=int(batch.volume[index]),
        flags=int(batch.flags[index]),
    )  # fmt: skip


def _instrument(instrument_id: UUID) -> Instrument:
    row = Instrument.objects.select_related("venue").filter(id=instrument_id).first()
    if row is None:
        raise NotFound(f"There is no instrument {instrument_id}.", where="instrument")
    return row


def _has_more_bars(row: Instrument, view: VenueView) -> bool:
    is_over = view.status in (ClockStatus.ENDED, ClockStatus.ARCHIVED)
    return not is_over and (row.last_bar_at is None or view.now_at < row.last_bar_at)


def _instrument_ids(venue_id: UUID) -> list[UUID]:
    return list(Instrument.objects.filter(venue_id=venue_id).order_by("id").values_list("id", flat=True))


@lru_cache(maxsize=256)
def _timeframe(venue_id: UUID) -> Timeframe:
    """Kept for the life of the process: a venue's timeframe never changes."""
    return Timeframe(VenueClock.objects.values_list("venue__timeframe", flat=True).get(venue_id=venue_id))
