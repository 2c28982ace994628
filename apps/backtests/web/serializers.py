"""Backtests, sweeps and trials, as programs read and ask for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from apps.backtests.contracts import ExportFormat, RecordKind, RunMode, RunState, ScoreMode, SweepMethod
from apps.backtests.domain.config import FillTiming, Profile, SizingMethod
from apps.backtests.domain.robustness import LONGEST_TITLE, MOST_DAYS, MOST_RERUNS, MOST_SCENARIOS, Crises
from apps.common.api.fields import EnumField, ExactDecimalInput, JsonObject, Statistic
from apps.common.api.pagination import CursorQuery, LimitQuery
from apps.common.api.serializers import StrictSerializer
from apps.core.vocabulary import Timeframe

LARGEST_PPM = 1_000_000
MOST_INSTRUMENTS = 200
MOST_VALUES = 200
MOST_EQUITY_POINTS = 20_000
LARGEST_NUMBER = 10**15


class ProgressSerializer(serializers.Serializer[Any]):
    """How far something is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField(help_text="0 until it is known.")
    message = serializers.CharField()


class RunSummarySerializer(serializers.Serializer[Any]):
    """A backtest in a list."""

    id = serializers.UUIDField()
    state = EnumField(RunState)
    strategy = serializers.CharField()
    symbols = serializers.CharField(help_text="Separated by spaces.")
    timeframe = serializers.CharField()
    mode = EnumField(RunMode)
    profile = serializers.CharField()
    score = EnumField(ScoreMode)
    progress = ProgressSerializer()
    requested_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    total_return = Statistic(help_text="Headline figures: out of sample where the score is a walk forward.")
    sharpe = Statistic()
    max_drawdown = Statistic()
    trades = serializers.IntegerField(allow_null=True)
    trial_number = serializers.IntegerField(allow_null=True, help_text="Which try of its family it was.")
    sweep_id = serializers.UUIDField(allow_null=True)
    error = serializers.CharField()


class JudgementSerializer(serializers.Serializer[Any]):
    """What stands beside a Sharpe ratio."""

    trials = serializers.IntegerField(help_text="Different configurations tried in its family.")
    sharpe_per_return = Statistic()
    probabilistic = Statistic(help_text="Probability that the true Sharpe ratio is above zero.")
    deflated = Statistic(help_text="The same, against the luckiest of as many worthless tries.")
    overfitting = Statistic(help_text="Probability of backtest overfitting of its sweep.")
    track_record = Statistic(help_text="Returns needed to be 95 % sure that it is above zero; null: it is not.")
    observations = serializers.IntegerField()


class RunSerializer(serializers.Serializer[Any]):
    """A backtest with its configuration and figures."""

    summary = RunSummarySerializer()
    config = serializers.SerializerMethodField()
    seed = serializers.IntegerField()
    code_version = serializers.CharField()
    data_hash = serializers.CharField(help_text="Hash of the bars.")
    fills_hash = serializers.CharField(help_text="The same inputs give the same hash.")
    bars = serializers.IntegerField()
    record_rows = JsonObject()
    metrics = JsonObject()
    judgement = JudgementSerializer(allow_null=True)
    error = serializers.CharField()
    error_where = serializers.CharField()
    error_hint = serializers.CharField()
    attempt = serializers.IntegerField()
    is_cancel_requested = serializers.BooleanField()

    def get_config(self, run: Any) -> dict[str, Any]:
        found: dict[str, Any] = run.config.to_json()
        return found


class SweepSerializer(serializers.Serializer[Any]):
    """A sweep and how far it is."""

    id = serializers.UUIDField()
    state = EnumField(RunState)
    strategy = serializers.CharField()
    symbols = serializers.CharField()
    timeframe = serializers.CharField()
    method = EnumField(SweepMethod)
    objective = serializers.CharField()
    space = JsonObject()
    config = serializers.SerializerMethodField()
    budget = serializers.IntegerField(help_text="Points in all.")
    seed = serializers.IntegerField()
    progress = ProgressSerializer()
    best_number = serializers.IntegerField(allow_null=True)
    best_score = Statistic()
    overfitting = Statistic(help_text="Probability of backtest overfitting over all points.")
    requested_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()

    def get_config(self, sweep: Any) -> dict[str, Any]:
        found: dict[str, Any] = sweep.config.to_json()
        return found


class SweepTrialSerializer(serializers.Serializer[Any]):
    """A point of a sweep."""

    number = serializers.IntegerField()
    state = EnumField(RunState)
    parameters = JsonObject()
    score = Statistic(help_text="The objective, larger is better.")
    metrics = JsonObject()
    fills_hash = serializers.CharField()
    error = serializers.CharField()


