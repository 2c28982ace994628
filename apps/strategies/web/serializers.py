"""Strategies, sessions, decisions and the transport, going out and coming in."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from rest_framework import serializers

from apps.common.api.fields import EnumField, ExactDecimal, ExactDecimalInput, JsonObject, Statistic
from apps.common.api.pagination import CursorQuery, LimitQuery
from apps.common.api.serializers import StrictSerializer
from apps.core.vocabulary import Timeframe, TradingMode
from apps.forecasts.contracts import Trend
from apps.markets.contracts import ClockStatus, VenueKind
from apps.strategies.contracts import Outcome, SessionState

LARGEST_PARAMETER = 10**12


class TransportAction(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    STEP = "step"
    SPEED = "speed"
    JUMP = "jump"
    RESTART = "restart"


class ParameterSpecSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.SerializerMethodField()
    default_value = serializers.JSONField(source="default", help_text="Value when none is set.")
    minimum = Statistic()
    maximum = Statistic()
    help = serializers.CharField()

    def get_kind(self, spec: Any) -> str:
        return str(spec.kind.__name__)


class StrategySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    help = serializers.CharField(help_text="What it does.")
    parameters = JsonObject(help_text="Every parameter with its value in force.")
    specs = ParameterSpecSerializer(many=True, help_text="What each parameter means and may be.")
    note = serializers.CharField()
    updated_at = serializers.DateTimeField()


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    strategy_id = serializers.UUIDField()
    strategy = serializers.CharField()
    kind = serializers.CharField()
    account_id = serializers.UUIDField()
    account = serializers.CharField()
    venue_id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    timeframe = EnumField(Timeframe)
    mode = EnumField(TradingMode)
    capital = ExactDecimal()
    risk_per_trade = ExactDecimal()
    max_positions = serializers.IntegerField()
    state = EnumField(SessionState)
    state_reason = serializers.CharField()
    keep_positions = serializers.BooleanField()
    last_bar_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    stopped_at = serializers.DateTimeField(allow_null=True)


class DecisionSerializer(serializers.Serializer[Any]):
    """A decision in short."""

    id = serializers.UUIDField()
    session_id = serializers.UUIDField()
    strategy = serializers.CharField()
    kind = serializers.CharField()
    account_id = serializers.UUIDField()
    venue_id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    timeframe = EnumField(Timeframe)
    bar_at = serializers.DateTimeField(help_text="Close of the bar decided on.")
    outcome = EnumField(Outcome)
    sentence = serializers.CharField(help_text="What was decided and why, in plain words.")
    close = ExactDecimal(allow_null=True)
    signal = JsonObject(help_text="direction, strength, confidence, reason")
    position_before = ExactDecimal()
    risk_factor = ExactDecimal(allow_null=True)
    forecast_id = serializers.UUIDField(allow_null=True)
    verdict_id = serializers.UUIDField(allow_null=True)
    order_id = serializers.UUIDField(allow_null=True)
    decided_at = serializers.DateTimeField(help_text="Wall clock.")


class DecisionForecastSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    model_id = serializers.UUIDField()
    model_label = serializers.CharField()
    learner = serializers.CharField()
    horizon_bars = serializers.IntegerField()
    as_of = serializers.DateTimeField()
    expected_return = Statistic(help_text="Log return over the horizon.")
    lower = Statistic()
    upper = Statistic()
    coverage = Statistic()
    probability_up = Statistic()
    confidence = Statistic()
    trend = EnumField(Trend)
    is_tradable = serializers.BooleanField()


class DecisionDetailSerializer(DecisionSerializer):
    """A decision with everything that went into it."""

    bars = JsonObject(help_text="The newest bars used, column by column.")
    bars_used = serializers.IntegerField()
    data_hash = serializers.CharField(help_text="Hash over every bar used.")
    features = JsonObject()
    forecast = DecisionForecastSerializer(allow_null=True)
    forecast_refusal = JsonObject(help_text="Why there was no forecast.")
    parameters = JsonObject()
    risk_factor_reasons = serializers.ListField(child=serializers.CharField())
    sizing = JsonObject(help_text="quantity, reason, inputs")
    order_ids = serializers.ListField(child=serializers.UUIDField(), help_text="Every order that it led to; order_id is the first.")
    actions = JsonObject(help_text="Of an event strategy: the fills it was told, its order calls and their answers.")
    checks = serializers.ListField(child=JsonObject(), help_text="Every risk check: code, passed, value, limit, message.")
    code_version = serializers.CharField()
    duration_ms = Statistic()


class RestartSerializer(serializers.Serializer[Any]):
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    starts_at = serializers.DateTimeField(allow_null=True)
    is_done = serializers.BooleanField()
    error = serializers.CharField()


class ClockSerializer(serializers.Serializer[Any]):
    """A venue's clock; for a replay also its transport."""

    venue_id = serializers.UUIDField()
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = EnumField(VenueKind)
    status = EnumField(ClockStatus)
    now_at = serializers.DateTimeField(help_text="The time it is at the venue.")
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    bars_per_second = ExactDecimal()
    jump_to = serializers.DateTimeField(allow_null=True)
    steps_requested = serializers.IntegerField()
    bars_done = serializers.IntegerField()
    message = serializers.CharField()
    restart = RestartSerializer(allow_null=True, help_text="The newest restart asked for.")


