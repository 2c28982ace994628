"""A search by Optuna's tree-structured Parzen estimator: tries where good results were found before. Only processes that search load this.

The study lives in memory and is rebuilt from stored trials (`told`, `pending`) after an interruption. Every suggestion is drawn from a
seed of its own, made of the search's seed and the suggestion's number, so a rebuilt search goes on exactly as the old one would have.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from apps.backtests.domain.optimise import Dimension, IsAllowed, Point, PointKey, Space, Suggestion, Told, point_key, sample
from apps.core.errors import InvalidInput

_TRIES = 50
"""Draws of the estimator until one is new and allowed; after that a point is drawn evenly from those left."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


class OptunaSearch:
    """Higher scores are better. `told` and `pending` (asked for, not answered yet) are what an interrupted search had come to."""

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        told: Sequence[Told] = (),
        pending: Sequence[Suggestion] = (),
        is_allowed: IsAllowed | None = None,
    ) -> None:
        self._space = space
        self._seed = seed
        self._is_allowed = is_allowed
        self._distributions = {dimension.name: _distribution(dimension) for dimension in space}
        self._study = optuna.create_study(direction="maximize")
        self._tried: dict[PointKey, Point] = {}
        self._open: dict[int, int] = {}
        self._next_number = 0
        answers = {item.number: item.score for item in told}
        suggested = [*pending, *(Suggestion(item.number, item.parameters) for item in told)]
        for item in sorted(suggested, key=lambda item: item.number):
            self._add(item.number, item.parameters)
            if item.number in answers:
                self.tell(item.number, answers[item.number])

    def ask(self) -> Suggestion | None:
        number = self._next_number
        parameters = self._estimated(number) or self._drawn(number)
        if parameters is None:
            return None
        self._add(number, parameters)
        return Suggestion(number, dict(parameters))

    def tell(self, number: int, score: float | None) -> None:
        if number not in self._open:
            raise InvalidInput(f"Suggestion {number} is not open.", where="number")
        trial = self._open.pop(number)
        if score is None or not math.isfinite(score):
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, score)

    def _estimated(self, number: int) -> Point | None:
        """What the estimator proposes; None when it keeps proposing what was tried or is not allowed."""
        for attempt in range(_TRIES):
            self._study.sampler = _sampler(self._seed, number, attempt)
            trial = self._study.ask(self._distributions)
            point = self._point(trial.params)
            self._study.tell(trial, state=TrialState.FAIL)
            if point_key(point) not in self._tried and (self._is_allowed is None or self._is_allowed(point)):
                return point
        return None

    def _drawn(self, number: int) -> Point | None:
        try:
            (point,) = sample(self._space, 1, _mixed(self._seed, number, _TRIES), is_allowed=self._is_allowed, tried=self._tried.values())
        except InvalidInput:
            return None
        return point

    def _point(self, parameters: dict[str, Any]) -> Point:
        """The trial's parameters; of listed values the study knows the places."""
        return {
            dimension.name: dimension.values[parameters[dimension.name]] if dimension.values else parameters[dimension.name]
            for dimension in self._space
        }

    def _add(self, number: int, parameters: Point) -> None:
        """Put a point into the study as one that is being tried."""
        coded = {
            dimension.name: dimension.values.index(parameters[dimension.name]) if dimension.values else parameters[dimension.name]
            for dimension in self._space
        }
        self._study.add_trial(create_trial(state=TrialState.RUNNING, params=coded, distributions=self._distributions))
        self._open[number] = self._study.get_trials(deepcopy=False)[-1].number
        self._tried[point_key(parameters)] = dict(parameters)
        self._next_number = max(self._next_number, number + 1)


def _distribution(dimension: Dimension) -> BaseDistribution:
    """Listed values go by their place (numbers in their order, so that the estimator knows neighbours), others by their range."""
    if not dimension.values:
        return FloatDistribution(dimension.minimum, dimension.maximum, log=dimension.is_logarithmic)
    places = range(len(dimension.values))
    is_ordered = list(dimension.values) == sorted(dimension.values) and dimension.kind is not bool
    return IntDistribution(0, len(places) - 1) if is_ordered else CategoricalDistribution(list(places))


def _sampler(seed: int, number: int, attempt: int) -> optuna.samplers.TPESampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(seed=_mixed(seed, number, attempt), constant_liar=True)


def _mixed(*numbers: int) -> int:
    """One 32-bit seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
