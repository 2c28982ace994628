"""Monte Carlo by running again: the same strategy from another first day, or with other costs, through the engine each time.

Unlike histories put together from what a run left, these trade anew: positions, sizes and stops are those of the other start or costs. The
same seed draws the same re-runs on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from apps.backtests.domain.config import RunConfig
from apps.backtests.domain.costing import has_fees, has_slippage, with_costs
from apps.backtests.domain.monte_carlo import LEVELS, MonteCarlo, random_costs, random_starts, randomise
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.returns import FloatArray, Int64Array
from apps.backtests.domain.runners import IsCancelled, RunCancelled, RunInterrupted, Runner
from apps.backtests.domain.steps import Steps
from apps.core.errors import InvalidInput, TradingError
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import from_micros, to_micros
from apps.portfolio.domain.metrics import annual_return, max_drawdown, sharpe
from apps.portfolio.domain.metrics.returns import total_return
from apps.portfolio.domain.metrics.sampling import histogram
from apps.portfolio.domain.records import EquitySeries

FIGURES = ("total_return", "annual_return", "max_drawdown", "sharpe")
LEAST_BARS = 30
"""Fewer bars than this behind the last start say nothing."""
_FINEST = Decimal("0.0001")


class RerunKind(StrEnum):
    """What differs from one re-run to the next."""

    STARTS = "starts"
    COSTS = "costs"


@dataclass(frozen=True)
class Rerun:
    """One draw: the run to make, measured from `since` on (microseconds), and what was drawn, as JSON."""

    config: RunConfig
    since: int
    drawn: dict[str, Any]


def rerun_kinds(config: RunConfig) -> tuple[RerunKind, ...]:
    """The kinds of re-runs that the configuration asks for."""
    asked = config.robustness.reruns
    wanted = {RerunKind.STARTS: asked.has_starts, RerunKind.COSTS: asked.has_costs}
    return tuple(kind for kind, is_wanted in wanted.items() if is_wanted)


def draw_reruns(kind: RerunKind, config: RunConfig, bars: Sequence[BarWindow]) -> list[Rerun]:
    """The re-runs of a kind, by the run's seed. Raises InvalidInput where nothing can differ."""
    return _starts(config, bars) if kind is RerunKind.STARTS else _costs(config, bars)


def rerun(
    kind: RerunKind,
    config: RunConfig,
    bars: Sequence[BarWindow],
    plain: RunRecords,
    *,
    runner: Runner,
    steps: Steps,
    is_cancelled: IsCancelled,
) -> dict[str, Any]:
    """Make the re-runs of a kind; how they spread, as JSON. Those that cannot be run are counted with the first reason. Raises RunCancelled.

    `figures` have by name a histogram, the values that 5, 25, 50, 75 and 95 per cent stay below (`percentiles`), the value of the run itself
    (`actual`) and the share of re-runs below it (`below`). `bands` are equity as a multiple of the capital by the same levels after each number of
    bars in `points`, `actual` that of the run. `draws` has a row per re-run.
    """
    asked = config.robustness.reruns
    told = {"kind": str(kind), "seed": config.seed, "asked": asked.count, "made": 0, "error": "", **_bounds(kind, config)}
    made: list[dict[str, Any]] = []
    refused: list[str] = []

    def run(draw: Rerun) -> FloatArray | None:
        try:
            records = runner.run(draw.config, bars, progress=steps.progress, is_cancelled=is_cancelled, seed=config.seed)
        except RunInterrupted:
            raise
        except TradingError as error:
            refused.append(error.message)
            return None
        finally:
            steps.next()
        if is_cancelled():
            raise RunCancelled("The run was cancelled.")
        series = series_since(records, draw.since)
        made.append({**draw.drawn, **figures_of(series)})
        return returns_of(at_closes(series, closes))

    closes = _moments(bars, "closed_at")
    try:
        draws = draw_reruns(kind, config, bars)
        shown = int((closes > max(draw.since for draw in draws)).sum())
        spread = randomise(draws, run, bars=shown, seed=config.seed)
    except InvalidInput as error:
        return {**told, "failed": len(refused), "error": refused[0] if refused else error.message}
    actual = series_since(plain, int(trading_opens(config, bars)[0]))
    return {**told, **_spread(spread, at_closes(actual, closes)), **_came_of(made, refused, actual)}


def _came_of(made: list[dict[str, Any]], refused: list[str], actual: EquitySeries) -> dict[str, Any]:
    """What could be run, how its figures spread, and why the rest could not."""
    return {
        "made": len(made),
        "failed": len(refused),
        "first_refusal": refused[0] if refused else "",
        "figures": _distributions(made, figures_of(actual)),
        "draws": made,
    }


def trading_opens(config: RunConfig, bars: Sequence[BarWindow]) -> Int64Array:
    """When bars open behind the warm-up, whichever instrument's they are. Raises InvalidInput where none does."""
    opens = _moments(bars, "opened_at")
    behind = opens if config.trade_from is None else opens[np.searchsorted(opens, to_micros(config.trade_from)) :]
    if not len(behind):
        raise InvalidInput("Trading would begin behind the last bar.", where="trade_from")
    return behind


