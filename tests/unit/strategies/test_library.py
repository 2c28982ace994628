"""What the shipped strategies say about simple markets."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from apps.core.vocabulary import Direction
from apps.forecasts.contracts import ForecastRefusal, ForecastView, NoForecast, Trend
from apps.strategies.domain.signals import Signal
from apps.strategies.domain.strategy import Context, build_strategy
from apps.strategies.library import load_library
from tests.unit.strategies.bars import SPEC, window_of

load_library()
NO_FORECAST = NoForecast(ForecastRefusal.NO_MODEL, "no model has been trained yet")


def forecast(expected: float, *, confidence: float = 0.7, is_tradable: bool = True) -> ForecastView:
    return ForecastView(
        id=UUID(int=5), instrument_id=SPEC.id, horizon_bars=5, as_of=datetime(2003, 1, 2, tzinfo=UTC), model_id=UUID(int=6),
        model_label="lightgbm v1", learner="lightgbm", expected_return=expected, lower=expected - 0.02, upper=expected + 0.02,
        coverage=0.8, probability_up=0.6, confidence=confidence, trend=Trend.UP, is_tradable=is_tradable,
    )  # fmt: skip


def decide(kind: str, closes: list[float], *, made: ForecastView | NoForecast = NO_FORECAST, position: Decimal = Decimal(0)) -> Signal:
    strategy = build_strategy(kind, {})
    return strategy.decide(Context(SPEC, window_of(closes), {}, made, position))


def test_momentum_is_long_in_a_rise_and_flat_in_a_fall() -> None:
    rising = [100 * 1.002**day for day in range(80)]
    assert decide("momentum", rising).direction is Direction.LONG
    assert decide("momentum", rising[::-1]).direction is Direction.FLAT


def test_momentum_keeps_a_position_within_the_exit_band_only() -> None:
    slightly_below = [100.0] * 60 + [99.8] * 20
    clearly_below = [100.0] * 60 + [97.0] * 20
    assert decide("momentum", slightly_below, position=Decimal(1)).direction is Direction.LONG
    assert decide("momentum", slightly_below).direction is Direction.FLAT
    assert decide("momentum", clearly_below, position=Decimal(1)).direction is Direction.FLAT


def test_momentum_on_a_constant_price_is_flat_with_no_strength() -> None:
    signal = decide("momentum", [50.0] * 80)
    assert (signal.direction, signal.strength, signal.confidence) == (Direction.FLAT, 0.0, 0.5)


def test_momentum_looks_at_nothing_older_than_its_warm_up() -> None:
    random = np.random.default_rng(7)
    closes = list(100 * np.exp(np.cumsum(random.normal(0, 0.01, 200))))
    strategy = build_strategy("momentum", {})
    whole = strategy.decide(Context(SPEC, window_of(closes), {}, NO_FORECAST, Decimal(0)))
    cut = strategy.decide(Context(SPEC, window_of(closes[-strategy.warmup_bars :]), {}, NO_FORECAST, Decimal(0)))
    assert whole == cut


def test_forecast_strategy_refuses_without_a_forecast_and_says_why() -> None:
    signal = decide("forecast", [100.0] * 5)
    assert signal.is_refused
    assert "no model has been trained yet" in signal.reason


def test_forecast_strategy_refuses_a_model_that_did_not_beat_naive() -> None:
    signal = decide("forecast", [100.0] * 5, made=forecast(0.05, is_tradable=False))
    assert signal.is_refused
    assert "naive" in signal.reason


@pytest.mark.parametrize(
    ("expected", "confidence", "position", "direction"),
    [
        (0.01, 0.7, 0, Direction.LONG),
        (0.01, 0.51, 0, Direction.FLAT),
        (0.001, 0.7, 0, Direction.FLAT),
        (0.001, 0.7, 1, Direction.LONG),
        (-0.001, 0.9, 1, Direction.FLAT),
    ],
)
def test_forecast_strategy_trades_what_pays_for_its_costs(expected: float, confidence: float, position: int, direction: Direction) -> None:
    made = forecast(expected, confidence=confidence)
    assert decide("forecast", [100.0] * 5, made=made, position=Decimal(position)).direction is direction
