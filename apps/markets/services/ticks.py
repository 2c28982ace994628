"""Telling programs outside of new bars, after the commit that stores them. Redis being down costs them the message and us nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.core.values import decimal_unit, from_units
from apps.core.vocabulary import Timeframe
from apps.events.services import publish_outside
from apps.markets.domain.bars import to_micros
from apps.markets.domain.tape import Track

CHANNEL = "market:ticks"


def publish_ticks(*, venue: str, timeframe: Timeframe, closed_at: datetime, tracks: Iterable[tuple[Track, int, int]]) -> None:
    """Publish the bars that closed at `closed_at`, once the current transaction commits; `tracks` come with their price and volume scales."""
    at = to_micros(closed_at)
    bars = [bar for track, prices, volumes in tracks for bar in _bars(track, at, price_scale=prices, volume_scale=volumes)]
    payload = {
        "venue": venue,
        "timeframe": str(timeframe),
        "instruments": len(bars),
        "bars": bars,
        "timestamp": closed_at.isoformat(),
    }
    transaction.on_commit(lambda: publish_outside(CHANNEL, payload))


def _bars(track: Track, closed_at: int, *, price_scale: int, volume_scale: int) -> list[dict[str, Any]]:
    """The track's bar that closed then: none or one."""
    batch = track.step(closed_at - 1, closed_at).candles
    columns = {"open": batch.open, "high": batch.high, "low": batch.low, "close": batch.close}
    return [
        {"asset": track.symbol}
        | {name: _text(column[index], price_scale) for name, column in columns.items()}
        | {"volume": _text(batch.volume[index], volume_scale)}
        for index in range(len(batch))
    ]


def _text(units: int, scale: int) -> str:
    value: Decimal = from_units(int(units), decimal_unit(scale))
    return f"{value:f}"