class TrialSerializer(serializers.Serializer[Any]):
    """A line of the trial ledger."""

    position = serializers.IntegerField()
    number = serializers.IntegerField(help_text="Counts the family's lines.")
    family = serializers.CharField()
    strategy = serializers.CharField()
    symbols = serializers.CharField()
    timeframe = serializers.CharField()
    purpose = serializers.CharField()
    state = EnumField(RunState)
    run_id = serializers.UUIDField(allow_null=True)
    sweep_id = serializers.UUIDField(allow_null=True)
    fingerprint = serializers.CharField()
    judgement = JudgementSerializer(allow_null=True)
    actor = serializers.CharField()
    recorded_at = serializers.DateTimeField()


class RunsQuery(CursorQuery):
    state = EnumField(RunState, required=False)
    strategy = serializers.CharField(required=False, max_length=80)
    sweep_id = serializers.UUIDField(required=False)


class SweepsQuery(CursorQuery):
    state = EnumField(RunState, required=False)


class NumberQuery(LimitQuery):
    """Query parameters of a list whose rows are numbered."""

    cursor = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1, help_text="`next_cursor` of the page before.")


class PointsQuery(NumberQuery):
    best_first = serializers.BooleanField(default=False, help_text="The best points instead of a page; `cursor` has no meaning then.")


class TrialsQuery(NumberQuery):
    family = serializers.CharField(required=False, max_length=64)
    strategy = serializers.CharField(required=False, max_length=80)


class RecordsQuery(NumberQuery):
    table = EnumField(RecordKind, default=RecordKind.FILLS)


class EquityQuery(StrictSerializer):
    limit = serializers.IntegerField(
        required=False, min_value=2, max_value=MOST_EQUITY_POINTS, help_text="Thinned evenly to so many points; left out: 1,500."
    )


class ExportQuery(StrictSerializer):
    table = EnumField(RecordKind, default=RecordKind.FILLS)
    file_format = EnumField(ExportFormat, default=ExportFormat.CSV)


class HeatMapQuery(StrictSerializer):
    across = serializers.CharField(max_length=80, help_text="Parameter of the columns.")
    down = serializers.CharField(max_length=80, help_text="Parameter of the rows.")
    figure = serializers.CharField(required=False, default="", max_length=40, help_text="Default: the sweep's score.")


class ValuesField(serializers.DictField):
    """Names with numbers or booleans, of a size that a parameter can have."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        return {name: plain(name, value) for name, value in values.items()}


class ListsField(serializers.DictField):
    """Names with lists of numbers or booleans."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        return {name: [plain(name, item) for item in self._list(name, value)] for name, value in values.items()}

    def _list(self, name: str, value: Any) -> list[Any]:
        if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
            raise serializers.ValidationError({name: f"Must be a list of 1 to {MOST_VALUES} values."})
        return value


class SpaceField(serializers.DictField):
    """By parameter a list of values, or an object with any of minimum, maximum, step and is_logarithmic."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        return {name: self._dimension(name, value) for name, value in values.items()}

    def _dimension(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(name, item) for key, item in value.items()}
        if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
            raise serializers.ValidationError({name: f"Must be a list of 1 to {MOST_VALUES} values, or a range."})
        return [plain(name, item) for item in value]


def plain(name: str, value: Any) -> bool | int | float:
    """A number or boolean as parameters have them."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | Decimal) or not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise serializers.ValidationError({name: "Must be a number or true or false."})
    return float(value) if isinstance(value, Decimal) else value


class CostsInput(StrictSerializer):
    """Costs instead of those of the profile; rates in millionths, amounts in the account's currency."""

    half_spread_ppm = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_PPM)
    slippage_ppm = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_PPM)
    impact_ppm = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_PPM)
    fee_maker_ppm = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_PPM)
    fee_taker_ppm = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_PPM)
    fee_flat = ExactDecimalInput(required=False, min_value=Decimal(0))
    fee_per_unit = ExactDecimalInput(required=False, min_value=Decimal(0))
    fee_minimum = ExactDecimalInput(required=False, min_value=Decimal(0))
    fee_cap_ppm = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_PPM)
    volume_share_ppm = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_PPM)


class RatesField(serializers.DictField):
    """Decimals by currency."""

    child = ExactDecimalInput(min_value=Decimal(0))


class SizingInput(StrictSerializer):
    method = EnumField(SizingMethod)
    amount = ExactDecimalInput(required=False, allow_null=True, default=None)


class WalkForwardInput(StrictSerializer):
    """Windows in bars, and the values that each window chooses among."""

    train_bars = serializers.IntegerField(required=False, min_value=1, max_value=10**8)
    test_bars = serializers.IntegerField(required=False, min_value=1, max_value=10**8)
    is_anchored = serializers.BooleanField(default=False)
    search = ListsField(required=False, default=dict)
    objective = serializers.CharField(max_length=40, default="sharpe")


