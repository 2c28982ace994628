"""What the page of a sweep shows: the heat map with its colours, the best points, the judgement of the best one, and its coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.backtests import selectors as backtests
from apps.backtests.contracts import SharpeJudgement, SweepTrialView, SweepView
from apps.backtests.domain.points import KEPT_FIGURES
from apps.core.errors import NotFound
from apps.dashboard.domain.heat import rank_class
from apps.portfolio.domain.metrics import FIGURES, Figure, FigureDefinition

BEST_SHOWN = 25
DRAWN_POINTS = 5_000
FIGURES_KEPT: tuple[FigureDefinition, ...] = tuple(FIGURES[key] for key in KEPT_FIGURES)


@dataclass(frozen=True)
class HeatCell:
    """The best point of a cell; `number` is None where there is none."""

    number: int | None
    figure: Figure
    tone: str


@dataclass(frozen=True)
class HeatRow:
    value: Any
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True)
class HeatMap:
    """A table of two parameters; `is_smaller_better` says which end of the colours is good."""

    across: str
    down: str
    columns: Sequence[Any]
    rows: tuple[HeatRow, ...]
    definition: FigureDefinition


@dataclass(frozen=True)
class PointRow:
    """A point with the figures that the page shows of it."""

    point: SweepTrialView
    figures: tuple[Figure, ...]


SHOWN = ("sharpe", "total_return", "max_drawdown", "trades", "win_rate", "profit_factor")


def heat_map(sweep: SweepView, *, across: str, down: str, figure: str) -> HeatMap:
    """The heat map of one figure; better values are stronger. Raises NotFound for an unknown parameter or figure."""
    if figure not in FIGURES:
        raise NotFound(f"There is no figure {figure[:40]!r}.", where="figure")
    definition = FIGURES[figure]
    found = backtests.heat_map(sweep.id, across=across, down=down, figure=figure)
    sign = -1.0 if definition.is_higher_better is False else 1.0
    values = [sign * cell["value"] for row in found["cells"] for cell in row if cell and cell["value"] is not None]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)

    def drawn(cell: Mapping[str, Any] | None) -> HeatCell:
        value = cell["value"] if cell else None
        tone = rank_class(None if value is None else sign * value, low, high)
        return HeatCell(cell["number"] if cell else None, Figure(definition, value), tone)

    rows = zip(found["down"]["values"], found["cells"], strict=True)
    return HeatMap(
        across, down, found["across"]["values"], tuple(HeatRow(value, tuple(map(drawn, cells))) for value, cells in rows), definition
    )


def by_values(sweep: SweepView) -> list[str]:
    """The parameters that are searched over, those with ranges or most values first: a heat map of them says most."""

    def count(name: str) -> float:
        values = sweep.space[name]
        return len(values) if isinstance(values, list) else float("inf")

    return sorted(sweep.space, key=count, reverse=True)


def best_points(sweep: SweepView) -> list[PointRow]:
    """The best points, the best first."""
    keys = dict.fromkeys((sweep.objective, *SHOWN))
    found = backtests.sweep_trials(sweep.id, is_best_first=True, limit=BEST_SHOWN)
    return [PointRow(item, tuple(Figure(FIGURES[key], item.metrics.get(key)) for key in keys)) for item in found]


def point(sweep_id: UUID, number: int) -> PointRow:
    """One point; raises NotFound."""
    found = backtests.sweep_trials(sweep_id, after=number - 1, limit=1)
    if not found or found[0].number != number:
        raise NotFound(f"The sweep has no point {number} (yet).", where="point")
    figures = tuple(Figure(FIGURES[key], value) for key, value in found[0].metrics.items() if key in FIGURES)
    return PointRow(found[0], figures)


def judgement(sweep: SweepView) -> SharpeJudgement | None:
    """What search and luck explain of the best point's Sharpe ratio; None before there is one."""
    return backtests.judgement_of_point(sweep.id, sweep.best_number) if sweep.best_number is not None else None


def coordinates(sweep: SweepView) -> dict[str, Any]:
    """Names of parameters and figures, and a row of numbers per point (the best ones where there are too many to draw)."""
    names = list(sweep.space)
    figures = [key for key in dict.fromkeys((sweep.objective, "sharpe", "total_return", "max_drawdown", "trades")) if key in FIGURES]
    points = backtests.sweep_trials(sweep.id, is_best_first=True, limit=DRAWN_POINTS)
    return {
        "parameters": names,
        "figures": [{"key": key, "title": FIGURES[key].title, "unit": str(FIGURES[key].unit)} for key in figures],
        "objective": sweep.objective,
        "points": [
            [item.number, item.score, *(_number(item.parameters.get(name)) for name in names), *(item.metrics.get(key) for key in figures)]
            for item in points
        ],
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, bool | int | float) else None
