"""How much of a Sharpe ratio is luck and search: the tests that stand beside every Sharpe.

Every Sharpe ratio here is *per bar* (mean over standard deviation of the bars' returns, not annualised), every kurtosis is the full one
(3 for a normal distribution). Z is the standard normal distribution function.

Sources:
- PSR, MinTRL: Bailey, Lopez de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15 (2012).
- DSR: Bailey, Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40 (2014).
- Expected maximum, MinBTL: Bailey, Borwein, Lopez de Prado, Zhu, "Pseudo-Mathematics and Financial Charlatanism", Notices of the AMS 61 (2014).
- Haircuts: Harvey, Liu, "Backtesting", Journal of Portfolio Management 42 (2015).
The probability of backtest overfitting is in `cross_validation.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.returns import require_returns, sharpe_ratio
from apps.core.errors import InvalidInput

_NORMAL = NormalDist()
_EULER_GAMMA = 0.5772156649015329


@dataclass(frozen=True)
class SharpeStatistics:
    """What the tests need to know of a series of returns: the Sharpe ratio per bar, the shape of the returns, how many they are."""

    sharpe: float
    skewness: float
    kurtosis: float
    observations: int

    @classmethod
    def of(cls, returns: npt.ArrayLike) -> SharpeStatistics:
        """Measured on at least three returns; NaN throughout when they do not vary. Skewness and kurtosis are the population moments."""
        array = require_returns(returns, minimum=3)
        sharpe = sharpe_ratio(array)
        if math.isnan(sharpe):
            return cls(sharpe, float("nan"), float("nan"), len(array))
        scaled = (array - array.mean()) / array.std()
        return cls(sharpe, float((scaled**3).mean()), float((scaled**4).mean()), len(array))

    @property
    def variance(self) -> float:
        """Variance of the estimated Sharpe ratio times (observations - 1): 1 - skew SR + (kurtosis - 1)/4 SR^2."""
        return 1.0 - self.skewness * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2


def probabilistic_sharpe(statistics: SharpeStatistics, *, benchmark: float = 0.0) -> float:
    """PSR: the probability that the true Sharpe ratio is above `benchmark` (per bar), given how long and how skewed the record is.

    PSR(SR*) = Z[(SR - SR*) sqrt(n - 1) / sqrt(1 - skew SR + (kurtosis - 1)/4 SR^2)]. NaN when it cannot be told.
    """
    if statistics.observations < 2:
        raise InvalidInput("A Sharpe ratio needs at least two returns.", where="observations")
    if not statistics.variance > 0:
        return float("nan")
    distance = (statistics.sharpe - benchmark) * math.sqrt(statistics.observations - 1)
    return _NORMAL.cdf(distance / math.sqrt(statistics.variance))


def minimum_track_record(statistics: SharpeStatistics, *, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """MinTRL: how many bars it takes until the Sharpe ratio is above `benchmark` with that confidence; infinite when it is not above.

    MinTRL = 1 + (1 - skew SR + (kurtosis - 1)/4 SR^2) (Z^-1(confidence) / (SR - SR*))^2.
    """
    _require_probability(confidence, "confidence")
    if math.isnan(statistics.sharpe):
        return float("nan")
    if statistics.sharpe <= benchmark:
        return math.inf
    return 1.0 + statistics.variance * (_NORMAL.inv_cdf(confidence) / (statistics.sharpe - benchmark)) ** 2


def expected_maximum(trials: float) -> float:
    """The expected largest of that many independent standard normal numbers (approximation by extreme value theory); 0 for one trial.

    E[max] = (1 - g) Z^-1(1 - 1/N) + g Z^-1(1 - 1/(N e)), g = 0.5772... `trials` may be fractional: an effective number.
    """
    if not (math.isfinite(trials) and trials >= 1):
        raise InvalidInput(f"There is at least one trial, got {trials}.", where="trials")
    if trials == 1:
        return 0.0
    largest = (1 - _EULER_GAMMA) * _NORMAL.inv_cdf(1 - 1 / trials) + _EULER_GAMMA * _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return max(largest, 0.0)


def expected_maximum_sharpe(*, trials: float, sharpe_variance: float) -> float:
    """The Sharpe ratio that the best of `trials` worthless strategies shows: sqrt(variance of the trials' Sharpe ratios) x E[max]."""
    if not (math.isfinite(sharpe_variance) and sharpe_variance >= 0):
        raise InvalidInput(f"A variance is not negative, got {sharpe_variance}.", where="sharpe_variance")
    return math.sqrt(sharpe_variance) * expected_maximum(trials)


def deflated_sharpe(statistics: SharpeStatistics, *, trials: float, sharpe_variance: float) -> float:
    """DSR: the probability that the strategy is better than the luckiest of `trials` worthless ones.

    DSR = PSR(SR0), SR0 = `expected_maximum_sharpe`. `trials` is the number of *independent* trials (see `trials.effective_trials`),
    `sharpe_variance` the variance of their Sharpe ratios per bar. Above 0.95 the search alone hardly explains the result.
    """
    return probabilistic_sharpe(statistics, benchmark=expected_maximum_sharpe(trials=trials, sharpe_variance=sharpe_variance))


def minimum_backtest_years(*, trials: float, annual_sharpe: float) -> float:
    """MinBTL: with fewer years than this, the best of `trials` worthless strategies is expected to show that annual Sharpe ratio.

    MinBTL = (E[max] / SR)^2 years.
    """
    if not annual_sharpe > 0:
        raise InvalidInput(f"The annual Sharpe ratio must be positive, got {annual_sharpe}.", where="annual_sharpe")
    return (expected_maximum(trials) / annual_sharpe) ** 2


class Correction(StrEnum):
    """How a p-value is corrected for the number of tests: independent tests, their sum, step-down, or by false discovery rate."""

    INDEPENDENT = "INDEPENDENT"
    BONFERRONI = "BONFERRONI"
    HOLM = "HOLM"
    BENJAMINI_YEKUTIELI = "BENJAMINI_YEKUTIELI"


def correct_p_values(p_values: npt.ArrayLike, correction: Correction) -> npt.NDArray[np.float64]:
    """The p-values as they stand when all these tests were made, in the order given.

    Independent: 1 - (1 - p)^m. Bonferroni: m p. Holm (i-th smallest): max over j <= i of (m - j + 1) p_j.
    Benjamini-Yekutieli: min over j >= i of m c(m) p_j / j with c(m) = 1 + 1/2 + ... + 1/m. None exceeds 1.
    """
    given = require_returns(p_values, name="p_values", minimum=1)
    if given.min() < 0 or given.max() > 1:
        raise InvalidInput("A p-value lies between 0 and 1.", where="p_values")
    count = len(given)
    order = np.argsort(given, kind="stable")
    ordered = given[order]
    rank = np.arange(1, count + 1)
    if correction is Correction.INDEPENDENT:
        corrected = -np.expm1(count * np.log1p(-np.minimum(ordered, 1 - 1e-16)))
    elif correction is Correction.BONFERRONI:
        corrected = count * ordered
    elif correction is Correction.HOLM:
        corrected = np.maximum.accumulate((count - rank + 1) * ordered)
    else:
        corrected = np.minimum.accumulate((count * (1.0 / rank).sum() * ordered / rank)[::-1])[::-1]
    result = np.empty(count)
    result[order] = np.minimum(corrected, 1.0)
    return result


@dataclass(frozen=True)
class Haircut:
    """A Sharpe ratio (per bar) before and after correction for the tests that were made; `share` is how much of it is cut off (0..1)."""

    sharpe: float
    corrected_sharpe: float
    p_value: float
    corrected_p_value: float

    @property
    def share(self) -> float:
        return 1.0 - self.corrected_sharpe / self.sharpe if self.sharpe > 0 else 1.0


def p_value_of_sharpe(sharpe: float, observations: int) -> float:
    """Two-sided probability to see such a Sharpe ratio (per bar) by chance: 2 (1 - Z(|SR| sqrt(n)))."""
    return math.erfc(abs(sharpe) * math.sqrt(observations) / math.sqrt(2.0))


def haircut(sharpe: float, *, observations: int, trials: float) -> Haircut:
    """What remains of a Sharpe ratio after `trials` independent tests: p' = 1 - (1 - p)^trials, turned back into a Sharpe ratio."""
    if observations < 1 or not trials >= 1:
        raise InvalidInput(f"A haircut needs observations and trials, got {observations} and {trials}.", where="trials")
    p_value = p_value_of_sharpe(sharpe, observations)
    corrected = -math.expm1(trials * math.log1p(-p_value)) if p_value < 1 else 1.0
    return _haircut(sharpe, observations, p_value, corrected)


def haircuts(sharpes: npt.ArrayLike, *, observations: int, correction: Correction) -> list[Haircut]:
    """The haircut of every one of a family of trials when all of them are taken into account together."""
    given = require_returns(sharpes, name="sharpes", minimum=1)
    p_values = [p_value_of_sharpe(float(sharpe), observations) for sharpe in given]
    corrected = correct_p_values(p_values, correction)
    return [_haircut(float(sharpe), observations, p, float(q)) for sharpe, p, q in zip(given, p_values, corrected, strict=True)]


def _haircut(sharpe: float, observations: int, p_value: float, corrected: float) -> Haircut:
    if corrected >= 1:
        remaining = 0.0
    elif corrected <= 0:
        remaining = abs(sharpe)
    else:
        remaining = -_NORMAL.inv_cdf(corrected / 2) / math.sqrt(observations)
    return Haircut(sharpe, math.copysign(remaining, sharpe), p_value, corrected)


def _require_probability(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise InvalidInput(f"{name} lies between 0 and 1, got {value}.", where=name)
