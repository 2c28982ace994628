"""Venues, instruments, bars and data quality over REST."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api.pagination import whole_page
from apps.common.api.schema import page_schema
from apps.common.api.views import ApiView
from apps.core.errors import NotFound
from apps.core.values import InstrumentSpec, decimal_unit
from apps.markets import selectors
from apps.markets.contracts import Bar, BarFlag
from apps.markets.contracts import VenueView as Venue
from apps.markets.web.serializers import (
    CandleQuery,
    CandlesSerializer,
    InstrumentDetailSerializer,
    InstrumentQuery,
    InstrumentSerializer,
    QualitySerializer,
    QuarantinedSerializer,
    QuarantineQuery,
    VenueSerializer,
)

VENUES = ["venues"]
MARKET = ["market data"]
ONE_MICROSECOND = timedelta(microseconds=1)


class VenuesView(ApiView):
    @extend_schema(tags=VENUES, responses={200: page_schema(VenueSerializer)})
    def get(self, request: Request) -> Response:
        """Venues with their clocks, the newest first; earlier runs of a replay too."""
        return Response(whole_page(VenueSerializer, selectors.venues()))


class VenueView(ApiView):
    @extend_schema(tags=VENUES, responses={200: VenueSerializer})
    def get(self, request: Request, venue_id: UUID) -> Response:
        """One venue with its clock."""
        return self.answer(VenueSerializer, selectors.venue(venue_id))


class InstrumentsView(ApiView):
    @extend_schema(tags=MARKET, parameters=[InstrumentQuery], responses={200: page_schema(InstrumentSerializer)})
    def get(self, request: Request) -> Response:
        """What can be traded at a venue, by symbol."""
        venue = _venue(self.query(InstrumentQuery))
        return Response(whole_page(InstrumentSerializer, selectors.instruments(venue.id)))


class InstrumentView(ApiView):
    @extend_schema(tags=MARKET, responses={200: InstrumentDetailSerializer})
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Everything there is to say of an instrument."""
        detail = selectors.instrument_detail(instrument_id)
        shown = {name: getattr(detail, name) for name in InstrumentDetailSerializer().get_fields()}
        last = candle(detail.spec, detail.last_bar) if detail.last_bar else None
        return self.answer(InstrumentDetailSerializer, shown | {"last_bar": last})


class QualityView(ApiView):
    @extend_schema(tags=MARKET, responses={200: QualitySerializer})
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """What is stored of an instrument, what its calendar misses, what was quarantined."""
        return self.answer(QualitySerializer, selectors.quality_report(instrument_id))


class QuarantineView(ApiView):
    @extend_schema(tags=MARKET, parameters=[QuarantineQuery], responses={200: page_schema(QuarantinedSerializer)})
    def get(self, request: Request) -> Response:
        """The newest bars that failed a quality check; they are kept as they came and never used."""
        query = self.query(QuarantineQuery)
        return Response(whole_page(QuarantinedSerializer, selectors.quarantined(_venue(query).id, limit=query["limit"])))


class CandlesView(ApiView):
    @extend_schema(tags=MARKET, parameters=[CandleQuery], responses={200: CandlesSerializer})
    def get(self, request: Request) -> Response:
        """Closed bars of an instrument, oldest first, never beyond the venue's clock."""
        query = self.query(CandleQuery)
        spec = _instrument(query["instrument"])
        detail = selectors.instrument_detail(spec.id)
        now_at = detail.venue.now_at
        timeframe = query.get("timeframe", detail.timeframe)
        window = selectors.bar_window(spec, timeframe, until=min(query.get("until", now_at), now_at), count=query["limit"])
        bars = [window.bar(index) for index in range(len(window))]
        answer = {
            "instrument_id": spec.id,
            "symbol": spec.symbol,
            "timeframe": timeframe,
            "venue_now_at": now_at,
            "earlier_until": bars[0].closed_at - ONE_MICROSECOND if len(bars) == query["limit"] else None,
            "results": [candle(spec, bar) for bar in bars],
        }
        return self.answer(CandlesSerializer, answer)


def candle(spec: InstrumentSpec, bar: Bar) -> dict[str, Any]:
    """A bar in decimals, with its flags in words."""
    prices = {name: spec.price(getattr(bar, name)) for name in ("open", "high", "low", "close")}
    return asdict(bar) | prices | {
        "volume": Decimal(bar.volume) * decimal_unit(spec.volume_scale),
        "is_closes_only": bool(bar.flags & BarFlag.CLOSES_ONLY),
        "is_filled_gap": bool(bar.flags & BarFlag.FILLED_GAP),
        "is_fallback": bool(bar.flags & BarFlag.FALLBACK_SOURCE),
    }  # fmt: skip


def _venue(query: dict[str, Any]) -> Venue:
    if "venue_id" in query:
        return selectors.venue(query["venue_id"])
    current = selectors.active_venue()
    if current is None:
        raise NotFound("No market is open yet.", where="venue_id", hint="Wait until the first one is ready.")
    return current


def _instrument(name: str) -> InstrumentSpec:
    """By id, or by symbol at the current venue."""
    try:
        return selectors.instrument_spec(UUID(name))
    except ValueError:
        return selectors.instrument_by_symbol(_venue({}).id, name)
