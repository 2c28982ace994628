"""Venues, instruments, bars and their quality, as programs read them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.api.fields import EnumField, ExactDecimal, JsonObject
from apps.common.api.pagination import LimitQuery
from apps.common.api.serializers import StrictSerializer
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import ClockStatus, VenueKind

MOST_CANDLES = 1000


class VenueSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = EnumField(VenueKind)
    label = serializers.CharField(help_text="What kind of market it is, to be shown beside every number from it.")  # type: ignore[assignment]
    status = EnumField(ClockStatus)
    now_at = serializers.DateTimeField(help_text="The time it is at the venue.")
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    bars_per_second = ExactDecimal()
    jump_to = serializers.DateTimeField(allow_null=True)
    bars_done = serializers.IntegerField()
    message = serializers.CharField()


class InstrumentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    venue_id = serializers.UUIDField()
    symbol = serializers.CharField()
    base_asset = serializers.CharField()
    quote_asset = serializers.CharField()
    tick_size = ExactDecimal(help_text="Order prices are multiples of this.")
    lot_size = ExactDecimal(help_text="Order quantities are multiples of this.")
    min_quantity = ExactDecimal()
    min_notional = ExactDecimal()
    max_price = ExactDecimal()
    max_quantity = ExactDecimal()
    multiplier = serializers.IntegerField()
    is_closes_only = serializers.BooleanField(help_text="Only closing prices are known; open, high and low repeat the close.")


class CandleSerializer(serializers.Serializer[Any]):
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField()
    open = ExactDecimal()
    high = ExactDecimal()
    low = ExactDecimal()
    close = ExactDecimal()
    volume = ExactDecimal()
    is_closes_only = serializers.BooleanField()
    is_filled_gap = serializers.BooleanField(help_text="No trade: the close before was carried on.")
    is_fallback = serializers.BooleanField(help_text="From the second source, because the first was silent.")


class CandlesSerializer(serializers.Serializer[Any]):
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    timeframe = EnumField(Timeframe)
    venue_now_at = serializers.DateTimeField(help_text="No bar is beyond this time.")
    earlier_until = serializers.DateTimeField(allow_null=True, help_text="Ask with `until` set to this for the bars before.")
    results = CandleSerializer(many=True, help_text="Oldest first.")


class InstrumentDetailSerializer(serializers.Serializer[Any]):
    spec = InstrumentSerializer()
    venue = VenueSerializer()
    name = serializers.CharField()
    asset_class = serializers.CharField()
    calendar = serializers.CharField()
    timeframe = EnumField(Timeframe)
    source_label = serializers.CharField(help_text="Where the data comes from.")
    is_closes_only = serializers.BooleanField()
    is_adjusted = serializers.BooleanField()
    is_active = serializers.BooleanField()
    has_more_bars = serializers.BooleanField()
    last_bar = CandleSerializer(allow_null=True)
    quarantined = serializers.IntegerField()


class QuarantinedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    timeframe = serializers.CharField()
    opened_at = serializers.DateTimeField()
    reason = serializers.CharField()
    detail = serializers.CharField()
    raw = JsonObject(help_text="The values as the source gave them.")
    recorded_at = serializers.DateTimeField()


class MissingBarsSerializer(serializers.Serializer[Any]):
    first_opened_at = serializers.DateTimeField()
    last_opened_at = serializers.DateTimeField()
    bars = serializers.IntegerField()


class QualitySerializer(serializers.Serializer[Any]):
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    timeframe = EnumField(Timeframe)
    bars = serializers.IntegerField()
    first_opened_at = serializers.DateTimeField(allow_null=True)
    last_closed_at = serializers.DateTimeField(allow_null=True)
    expected_bars = serializers.IntegerField()
    missing_bars = serializers.IntegerField()
    missing = MissingBarsSerializer(many=True)
    filled_bars = serializers.IntegerField()
    closes_only_bars = serializers.IntegerField()
    revisions = serializers.IntegerField()
    quarantined = serializers.DictField(child=serializers.IntegerField(), help_text="How many bars, by reason.")


class InstrumentQuery(StrictSerializer):
    venue_id = serializers.UUIDField(required=False, help_text="The current venue if left out.")


class QuarantineQuery(LimitQuery):
    venue_id = serializers.UUIDField(required=False, help_text="The current venue if left out.")


class CandleQuery(StrictSerializer):
    instrument = serializers.CharField(max_length=40, help_text="Id, or the symbol at the current venue.")
    timeframe = EnumField(Timeframe, required=False, help_text="The venue's own if left out.")
    until = serializers.DateTimeField(required=False, help_text="Bars closed at or before this time; the venue's clock is the end.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_CANDLES, default=200)