class TradingStatusSerializer(serializers.Serializer[Any]):
    """Whether the system trades, and if not, why."""

    is_trading = serializers.BooleanField()
    sentence = serializers.CharField()
    clock = ClockSerializer(allow_null=True)
    is_halted = serializers.BooleanField()
    halt_reason = serializers.CharField()
    sessions = SessionSerializer(many=True)


class TradingChangeSerializer(TradingStatusSerializer):
    changed = serializers.ListField(child=serializers.UUIDField(), help_text="Sessions that this request started or stopped.")


class SessionQuery(LimitQuery):
    venue_id = serializers.UUIDField(required=False)
    state = EnumField(SessionState, required=False)


class DecisionQuery(CursorQuery):
    venue_id = serializers.UUIDField(required=False)
    session_id = serializers.UUIDField(required=False)
    instrument_id = serializers.UUIDField(required=False)
    outcome = EnumField(Outcome, required=False)


class SessionInput(StrictSerializer):
    strategy_id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")
    capital = ExactDecimalInput()
    risk_per_trade = ExactDecimalInput(required=False, allow_null=True, default=None, help_text="Fraction of the capital; 0.02 = 2 %.")
    max_positions = serializers.IntegerField(min_value=0, max_value=1000, default=10, help_text="0: no limit.")
    timeframe = EnumField(Timeframe, default=Timeframe.D1)
    mode = EnumField(TradingMode, default=TradingMode.PAPER)


class StopInput(StrictSerializer):
    keep_positions = serializers.BooleanField(default=False, help_text="Do not sell what the session holds.")
    reason = serializers.CharField(max_length=200, required=False, default="Stopped over the API.")


class ParametersField(serializers.DictField):
    """Names with numbers or booleans, of a size that a parameter can have."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        return {name: self._value(name, value) for name, value in values.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if not isinstance(value, (int, Decimal)) or not -LARGEST_PARAMETER <= value <= LARGEST_PARAMETER:
            raise serializers.ValidationError({name: "Must be a number or true or false."})
        return float(value) if isinstance(value, Decimal) else value


class ParametersInput(StrictSerializer):
    parameters = ParametersField(help_text="The ones to change, by name; the others stay.")
    reason = serializers.CharField(max_length=300, required=False, default="Changed over the API.")


class StrategyConfigInput(ParametersInput):
    strategy = serializers.CharField(max_length=80, help_text="Name or id of the strategy.")


class TransportInput(StrictSerializer):
    action = EnumField(TransportAction)
    steps = serializers.IntegerField(required=False, min_value=1, max_value=10_000, help_text="For step: bars to play.")
    bars_per_second = ExactDecimalInput(required=False, help_text="For speed.")
    jump_to = serializers.DateTimeField(required=False, help_text="For jump: forward runs fast through every bar; back opens a fresh run.")
    starts_at = serializers.DateTimeField(required=False, help_text="For restart: where to begin; left out: where it usually begins.")

    BELONGS_TO = {"steps": "step", "bars_per_second": "speed", "jump_to": "jump", "starts_at": "restart"}
    NEEDED = {"speed": "bars_per_second", "jump": "jump_to"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        action = attrs["action"]
        for name, owner in self.BELONGS_TO.items():
            if name in attrs and owner != action:
                raise serializers.ValidationError({name: f"Belongs to the action {owner}."})
        needed = self.NEEDED.get(action)
        if needed and needed not in attrs:
            raise serializers.ValidationError({needed: f"The action {action} needs it."})
        if attrs.get("bars_per_second", 1) <= 0:
            raise serializers.ValidationError({"bars_per_second": "Must be greater than zero."})
        return attrs
