"""How long the blocks of a bootstrap should be so that they keep what hangs together and still vary.

Source: Politis, White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric Reviews 23 (2004), with the correction of
Patton, Politis, White (2009).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.monte_carlo import Blocks
from apps.backtests.domain.returns import FloatArray, require_returns

LEAST_BARS = 20
"""With fewer bars no correlation can be measured: single bars are drawn."""


def best_block_bars(returns: npt.ArrayLike, blocks: Blocks = Blocks.STATIONARY) -> int:
    """The (mean) number of bars per block, rounded, at least 1 and at most 3 sqrt(n) or n/3.

    b = (2 G^2 / D)^(1/3) n^(1/3), where G weighs the autocovariances by their lag and D is the long-run variance squared times 2
    (stationary) or 4/3 (circular); both are summed over lags up to twice the last one with a correlation that is not noise.
    """
    bars = require_returns(returns)
    if len(bars) < LEAST_BARS or np.ptp(bars) == 0:
        return 1
    covariances, correlations = _by_lag(bars - bars.mean())
    last = _last_lag(correlations, len(bars))
    lags = np.arange(1, last + 1)
    weights = np.where(lags / last <= 0.5, 1.0, 2.0 * (1.0 - lags / last))
    weighted = 2.0 * float((weights * lags * covariances[1 : last + 1]).sum())
    long_run = float(covariances[0] + 2.0 * (weights * covariances[1 : last + 1]).sum())
    scale = (2.0 if blocks is Blocks.STATIONARY else 4.0 / 3.0) * long_run**2
    longest = math.ceil(min(3.0 * math.sqrt(len(bars)), len(bars) / 3.0))
    if scale == 0:
        return longest
    best = float(np.cbrt(2.0 * weighted**2 / scale * len(bars)))
    return max(1, round(min(best, longest)))


def _quiet_lags(count: int) -> int:
    """So many neighbouring lags without correlation mean that there is none beyond them."""
    return max(5, int(math.log10(count)))


def _by_lag(centred: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Autocovariance and size of the autocorrelation from lag 0 on."""
    count = len(centred)
    lags = range(math.ceil(math.sqrt(count)) + _quiet_lags(count) + 1)
    products = np.array([centred[lag:] @ centred[: count - lag] for lag in lags])
    lengths = np.array([(centred[lag + 1 :] @ centred[lag + 1 :]) * (centred[: -(lag + 1)] @ centred[: -(lag + 1)]) for lag in lags])
    return products / count, np.abs(products) / np.sqrt(np.where(lengths > 0, lengths, 1.0))


def _last_lag(correlations: FloatArray, count: int) -> int:
    """Twice the lag from which on a run of correlations is noise; all lags when there is no such run."""
    run = _quiet_lags(count)
    is_noise = correlations < 2.0 * math.sqrt(math.log10(count) / count)
    furthest = len(correlations) - 1
    quiet = [lag for lag in range(furthest - run + 1) if is_noise[lag : lag + run].all()]
    return min(2 * max(quiet[0], 1), furthest) if quiet else furthest
