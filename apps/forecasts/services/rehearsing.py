"""Training and forecasting over a history without a database, by the schedule, the data and the code of paper.

In paper the wall clock has a say twice: Beat looks at a due training some seconds late, by when a fast replay has moved on, and a model is
in use from the moment at which its training has committed. Both are in the rows: a model says which bar it was trained through, and its
first forecast which bar it was first used on. `recorded_moments` reads them, so that a run can be repeated exactly; without a record
`regular_moments` trains at the very bar at which a training is due, and uses the model from the next bar on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db.models import Min

from apps.core.ids import deterministic_uuid
from apps.forecasts.contracts import TRENDS, ForecastRefusal, ForecastView, NoForecast, model_label
from apps.forecasts.domain.bars import bar_problem
from apps.forecasts.domain.calibration import Outlook
from apps.forecasts.domain.dataset import MINIMUM_ROWS, Dataset, build_dataset
from apps.forecasts.domain.features import WARMUP_BARS, compute_features
from apps.forecasts.domain.looking import Look
from apps.forecasts.learners import BASELINE, new_learner
from apps.forecasts.models import ForecastModel
from apps.forecasts.ports import ForecastSource
from apps.forecasts.services.fitting import fit_all
from apps.forecasts.services.loading import Predictor
from apps.forecasts.services.schedule import RETRAIN_AFTER_BARS
from apps.forecasts.services.training import TRAINING_BARS
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import Int64Array, to_micros


@dataclass(frozen=True)
class Moment:
    """A training by the market's clock: the newest bar that it saw, and the first bar forecast with its model (closes, microseconds).

    `used_from` is None for a model that never forecast: it only counts as a version.
    """

    trained_through: int
    used_from: int | None


Schedule = Callable[[UUID, int], Sequence[Moment]]
"""Moments by instrument and horizon, oldest first."""


def regular_moments(closes: Int64Array, *, starts_at: int) -> list[Moment]:
    """A training on the bars before the start, and one whenever more than `RETRAIN_AFTER_BARS` closes have passed since the last."""
    after = closes[closes > starts_at].tolist()
    moments = [Moment(starts_at, starts_at)]
    for place in range(RETRAIN_AFTER_BARS, len(after) - 1, RETRAIN_AFTER_BARS + 1):
        moments.append(Moment(after[place], after[place + 1]))
    return moments


def recorded_moments(venue_id: UUID) -> dict[tuple[UUID, int], list[Moment]]:
    """When a venue's models were trained and first used, by instrument and horizon."""
    rows = (
        ForecastModel.objects.filter(training_run__venue_id=venue_id)
        .values("instrument_id", "horizon_bars", "training_run_id", "trained_through", "training_run__created_at")
        .annotate(used_from=Min("forecasts__as_of"))
        .order_by("training_run__created_at")
    )
    found: dict[tuple[UUID, int], list[Moment]] = {}
    for row in rows:
        used = row["used_from"]
        moment = Moment(to_micros(row["trained_through"]), to_micros(used) if used else None)
        found.setdefault((row["instrument_id"], row["horizon_bars"]), []).append(moment)
    return found


class TrainedForecasts:
    """A `ForecastSource` whose models are trained when a bar first needs them, each on what its moment could see."""

    def __init__(self, bars: Sequence[BarWindow], schedule: Schedule) -> None:
        self._bars = {window.instrument.id: window for window in bars}
        self._schedule = schedule
        self._lines: dict[tuple[UUID, int], _Line] = {}

    def forecast(self, window: BarWindow, look: Look, *, horizon_bars: int) -> ForecastView | NoForecast:
        """Ask with rising bars of an instrument; an earlier bar is answered with the model of the newest."""
        if look.refusal is not None:
            return look.refusal
        instrument_id = window.instrument.id
        key = (instrument_id, horizon_bars)
        if key not in self._lines:
            self._lines[key] = _Line(self._bars[instrument_id], horizon_bars, self._schedule(instrument_id, horizon_bars))
        return self._lines[key].forecast(window, look)