def at_closes(series: EquitySeries, closes: Int64Array) -> EquitySeries:
    """The series where it begins and at each close behind that. Over bars it has no other points; over ticks it has one at every moment."""
    behind = closes[closes > series.times[0]]
    place = np.searchsorted(series.times, behind, side="right") - 1
    return EquitySeries(np.concatenate([series.times[:1], behind]), np.concatenate([series.equity[:1], series.equity[place]]))


def series_since(records: RunRecords, since: int) -> EquitySeries:
    """Equity in money from a time on, with the capital in front."""
    unit = float(records.cash_unit)
    inside = records.equity_at > since
    times, equity = records.equity_at[inside], records.equity[inside]
    return EquitySeries(
        np.concatenate([[since], times]).astype(np.int64), np.concatenate([[records.opening_cash], equity]).astype(np.float64) * unit
    )


def figures_of(series: EquitySeries) -> dict[str, float | None]:
    """The figures that re-runs are compared by, as the tear sheet reckons them; None where there is too little to say."""
    daily, year = series.daily.values, series.days_per_year
    values = (
        total_return(series.equity),
        annual_return(daily, per_year=year),
        max_drawdown(daily),
        sharpe(daily, per_year=year),
    )
    return {name: float(value) if value is not None and np.isfinite(value) else None for name, value in zip(FIGURES, values, strict=True)}


def returns_of(series: EquitySeries) -> FloatArray:
    """Return of each bar; what fell to zero stays there."""
    before, after = series.equity[:-1], series.equity[1:]
    is_alive = before > 0
    return np.where(is_alive, after / np.where(is_alive, before, 1.0) - 1.0, 0.0)


def _starts(config: RunConfig, bars: Sequence[BarWindow]) -> list[Rerun]:
    opens, asked = trading_opens(config, bars), config.robustness.reruns
    latest = min(int(len(opens) * float(asked.latest_start)), len(opens) - LEAST_BARS)
    if latest < 1:
        raise InvalidInput(
            f"{len(opens)} bars are too few to begin anywhere but at the first: {LEAST_BARS} must follow the last start.",
            where="robustness.reruns.latest_start",
        )
    found = []
    for start in random_starts(latest_start=latest, histories=asked.count, seed=config.seed):
        since = int(opens[start])
        begins = from_micros(since)
        found.append(Rerun(msgspec.structs.replace(config, trade_from=begins), since, {"starts_at": _iso(begins)}))
    return found


def _costs(config: RunConfig, bars: Sequence[BarWindow]) -> list[Rerun]:
    if not (has_fees(config) or has_slippage(config)):
        raise InvalidInput(
            f"The run pays neither fees nor slippage (profile {config.profile}): there is nothing to multiply.", where="robustness.reruns"
        )
    asked = config.robustness.reruns
    drawn = random_costs(lowest=float(asked.lowest_costs), highest=float(asked.highest_costs), histories=2 * asked.count, seed=config.seed)
    multiples = [Decimal(value).quantize(_FINEST) for value in drawn]
    since = int(trading_opens(config, bars)[0])
    return [
        Rerun(with_costs(config, fees=fees, slippage=slippage), since, {"fees": float(fees), "slippage": float(slippage)})
        for fees, slippage in zip(multiples[::2], multiples[1::2], strict=True)
    ]


def _bounds(kind: RerunKind, config: RunConfig) -> dict[str, Any]:
    asked = config.robustness.reruns
    if kind is RerunKind.STARTS:
        return {"latest_start": float(asked.latest_start)}
    return {"lowest_costs": float(asked.lowest_costs), "highest_costs": float(asked.highest_costs)}


def _moments(bars: Sequence[BarWindow], name: str) -> Int64Array:
    """When bars of any of the instruments open or close, each time once."""
    return np.unique(np.concatenate([getattr(window, name) for window in bars]))


def _spread(spread: MonteCarlo, actual: EquitySeries) -> dict[str, Any]:
    points = spread.points[spread.points < len(actual)]
    return {
        "levels": list(LEVELS),
        "points": points.tolist(),
        "bands": spread.bands[:, : len(points)].tolist(),
        "actual": (actual.equity[points] / actual.equity[0]).tolist(),
        "probability_of_loss": spread.probability_of_loss,
    }


def _distributions(made: Sequence[dict[str, Any]], actual: dict[str, float | None]) -> dict[str, Any]:
    found = {}
    for name in FIGURES:
        values = np.array([row[name] for row in made if row[name] is not None], np.float64)
        own = actual[name]
        found[name] = {
            **reaching(histogram(values), own),
            "percentiles": np.percentile(values, LEVELS).tolist() if len(values) else [],
            "actual": own,
            "below": float((values < own).mean()) if own is not None and len(values) else None,
        }
    return found


def reaching(counted: dict[str, list[Any]], own: float | None) -> dict[str, list[Any]]:
    """The histogram with empty bars up to the value of the run itself, unless that lies more than its length away."""
    edges, counts = counted["edges"], counted["counts"]
    width = edges[1] - edges[0] if counts else 0.0
    if own is None or width <= 0:
        return counted
    below, above = (max(math.ceil(gap / width), 0) for gap in (edges[0] - own, own - edges[-1]))
    if max(below, above) > len(counts):
        return counted
    first = [edges[0] - width * step for step in range(below, 0, -1)]
    last = [edges[-1] + width * step for step in range(1, above + 1)]
    return {"edges": [*first, *edges, *last], "counts": [0] * below + counts + [0] * above}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
