"""Forecasts, models and trainings, as programs read them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.api.fields import EnumField, JsonObject, Statistic
from apps.common.api.pagination import LimitQuery
from apps.common.api.serializers import StrictSerializer
from apps.forecasts.contracts import ModelStatus, TrainingStatus, Trend
from apps.markets.selectors import instrument_spec


class ForecastSerializer(serializers.Serializer[Any]):
    """A forecast as it was made, with the inputs of its model."""

    id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.SerializerMethodField()
    horizon_bars = serializers.IntegerField()
    as_of = serializers.DateTimeField(help_text="Close of the last bar used.")
    model_id = serializers.UUIDField()
    model_label = serializers.CharField()
    learner = serializers.CharField()
    expected_return = Statistic(help_text="Log return over the horizon.")
    lower = Statistic()
    upper = Statistic()
    coverage = Statistic(help_text="Nominal coverage of the interval.")
    probability_up = Statistic()
    confidence = Statistic()
    trend = EnumField(Trend)
    is_tradable = serializers.BooleanField(help_text="false: nothing better than naive was found.")
    features = JsonObject()

    def get_symbol(self, forecast: Any) -> str:
        return instrument_spec(forecast.instrument_id).symbol


class MetricsSerializer(serializers.Serializer[Any]):
    """Out-of-sample figures."""

    rows = serializers.IntegerField()
    rmse = Statistic()
    baseline_rmse = Statistic(help_text="The same of the naive baseline.")
    skill = Statistic(help_text="1 - error / error of the naive baseline; above 0 is better than naive.")
    fold_skill = serializers.ListField(child=Statistic())
    information_coefficient = Statistic()
    edge_t = Statistic(help_text="Standard errors by which the edge over the naive baseline is above zero.")
    hit_rate = Statistic()
    coverage = Statistic()


class ModelSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    timeframe = serializers.CharField()
    horizon_bars = serializers.IntegerField()
    learner = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    version = serializers.IntegerField()
    status = EnumField(ModelStatus)
    status_reason = serializers.CharField()
    is_tradable = serializers.BooleanField()
    trained_from = serializers.DateTimeField()
    trained_through = serializers.DateTimeField()
    rows = serializers.IntegerField()
    metrics = MetricsSerializer()
    created_at = serializers.DateTimeField()


class ImportanceSerializer(serializers.Serializer[Any]):
    feature = serializers.CharField()
    description = serializers.CharField()
    share = Statistic()


class ModelDetailSerializer(serializers.Serializer[Any]):
    summary = ModelSerializer()
    training_run_id = serializers.UUIDField()
    dataset_hash = serializers.CharField()
    seed = serializers.IntegerField()
    parameters = JsonObject()
    coverage = Statistic()
    importance = ImportanceSerializer(many=True)


class FeatureSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    inputs = serializers.ListField(child=serializers.CharField())
    look_back = serializers.IntegerField(help_text="Bars that it needs.")
    unit = serializers.CharField()
    description = serializers.CharField()


class TrainingSerializer(serializers.Serializer[Any]):
    run_id = serializers.UUIDField()
    venue_id = serializers.UUIDField()
    status = EnumField(TrainingStatus)
    reason = serializers.CharField()
    trained_through = serializers.DateTimeField(help_text="Newest bar that training may see.")
    instruments = serializers.IntegerField()
    progress_done = serializers.IntegerField()
    progress_total = serializers.IntegerField()
    message = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class VenueQuery(StrictSerializer):
    venue_id = serializers.UUIDField(required=False, help_text="The current venue if left out.")


class ForecastQuery(LimitQuery):
    venue_id = serializers.UUIDField(required=False, help_text="The newest forecasts of this venue; the current one if left out.")
    instrument_id = serializers.UUIDField(required=False, help_text="The newest forecasts of this instrument; needs horizon_bars.")
    horizon_bars = serializers.IntegerField(required=False, min_value=1, max_value=1000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("instrument_id" in attrs) != ("horizon_bars" in attrs):
            raise serializers.ValidationError({"horizon_bars": "Give instrument_id and horizon_bars together."})
        if "instrument_id" in attrs and "venue_id" in attrs:
            raise serializers.ValidationError({"venue_id": "Give venue_id or instrument_id, not both."})
        return attrs


class TrainingInput(StrictSerializer):
    venue_id = serializers.UUIDField(required=False, help_text="The current venue if left out.")
    instrument_ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=500, allow_empty=False, help_text="All of the venue if left out."
    )
    reason = serializers.CharField(max_length=100, required=False, default="asked for over the API")
