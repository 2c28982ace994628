"""Storing checked bars: good ones into the candle table, the others into quarantine with an event each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from apps.core.vocabulary import Timeframe
from apps.events.services import record_event
from apps.markets.candles import WriteResult, candles
from apps.markets.contracts import BarQuarantined, CandleSource
from apps.markets.domain.bars import RawBars, from_micros
from apps.markets.domain.tape import Track
from apps.markets.models import QuarantinedCandle

_SHOWN = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")


def store_tracks(
    venue_id: UUID,
    ids: Mapping[str, UUID],
    tracks: Iterable[Track],
    *,
    timeframe: Timeframe,
    source: CandleSource,
    known_at: datetime | None = None,
    revised_at: datetime | None = None,
) -> tuple[WriteResult, int]:
    """Write tracks in the caller's transaction, `ids` being instruments by symbol.

    Returns what happened to the good bars and how many are newly quarantined.
    """
    tracks = list(tracks)
    result = candles().write(
        [(ids[track.symbol], track.candles) for track in tracks],
        scope=venue_id,
        timeframe=timeframe,
        source=source,
        known_at=known_at,
        revised_at=revised_at,
    )
    return result, sum(_quarantine(ids[track.symbol], track, timeframe, source) for track in tracks if track.rejected)


def _quarantine(instrument_id: UUID, track: Track, timeframe: Timeframe, source: CandleSource) -> int:
    """Keep the rejected bars; one that is in quarantine already for the same reason is not added again."""
    added = 0
    for bar in track.rejected:
        opened_at = from_micros(bar.opened_at)
        _, is_new = QuarantinedCandle.objects.get_or_create(
            instrument_id=instrument_id,
            timeframe=timeframe,
            opened_at=opened_at,
            reason=bar.reason,
            defaults={"raw": _raw(bar.bars), "detail": bar.detail[:300], "source": source.name.lower()},
        )
        if is_new:
            added += 1
            record_event(
                BarQuarantined(
                    instrument_id=instrument_id, symbol=track.symbol, opened_at=opened_at, reason=bar.reason, detail=bar.detail[:300]
                ),
                occurred_at=opened_at,
                subject=str(instrument_id),
            )
    return added


def _raw(bars: RawBars) -> dict[str, str]:
    """The single bar as text, so that NaN and infinity survive JSON."""
    return {name: repr(getattr(bars, name)[0].item()) for name in _SHOWN}
