"""Pictures of re-runs by chance that need no script: how figures spread, with the run itself marked, and a fan of equity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.dashboard.domain.pictures import HEIGHT, WIDTH
from apps.dashboard.selectors.backtest_pictures import HistogramBar, histogram_bars
from apps.portfolio.domain.metrics import FIGURES, FigureUnit

_TITLES = {"starts": "Begun on another day", "costs": "With other costs"}
_SHOWN = {"starts": ("annual_return", "max_drawdown", "sharpe"), "costs": ("total_return", "max_drawdown", "sharpe")}
"""Re-runs from other days differ in length, so that their returns are compared a year."""
_MARGIN = 12
_HALF_MARK = 4
"""So that a mark at an end of the axis is seen whole."""


@dataclass(frozen=True)
class Distribution:
    """How one figure spreads over re-runs. `mark` is where the run itself stands on the axis, 0 to 1000; None where it has no such figure."""

    title: str
    is_percent: bool
    bars: Sequence[HistogramBar]
    edges: Sequence[float]
    percentiles: Sequence[float]
    actual: float | None
    mark: float | None
    below: float | None


@dataclass(frozen=True)
class Fan:
    """Equity of re-runs over their bars: polygons of 5 to 95 and 25 to 75 per cent, the middle, and the run itself."""

    outer: str
    inner: str
    middle: str
    actual: str
    lowest: float
    highest: float
    bars: int


@dataclass(frozen=True)
class RerunPicture:
    """Re-runs of one kind as a page shows them. `error` says why there are none."""

    kind: str
    title: str
    report: Mapping[str, Any]
    error: str
    distributions: Sequence[Distribution]
    fan: Fan | None


def rerun_picture(report: Mapping[str, Any]) -> RerunPicture:
    """The picture of a stored report."""
    kind = str(report["kind"])
    figures = report.get("figures", {})
    return RerunPicture(
        kind=kind,
        title=_TITLES[kind],
        report=report,
        error=str(report["error"]),
        distributions=[_distribution(name, figures[name]) for name in _SHOWN[kind] if name in figures],
        fan=_fan(report),
    )


def _distribution(name: str, counted: Mapping[str, Any]) -> Distribution:
    definition = FIGURES[name]
    is_percent = definition.unit is FigureUnit.PERCENT
    edges, actual = counted["edges"], counted["actual"]
    return Distribution(
        title=definition.title,
        is_percent=is_percent,
        bars=histogram_bars(counted, is_percent=is_percent),
        edges=edges,
        percentiles=counted["percentiles"],
        actual=actual,
        mark=_mark(edges, actual),
        below=counted["below"],
    )


def _mark(edges: Sequence[float], actual: float | None) -> float | None:
    """Where a value stands on the axis; at its end where it lies beyond."""
    if actual is None or len(edges) < 2 or edges[-1] <= edges[0]:
        return None
    share = (actual - edges[0]) / (edges[-1] - edges[0])
    return round(min(max(share * WIDTH, _HALF_MARK), WIDTH - _HALF_MARK), 2)


def _fan(report: Mapping[str, Any]) -> Fan | None:
    points, bands, actual = report.get("points", []), report.get("bands", []), report.get("actual", [])
    if len(points) < 2 or len(bands) != 5 or len(actual) != len(points):
        return None
    low, high = min(*bands[0], *actual), max(*bands[-1], *actual)
    span = (high - low) or 0.01

    def line(values: Sequence[float]) -> list[str]:
        return [
            f"{WIDTH * at / points[-1]:.1f},{HEIGHT - _MARGIN - (value - low) / span * (HEIGHT - 2 * _MARGIN):.1f}"
            for at, value in zip(points, values, strict=True)
        ]

    def between(below: Sequence[float], above: Sequence[float]) -> str:
        return " ".join([*line(below), *reversed(line(above))])

    return Fan(
        outer=between(bands[0], bands[4]),
        inner=between(bands[1], bands[3]),
        middle=" ".join(line(bands[2])),
        actual=" ".join(line(actual)),
        lowest=low - 1.0,
        highest=high - 1.0,
        bars=int(points[-1]),
    )
