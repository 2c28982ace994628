"""Kinds of market, told from the past alone, and how results differ between them.

A bar's label uses closes up to and including that bar. What happened *in* a bar is therefore booked under the label of the bar before it:
the one that was known when the position for it was taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from apps.backtests.domain.returns import FloatArray, Int64Array, max_drawdown, require_returns, sharpe_ratio, total_return
from apps.core.errors import InvalidInput

_ROWS_AT_ONCE = 4096


class Trend(IntEnum):
    """UNKNOWN: not enough bars yet."""

    UNKNOWN = 0
    DOWN = 1
    SIDEWAYS = 2
    UP = 3


class Volatility(IntEnum):
    UNKNOWN = 0
    CALM = 1
    NORMAL = 2
    WILD = 3


@dataclass(frozen=True)
class RegimeRules:
    """How bars are labelled.

    The trend is the log return over `trend_bars` in units of what chance would make of it (the bars' volatility times the root of their
    number): beyond +-`trend_threshold` it is up or down. The volatility over `volatility_bars` is ranked among the last
    `history_bars` of its own values: the lowest `calm_share` are calm, the highest `wild_share` wild.
    """

    trend_bars: int = 50
    trend_threshold: float = 1.0
    volatility_bars: int = 20
    history_bars: int = 250
    calm_share: float = 0.25
    wild_share: float = 0.25

    def __post_init__(self) -> None:
        if min(self.trend_bars, self.volatility_bars, self.history_bars) < 2 or self.trend_threshold < 0:
            raise InvalidInput("Regimes need windows of two bars at least and a threshold from 0.", where="rules")
        if min(self.calm_share, self.wild_share) < 0 or self.calm_share + self.wild_share > 1:
            raise InvalidInput("The calm and the wild share are not negative and together at most 1.", where="rules")

    @property
    def warmup_bars(self) -> int:
        """Bars without a full label at the beginning."""
        return max(self.trend_bars, self.volatility_bars + self.history_bars - 1)


@dataclass(frozen=True)
class Regimes:
    """Labels of every bar (values of Trend and Volatility)."""

    trend: npt.NDArray[np.int8]
    volatility: npt.NDArray[np.int8]


def label_regimes(closes: npt.ArrayLike, rules: RegimeRules = RegimeRules()) -> Regimes:
    """The label of every bar from the closes up to it. Cutting or changing later bars changes no earlier label."""
    prices = require_returns(closes, name="closes", minimum=1)
    if (prices <= 0).any():
        raise InvalidInput(f"Closes must be positive, got {prices[prices <= 0][0]:g}.", where="closes")
    steps = np.diff(np.log(prices))
    return Regimes(_trend(steps, rules), _volatility(steps, rules))


def _trend(steps: FloatArray, rules: RegimeRules) -> npt.NDArray[np.int8]:
    labels = np.zeros(len(steps) + 1, dtype=np.int8)
    if len(steps) < rules.trend_bars:
        return labels
    mean, spread = _trailing(steps, rules.trend_bars)
    gain = mean * np.sqrt(rules.trend_bars)
    limit = rules.trend_threshold * spread
    found = np.where(gain > limit, Trend.UP, np.where(gain < -limit, Trend.DOWN, Trend.SIDEWAYS))
    labels[rules.trend_bars :] = found
    return labels


def _volatility(steps: FloatArray, rules: RegimeRules) -> npt.NDArray[np.int8]:
    labels = np.zeros(len(steps) + 1, dtype=np.int8)
    if len(steps) < rules.volatility_bars + rules.history_bars - 1:
        return labels
    _, spread = _trailing(steps, rules.volatility_bars)
    rank = _trailing_rank(spread, rules.history_bars)
    found = np.where(rank <= rules.calm_share, Volatility.CALM, np.where(rank > 1 - rules.wild_share, Volatility.WILD, Volatility.NORMAL))
    labels[len(labels) - len(found) :] = found
    return labels


def _trailing(values: FloatArray, bars: int) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of every `bars` neighbours, each window for itself (no running sums that carry errors along)."""
    windows = sliding_window_view(values, bars)
    pieces = [windows[start : start + _ROWS_AT_ONCE] for start in range(0, len(windows), _ROWS_AT_ONCE)]
    return np.concatenate([piece.mean(axis=1) for piece in pieces]), np.concatenate([piece.std(axis=1, ddof=1) for piece in pieces])


