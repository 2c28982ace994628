"""Tables and pictures of a tear sheet that need no script: months as a heat map, counts as bars, curves as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.dashboard.domain import pictures
from apps.dashboard.domain.heat import heat_class

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STRONG_MONTH = 0.08


@dataclass(frozen=True)
class MonthCell:
    """A month's return; `tone` is the class of its colour."""

    value: float | None
    tone: str


@dataclass(frozen=True)
class MonthRow:
    year: int
    cells: tuple[MonthCell, ...]
    total: MonthCell


@dataclass(frozen=True)
class HistogramBar:
    """One bar of a histogram in a box of 1000 x 300; `label` says its range and count."""

    x: float
    y: float
    width: float
    height: float
    is_negative: bool
    label: str


def months_of(sheet: Mapping[str, Any]) -> list[MonthRow]:
    """The monthly table with colours as strong as the strongest month, 8 % at least."""
    rows = sheet.get("months", [])
    values = [abs(value) for row in rows for value in row["months"] if value is not None]
    strongest = max([_STRONG_MONTH, *values]) if values else _STRONG_MONTH
    return [
        MonthRow(
            row["year"],
            tuple(MonthCell(value, heat_class(value, strongest)) for value in row["months"]),
            MonthCell(row["total"], heat_class(row["total"], strongest * 2)),
        )
        for row in rows
    ]


def histogram_bars(counted: Mapping[str, Any], *, is_percent: bool) -> list[HistogramBar]:
    """A histogram of the tear sheet as bars."""
    edges, counts = counted.get("edges", []), counted.get("counts", [])
    if not counts or max(counts) == 0:
        return []
    width, highest = 1000 / len(counts), max(counts)
    return [
        HistogramBar(
            x=round(index * width + 0.5, 2),
            y=round(300 - 288 * count / highest, 2),
            width=round(max(width - 1, 0.5), 2),
            height=round(288 * count / highest, 2),
            is_negative=(edges[index] + edges[index + 1]) / 2 < 0,
            label=f"{_edge(edges[index], is_percent)} to {_edge(edges[index + 1], is_percent)}: {count}",
        )
        for index, count in enumerate(counts)
    ]


def curve(points: Sequence[Sequence[float]]) -> pictures.Line | None:
    """The line through [time, value] pairs, evenly spaced."""
    return pictures.line([value for _, value in points])


def windows_of(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The windows of a walk forward with their times."""
    walked = metrics.get("walk_forward") or {}
    return [row | {"since": _moment(row["from_at"]), "until": _moment(row["to_at"])} for row in walked.get("windows", [])]


def counted_from(metrics: Mapping[str, Any]) -> datetime | None:
    """From when on the headline figures count; None where all bars count."""
    walked = metrics.get("walk_forward")
    return _moment(walked["starts_at"]) if walked else None


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def _edge(value: float, is_percent: bool) -> str:
    return f"{value * 100:.2f} %" if is_percent else f"{value:,.0f}"
