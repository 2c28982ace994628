"""Forecast-driven: trade what a model that has proven itself expects, when it pays for its costs."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.vocabulary import Direction
from apps.forecasts.contracts import ForecastView
from apps.strategies.domain.parameters import parameter
from apps.strategies.domain.signals import Signal
from apps.strategies.domain.strategy import Context, Strategy, strategy


@dataclass(frozen=True)
class ForecastDrivenParameters:
    horizon_bars: int = parameter(5, minimum=1, maximum=5, help="Which forecast to trade: 1 or 5 bars ahead.")
    minimum_confidence: float = parameter(0.55, minimum=0.5, maximum=0.99, help="Forecasts less sure than this open nothing.")
    minimum_return: float = parameter(
        0.002, minimum=0.0, maximum=0.2, help="Expected return over the horizon that pays for the costs (0.002 = 0.2 %)."
    )


@strategy("forecast", title="Forecast-driven")
class ForecastDriven(Strategy):
    """Long when the champion model expects more than the costs with enough confidence; out when it expects a fall.

    Refuses while there is no forecast, or while no model has beaten the naive baseline out of sample.
    """

    Parameters = ForecastDrivenParameters

    def __init__(self, parameters: ForecastDrivenParameters) -> None:
        super().__init__(parameters)
        self.forecast_horizon_bars = 1 if parameters.horizon_bars == 1 else 5

    @property
    def warmup_bars(self) -> int:
        return 2

    def decide(self, context: Context) -> Signal:
        forecast = context.forecast
        if not isinstance(forecast, ForecastView):
            return Signal(Direction.FLAT, 0.0, 0.0, f"No forecast: {forecast.reason}", is_refused=True)
        if not forecast.is_tradable:
            return Signal(
                Direction.FLAT, 0.0, forecast.confidence,
                f"No model has beaten the naive baseline out of sample for this instrument over {forecast.horizon_bars} bars,"
                f" so {forecast.model_label} is shown but not traded.",
                is_refused=True,
            )  # fmt: skip
        expected = forecast.expected_return
        text = f"{forecast.model_label} expects {expected:+.2%} over {forecast.horizon_bars} bars with confidence {forecast.confidence:.2f}"
        strength = min(1.0, abs(expected) / (4 * self.parameters.minimum_return)) if self.parameters.minimum_return else 1.0
        if expected >= self.parameters.minimum_return and forecast.confidence >= self.parameters.minimum_confidence:
            return Signal(Direction.LONG, strength, forecast.confidence, f"Worth buying: {text}.")
        if context.position > 0 and expected > 0:
            return Signal(Direction.LONG, strength, forecast.confidence, f"Still held: {text}.")
        return Signal(Direction.FLAT, strength, forecast.confidence, f"Not worth holding: {text}.")
