"""A bar as a forecast looks at it: features of the newest bars, or the reason why they cannot be used.

`look_at` reads one window, `SeriesLooks` a whole history once: both say the same of the same bar, to the bit, because no feature depends on
more than its look-back (see `features`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt

from apps.forecasts.domain.bars import bar_problem
from apps.forecasts.domain.features import FEATURES, WARMUP_BARS, compute_features, latest_features
from apps.forecasts.domain.refusals import ForecastRefusal, NoForecast
from apps.markets.contracts import BarWindow


@dataclass(frozen=True)
class Look:
    """The finite features of a bar, and why it cannot be forecast (None: it can)."""

    features: dict[str, float]
    refusal: NoForecast | None


def look_at(window: BarWindow) -> Look:
    """The newest bar of a window."""
    newest = window.last(WARMUP_BARS)
    problem = bar_problem(newest)
    if problem:
        return Look({}, NoForecast(ForecastRefusal.BAD_DATA, f"The bars cannot be used. {problem}"))
    return _look({name: value for name, value in latest_features(newest).items() if isfinite(value)}, len(newest))


class SeriesLooks:
    """Looks at any bar of a series as if the series ended there. Where some bar of it is bad, each window is read by itself."""

    def __init__(self, window: BarWindow) -> None:
        self._window = window
        self._names = tuple(FEATURES)
        self._is_good = not bar_problem(window)
        if self._is_good and len(window):
            columns = compute_features(window)
            self._rows = np.column_stack([columns[name] for name in self._names])
            self._is_whole: npt.NDArray[np.bool_] = np.asarray(np.isfinite(self._rows).all(axis=1))

    def at(self, index: int) -> Look:
        """The bar at `index`."""
        if not self._is_good:
            return look_at(self._window.part(max(0, index + 1 - WARMUP_BARS), index + 1))
        pairs = zip(self._names, self._rows[index].tolist(), strict=True)
        found = dict(pairs) if self._is_whole[index] else {name: value for name, value in pairs if isfinite(value)}
        return _look(found, min(index + 1, WARMUP_BARS))


def _look(features: dict[str, float], bars: int) -> Look:
    if bars >= WARMUP_BARS:
        return Look(features, None)
    return Look(features, NoForecast(ForecastRefusal.WARMING_UP, f"The features need {WARMUP_BARS} bars; {bars} are there.", features))
