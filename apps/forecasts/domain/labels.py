"""What a model is asked: the log return from this close to the close `horizon_bars` later."""

from __future__ import annotations

import numpy as np

from apps.forecasts.domain.series import FloatArray
from apps.markets.contracts import BarWindow


def forward_log_return(window: BarWindow, horizon_bars: int) -> FloatArray:
    """The label of every bar; NaN for the last `horizon_bars`, whose future is not known yet."""
    close = window.close.astype(np.float64)
    result = np.full(len(close), np.nan)
    if len(close) > horizon_bars:
        result[:-horizon_bars] = np.log(close[horizon_bars:] / close[:-horizon_bars])
    return result