def _trailing_rank(values: FloatArray, bars: int) -> FloatArray:
    """Where the newest of every `bars` neighbours stands among them: (smaller ones + half the equal ones) / bars."""
    windows = sliding_window_view(values, bars)
    ranks = []
    for start in range(0, len(windows), _ROWS_AT_ONCE):
        piece = windows[start : start + _ROWS_AT_ONCE]
        newest = piece[:, -1:]
        ranks.append(((piece < newest).sum(axis=1) + (piece == newest).sum(axis=1) / 2.0) / bars)
    return np.concatenate(ranks)


@dataclass(frozen=True)
class RegimeRow:
    """Results in one kind of market; NaN where there is too little to tell. `win_rate` and `trades` count trades by their entry."""

    trend: Trend
    volatility: Volatility
    bars: int
    share: float
    total_return: float
    mean_return: float
    sharpe: float
    worst_return: float
    trades: int
    win_rate: float


def results_by_regime(
    regimes: Regimes,
    returns: npt.ArrayLike,
    *,
    bars_per_year: float,
    entry_bars: Sequence[int] = (),
    trade_returns: Sequence[float] = (),
) -> list[RegimeRow]:
    """One row per kind of market that occurred, trends first. `returns` has one value per labelled bar.

    The first bar has no bar before it and is left out. A trade that enters at bar k is booked under the label of bar k - 1.
    """
    gained = require_returns(returns)
    if len(gained) != len(regimes.trend):
        raise InvalidInput(f"{len(regimes.trend)} labels do not fit {len(gained)} returns.", where="returns")
    if len(entry_bars) != len(trade_returns) or any(not 0 <= bar < len(gained) for bar in entry_bars):
        raise InvalidInput("Every trade needs an entry among the bars and one return.", where="entry_bars")
    known = np.stack([regimes.trend[:-1], regimes.volatility[:-1]], axis=1).astype(np.int64)
    entries, results = np.array(entry_bars, dtype=np.int64), np.array(trade_returns, dtype=np.float64)
    entries, results = entries[entries > 0], results[entries > 0]
    rows = []
    for pair in np.unique(known, axis=0):
        held = gained[1:][(known == pair).all(axis=1)]
        trades = results[(known[entries - 1] == pair).all(axis=1)]
        rows.append(_row(pair, held, trades, bars=len(known), bars_per_year=bars_per_year))
    return rows


def _row(pair: Int64Array, held: FloatArray, trades: FloatArray, *, bars: int, bars_per_year: float) -> RegimeRow:
    return RegimeRow(
        trend=Trend(int(pair[0])),
        volatility=Volatility(int(pair[1])),
        bars=len(held),
        share=len(held) / bars,
        total_return=total_return(held),
        mean_return=float(held.mean()),
        sharpe=sharpe_ratio(held, bars_per_year=bars_per_year) if len(held) > 1 else float("nan"),
        worst_return=float(held.min()),
        trades=len(trades),
        win_rate=float((trades > 0).mean()) if len(trades) else float("nan"),
    )


@dataclass(frozen=True)
class AssetRow:
    """The result of one strategy on one instrument."""

    instrument: str
    bars: int
    total_return: float
    sharpe: float
    max_drawdown: float


@dataclass(frozen=True)
class AcrossAssets:
    """The same strategy on several instruments: an edge that is real is rarely found on one of them alone."""

    rows: tuple[AssetRow, ...]
    profitable_share: float
    median_sharpe: float
    worst_drawdown: float


def across_assets(returns: Mapping[str, npt.ArrayLike], *, bars_per_year: float) -> AcrossAssets:
    """A row per instrument, the best Sharpe ratio first (those that never moved last), and what they have in common."""
    if not returns:
        raise InvalidInput("There is no instrument to compare.", where="returns")
    rows = [_asset_row(name, require_returns(values), bars_per_year) for name, values in returns.items()]
    rows.sort(key=lambda row: (np.isnan(row.sharpe), -row.sharpe, row.instrument))
    known = [row.sharpe for row in rows if not np.isnan(row.sharpe)]
    return AcrossAssets(
        rows=tuple(rows),
        profitable_share=sum(row.total_return > 0 for row in rows) / len(rows),
        median_sharpe=float(np.median(known)) if known else float("nan"),
        worst_drawdown=max(row.max_drawdown for row in rows),
    )


def _asset_row(name: str, values: FloatArray, bars_per_year: float) -> AssetRow:
    return AssetRow(name, len(values), total_return(values), sharpe_ratio(values, bars_per_year=bars_per_year), max_drawdown(values))
