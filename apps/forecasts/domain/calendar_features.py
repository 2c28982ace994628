"""When the bar happened, by the UTC day and hour on which it opened (a daily bar closes at, or after, the end of its day)."""

from __future__ import annotations

import numpy as np

from apps.forecasts.domain.registry import Feature, declare
from apps.forecasts.domain.series import FloatArray, Series

_EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday; Monday is 0."""


def day_of_week(series: Series) -> FloatArray:
    days = series.opened_days.astype("datetime64[D]").astype(np.int64)
    return ((days + _EPOCH_WEEKDAY) % 7).astype(np.float64)


def month(series: Series) -> FloatArray:
    months = series.opened_days.astype("datetime64[M]").astype(np.int64)
    return (months % 12 + 1).astype(np.float64)


def hour_of_day(series: Series) -> FloatArray:
    hours = series.opened_days.astype("datetime64[h]").astype(np.int64)
    return (hours % 24).astype(np.float64)


declare(Feature("day_of_week", ("opened_at",), 1, "0 Monday to 6 Sunday", "The weekday of the bar.", day_of_week))
declare(Feature("month", ("opened_at",), 1, "1 to 12", "The calendar month of the bar.", month))
declare(Feature("hour_of_day", ("opened_at",), 1, "0 to 23, UTC", "The hour at which the bar opened; the same for all daily bars.", hour_of_day, "intraday bars"))  # fmt: skip
