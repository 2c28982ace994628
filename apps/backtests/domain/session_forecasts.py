"""Forecasts for a run of sessions: those of a paper run as they were made, or none at all."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from apps.forecasts.contracts import ForecastRefusal, ForecastView, NoForecast
from apps.forecasts.domain.looking import Look
from apps.forecasts.ports import ForecastSource
from apps.markets.contracts import BarWindow

ForecastKey = tuple[UUID, int, int]
"""Instrument, horizon in bars, close of the bar in microseconds."""


class RecordedForecasts:
    """What was forecast on each bar, or why it was not, read from a record before the run."""

    def __init__(self, made: Mapping[ForecastKey, ForecastView | NoForecast]) -> None:
        self._made = made

    def forecast(self, window: BarWindow, look: Look, *, horizon_bars: int) -> ForecastView | NoForecast:
        """The recorded answer; a bar that is not in the record is refused as one without a model, which says so."""
        known = self._made.get((window.instrument.id, horizon_bars, int(window.closed_at[-1])))
        if known is not None:
            return known
        return look.refusal or NoForecast(ForecastRefusal.NO_MODEL, "The record has no forecast of this bar.", look.features)


class NoForecasts:
    """No model is ever trained: the features are there, a forecast is not."""

    def forecast(self, window: BarWindow, look: Look, *, horizon_bars: int) -> ForecastView | NoForecast:
        if look.refusal is not None:
            return look.refusal
        subject = f"No model of {window.instrument.symbol} for {horizon_bars} bar{'s' if horizon_bars > 1 else ''} ahead is in place"
        return NoForecast(ForecastRefusal.NO_MODEL, f"{subject}: no training has been requested yet.", look.features)


class InWordsOfRecord:
    """Forecasts of another source; where neither it nor the record has a model, in the words of the record, which tell how training stood
    by the wall clock."""

    def __init__(self, source: ForecastSource, recorded: RecordedForecasts) -> None:
        self._source = source
        self._recorded = recorded

    def forecast(self, window: BarWindow, look: Look, *, horizon_bars: int) -> ForecastView | NoForecast:
        made = self._source.forecast(window, look, horizon_bars=horizon_bars)
        known = self._recorded.forecast(window, look, horizon_bars=horizon_bars)
        return known if _is_without_model(made) and _is_without_model(known) else made


def _is_without_model(answer: ForecastView | NoForecast) -> bool:
    return isinstance(answer, NoForecast) and answer.refusal is ForecastRefusal.NO_MODEL