class StressLegInput(StrictSerializer):
    change = ExactDecimalInput(help_text="On top of what the bars did: -0.2 is 20 % down, 0 adds nothing.")
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=1, help_text="Trading days, at an even rate.")


class StressScenarioInput(StrictSerializer):
    """A crisis of one's own that the run is made again with."""

    legs = StressLegInput(many=True, allow_empty=False, help_text="Moves, one behind the other; afterwards prices stay where they led.")
    title = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_TITLE)
    gap = ExactDecimalInput(default=Decimal(0), help_text="Of the first open: -0.05 is 5 % down.")
    slippage_multiple = ExactDecimalInput(default=Decimal(1), help_text="Of spread, slippage and impact, in the whole run.")
    volume_divisor = ExactDecimalInput(default=Decimal(1), help_text="Of volumes while it lasts.")
    volatility_multiple = ExactDecimalInput(default=Decimal(1), help_text="Of every move of the bars while it lasts.")
    begins_at = serializers.DateTimeField(required=False, help_text="Default: right behind an entry of the second half.")


class RerunsInput(StrictSerializer):
    """Monte Carlo by running again, by the run's seed."""

    count = serializers.IntegerField(min_value=0, max_value=MOST_RERUNS, default=0, help_text="Re-runs of each kind.")
    latest_start = ExactDecimalInput(default=Decimal("0.5"), help_text="Random starts lie in this share of the bars; 0: none.")
    lowest_costs = ExactDecimalInput(default=Decimal("0.5"), help_text="Random costs: lowest multiple of fees and of slippage.")
    highest_costs = ExactDecimalInput(default=Decimal(2), help_text="Highest multiple; both 1: none.")


class RobustnessInput(StrictSerializer):
    """What is worked out beside the result; it stands in the tear sheet. It has no meaning for sweeps."""

    crises = EnumField(Crises, default=Crises.AUTO, help_text="Known crises in the bars: auto where it does not take long.")
    scenarios = serializers.ListField(child=StressScenarioInput(), required=False, default=list, max_length=MOST_SCENARIOS)
    reruns = RerunsInput(required=False)


class RunInput(StrictSerializer):
    """What a backtest is asked to do; what is left out has the default that is named."""

    strategy = serializers.CharField(max_length=80)
    instrument_ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_INSTRUMENTS)
    timeframe = EnumField(Timeframe, default=Timeframe.D1)
    mode = EnumField(RunMode, required=False, help_text="Default: the fastest in which the strategy can be run.")
    parameters = ValuesField(required=False, default=dict)
    start = serializers.DateTimeField(required=False, help_text="Default: the first bar.")
    end = serializers.DateTimeField(required=False, help_text="Default: what the market's clock has reached.")
    trade_from = serializers.DateTimeField(required=False, help_text="Bars before it are warm-up.")
    closes_at_end = serializers.BooleanField(default=False)
    capital = ExactDecimalInput(default=Decimal(100_000))
    currency = serializers.CharField(max_length=12, default="USD", help_text="Of the capital; that of sessions' instruments.")
    rates = RatesField(
        required=False, help_text="Prices of other currencies in that of the capital, for vector and event runs; they stay through the run."
    )
    profile = EnumField(Profile, default=Profile.DEFAULT)
    costs = CostsInput(required=False)
    sizing = SizingInput(required=False)
    timing = EnumField(FillTiming, default=FillTiming.NEXT_OPEN)
    allows_short = serializers.BooleanField(default=False)
    leverage = ExactDecimalInput(default=Decimal(1))
    signal_timeframe = EnumField(
        Timeframe, required=False, help_text="What the strategy sees, made of the finer bars on which orders fill."
    )
    latency_bars = serializers.IntegerField(min_value=0, max_value=1_000, default=0, help_text="Bars until an order acts.")
    latency_ms = serializers.IntegerField(min_value=0, max_value=86_400_000, default=0, help_text="Milliseconds until an order acts.")
    seed = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    score = EnumField(ScoreMode, default=ScoreMode.WALK_FORWARD)
    walk_forward = WalkForwardInput(required=False)
    robustness = RobustnessInput(required=False)
    compares_alone = serializers.BooleanField(default=False, help_text="Also run each of several instruments alone.")


class SweepInput(RunInput):
    """A backtest and what is searched over; `score`, `walk_forward` and `robustness` have no meaning here."""

    space = SpaceField(help_text="By parameter a list of values, or a range: an object with any of minimum, maximum, step, is_logarithmic.")
    method = EnumField(SweepMethod, default=SweepMethod.GRID)
    objective = serializers.CharField(max_length=40, default="sharpe")
    budget = serializers.IntegerField(
        min_value=1, max_value=20_000, default=1_000, help_text="Points to draw; the most that a grid may have."
    )
    search_seed = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)


class PointInput(StrictSerializer):
    number = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
