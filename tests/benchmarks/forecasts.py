"""Forecasts against their limits, each beside plain calls of the same libraries in the same run.

    python -m tests.benchmarks.forecasts            (features, training and a single prediction; needs no database)

* All features over a million bars, beside plain TA-Lib and numpy calls that compute the same columns with recursive averages.
* Training: six instruments, two horizons, 3,300 daily bars, on one core; wanted: under 15 s.
* One forecast without its rows (features of the last bar, prediction, interval): wanted p99 under 5 ms; beside `Booster.predict` alone.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable

import django
import numpy as np
import talib

from apps.forecasts.domain.features import FEATURES, WARMUP_BARS, compute_features, latest_features
from apps.markets.contracts import BarWindow
from tests.factories.windows import cut, random_window

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.test")
django.setup()

from apps.forecasts.domain.dataset import Dataset, build_datasets  # noqa: E402
from apps.forecasts.learners import new_learner  # noqa: E402
from apps.forecasts.services.fitting import fit_all  # noqa: E402
from apps.forecasts.services.loading import Predictor  # noqa: E402

BARS = 1_000_000
REPEATS = 5
INSTRUMENTS = 6
TRAINING_BARS = 3_300
SINGLES = 3_000
TRAINING_WANTED_S = 15.0
P99_WANTED_MS = 5.0


def plain_columns(window: BarWindow) -> dict[str, np.ndarray]:
    """The same thirty columns by the usual calls, one after the other: recursive averages, float running sums."""
    o, h, low, c, v = (getattr(window, name).astype(np.float64) for name in ("open", "high", "low", "close", "volume"))
    log = np.log(c)
    step = np.diff(log, prepend=log[0])
    result: dict[str, np.ndarray] = {}
    for bars in (1, 2, 5, 10, 20, 60):
        result[f"return_{bars}"] = log - np.roll(log, bars)
    result["momentum"] = np.roll(log, 20) - np.roll(log, 120)
    for bars in (20, 50, 200):
        result[f"sma_{bars}"] = c / talib.SMA(c, bars) - 1
    upper, _, lower = talib.BBANDS(log, 20, 2, 2)
    result["bollinger"] = (log - lower) / (upper - lower)
    for bars in (20, 120):
        lowest, highest = talib.MIN(low, bars), talib.MAX(h, bars)
        result[f"range_{bars}"] = (c - lowest) / (highest - lowest)
    result["slope"] = talib.LINEARREG_SLOPE(log, 20)
    result["location"] = talib.BOP(o, h, low, c)
    result["gap"] = np.log(o / np.roll(c, 1))
    result["rsi"] = talib.RSI(c, 14)
    result["macd"] = talib.MACD(c)[2] / c
    result["atr"] = talib.ATR(h, low, c, 14) / c
    plus, minus = talib.PLUS_DI(h, low, c, 14), talib.MINUS_DI(h, low, c, 14)
    result["direction"] = (plus - minus) / (plus + minus)
    result["adx"] = talib.ADX(h, low, c, 14)
    result["aroon"] = talib.AROONOSC(h, low, 25)
    result["volatility_20"], result["volatility_60"] = talib.STDDEV(step, 20), talib.STDDEV(step, 60)
    result["volatility_ratio"] = result["volatility_20"] / result["volatility_60"]
    volume = np.log1p(v)
    result["volume_score"] = (volume - talib.SMA(volume, 20)) / talib.STDDEV(volume, 20)
    result["volume_trend"] = talib.SMA(volume, 5) - talib.SMA(volume, 20)
    opened = window.opened_at.astype("datetime64[us]")
    result["weekday"] = ((opened.astype("datetime64[D]").astype(np.int64) + 3) % 7).astype(np.float64)
    result["month"] = (opened.astype("datetime64[M]").astype(np.int64) % 12 + 1).astype(np.float64)
    result["hour"] = (opened.astype("datetime64[h]").astype(np.int64) % 24).astype(np.float64)
    return result


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentiles(work: Callable[[int], object], count: int) -> tuple[float, float]:
    """p50 and p99 in milliseconds of `count` calls, the first hundred left out."""
    times = [seconds(lambda index=index: work(index)) * 1e3 for index in range(count + 100)][100:]
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def measure_features() -> None:
    window = random_window(BARS, seed=7)
    with np.errstate(all="ignore"):
        plain = [seconds(lambda: plain_columns(window)) for _ in range(REPEATS)]
        ours = [seconds(lambda: compute_features(window)) for _ in range(REPEATS)]
        columns = len(plain_columns(window))
    print(f"features, {BARS:,} bars: ours {len(FEATURES)} columns, median {statistics.median(ours):.3f} s (first {ours[0]:.3f});"
          f" plain calls {columns} columns, median {statistics.median(plain):.3f} s (first {plain[0]:.3f});"
          f" ratio {statistics.median(ours) / statistics.median(plain):.2f}")  # fmt: skip


def measure_training() -> tuple[float, Dataset, BarWindow]:
    windows = [random_window(TRAINING_BARS, seed=seed) for seed in range(INSTRUMENTS)]

    def train() -> None:
        for window in windows:
            for dataset in build_datasets(window, (1, 5)).values():
                fit_all(dataset)

    new_learner("lightgbm")
    taken = seconds(train)
    print(
        f"training, {INSTRUMENTS} instruments x 2 horizons x {TRAINING_BARS:,} bars: {taken:.2f} s (wanted under {TRAINING_WANTED_S:.0f})"
    )
    return taken, build_datasets(windows[0], (1,))[1], windows[0]


def measure_single(dataset: Dataset, window: BarWindow) -> float:
    candidate = fit_all(dataset).candidates[1]
    learner = new_learner(candidate.learner)
    learner.load_text(candidate.artifact)
    predictor = Predictor(learner, dataset.names, candidate.calibration)
    views = [cut(window, index, index + WARMUP_BARS) for index in range(TRAINING_BARS - WARMUP_BARS)]

    def whole(index: int) -> object:
        return predictor.predict(latest_features(views[index % len(views)]), 1)

    def alone(index: int) -> object:
        row = index % len(dataset)
        return learner.predict(dataset.features[row : row + 1], dataset.scales[row : row + 1])

    p50, p99 = percentiles(whole, SINGLES)
    bare50, bare99 = percentiles(alone, SINGLES)
    print(
        f"one forecast: p50 {p50:.3f} ms, p99 {p99:.3f} ms (wanted p99 under {P99_WANTED_MS:.0f}); prediction alone p50 {bare50:.3f}, p99 {bare99:.3f} ms"
    )
    return p99


def main() -> int:
    measure_features()
    taken, dataset, window = measure_training()
    p99 = measure_single(dataset, window)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    return 0 if taken < TRAINING_WANTED_S and p99 < P99_WANTED_MS else 1


if __name__ == "__main__":
    sys.exit(main())