class Rehearsals:
    """Forecasts by the regular schedule (the port `Rehearsal`)."""

    def over(self, bars: Sequence[BarWindow], *, starts_at: datetime) -> ForecastSource:
        closes = np.unique(np.concatenate([window.closed_at for window in bars]))
        moments = regular_moments(closes, starts_at=to_micros(starts_at))
        return TrainedForecasts(bars, lambda _instrument_id, _horizon_bars: moments)


@dataclass(frozen=True)
class _Champion:
    learner: str
    version: int
    predictor: Predictor


class _Line:
    """The models of one instrument and horizon, one after the other."""

    def __init__(self, bars: BarWindow, horizon_bars: int, moments: Sequence[Moment]) -> None:
        self._bars = bars
        self._horizon_bars = horizon_bars
        self._waiting = list(moments)
        self._versions = 0
        self._champion: _Champion | None = None

    def forecast(self, window: BarWindow, look: Look) -> ForecastView | NoForecast:
        self._train_until(int(window.closed_at[-1]))
        champion = self._champion
        if champion is None:
            ahead = f"{self._horizon_bars} bar{'s' if self._horizon_bars > 1 else ''} ahead"
            reason = f"No model of {window.instrument.symbol} for {ahead} is in place: the last training ended without one."
            return NoForecast(ForecastRefusal.NO_MODEL, reason, look.features)
        label = model_label(champion.learner, champion.version, self._horizon_bars)
        try:
            outlook = champion.predictor.predict(look.features, self._horizon_bars)
        except (ArithmeticError, LookupError, ValueError) as error:
            return NoForecast(ForecastRefusal.MODEL_FAILED, f"The model {label} failed: {type(error).__name__}: {error}", look.features)
        if not outlook.is_finite:
            return NoForecast(ForecastRefusal.MODEL_FAILED, f"The model {label} gave a number that is not finite.", look.features)
        return self._view(window, look, champion, outlook)

    def _train_until(self, closed_at: int) -> None:
        """Train what is in use at this bar; what came before it and was overtaken only counts as a version."""
        used = [place for place, moment in enumerate(self._waiting) if moment.used_from is not None and moment.used_from <= closed_at]
        if not used:
            return
        overtaken, newest = self._waiting[: used[-1]], self._waiting[used[-1]]
        self._waiting = self._waiting[used[-1] + 1 :]
        self._versions += sum(1 for moment in overtaken if self._dataset(moment) is not None)
        dataset = self._dataset(newest)
        if dataset is not None:
            self._versions += 1
            self._champion = _champion(dataset, self._versions)

    def _dataset(self, moment: Moment) -> Dataset | None:
        """What the moment's training saw; None where it could train nothing."""
        stop = int(np.searchsorted(self._bars.closed_at, moment.trained_through, side="right"))
        seen = self._bars.part(max(0, stop - TRAINING_BARS - WARMUP_BARS), stop)
        if not len(seen) or bar_problem(seen):
            return None
        dataset = build_dataset(seen, compute_features(seen), self._horizon_bars)
        return dataset if len(dataset) >= MINIMUM_ROWS else None

    def _view(self, window: BarWindow, look: Look, champion: _Champion, outlook: Outlook) -> ForecastView:
        instrument_id = window.instrument.id
        return ForecastView(
            id=deterministic_uuid("forecast", instrument_id, self._horizon_bars, int(window.closed_at[-1])),
            instrument_id=instrument_id,
            horizon_bars=self._horizon_bars,
            as_of=window.last_closed_at,
            model_id=deterministic_uuid("model", instrument_id, self._horizon_bars, champion.version),
            model_label=model_label(champion.learner, champion.version, self._horizon_bars),
            learner=champion.learner,
            expected_return=outlook.expected_return,
            lower=outlook.lower,
            upper=outlook.upper,
            coverage=outlook.coverage,
            probability_up=outlook.probability_up,
            confidence=outlook.confidence,
            trend=TRENDS[outlook.direction],
            is_tradable=champion.learner != BASELINE,
            features=look.features,
        )


def _champion(dataset: Dataset, version: int) -> _Champion:
    """The winner of the contest, read back from its text as a stored model is."""
    contest = fit_all(dataset)
    winner = next(item for item in contest.candidates if item.learner == contest.champion)
    learner = new_learner(winner.learner)
    learner.load_text(winner.artifact)
    return _Champion(winner.learner, version, Predictor(learner, dataset.names, winner.calibration))
