"""What a declared page is made of: figures, tables, texts and lines, without any markup. One template draws them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from apps.dashboard.domain import pictures


class Style(StrEnum):
    """How a value is written. A missing value is a dash in every style."""

    TEXT = "text"
    WORDS = "words"
    """A code in words: REFUSED_BY_RISK -> Refused by risk."""
    PLAIN = "plain"
    """Every digit that is stored."""
    MONEY = "money"
    SIGNED = "signed"
    PERCENT = "percent"
    SIGNED_PERCENT = "signed_percent"
    NUMBER = "number"
    """A statistic with four significant digits."""
    WHEN = "when"
    """A time of the market."""
    MOMENT = "moment"
    """A time of the wall."""
    YES = "yes"

    @property
    def is_number(self) -> bool:
        """Whether columns of it stand at the right."""
        return self in (Style.PLAIN, Style.MONEY, Style.SIGNED, Style.PERCENT, Style.SIGNED_PERCENT, Style.NUMBER)


@dataclass(frozen=True)
class Tile:
    """One figure with what it is."""

    label: str
    value: Any
    style: Style = Style.TEXT
    note: str = ""


@dataclass(frozen=True)
class Tiles:
    """Figures side by side."""

    items: Sequence[Tile]
    kind: ClassVar = "tiles"


@dataclass(frozen=True)
class Column:
    title: str
    style: Style = Style.TEXT


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere: a path of this site."""

    value: Any
    path: str


@dataclass(frozen=True)
class Cell:
    """A cell as the template draws it."""

    column: Column
    value: Any
    path: str


@dataclass(frozen=True)
class Table:
    """Rows of values, or of `Link`s, in the order of the columns; `empty` is what stands there without rows."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    empty: str = "Nothing yet"
    note: str = ""
    kind: ClassVar = "table"

    @property
    def lines(self) -> list[list[Cell]]:
        """The rows with their columns; a row of another length than the columns raises ValueError."""
        return [[_cell(column, value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    title: str
    text: str
    kind: ClassVar = "text"


@dataclass(frozen=True)
class Chart:
    """One line through values, oldest first; `empty` is what stands there below two values."""

    title: str
    values: Sequence[Decimal | float]
    style: Style = Style.NUMBER
    empty: str = "Not enough values for a line yet"
    line: pictures.Line | None = field(init=False)
    kind: ClassVar = "chart"

    def __post_init__(self) -> None:
        object.__setattr__(self, "line", pictures.line([float(value) for value in self.values]))

    @property
    def lowest(self) -> Decimal | float | None:
        return min(self.values, default=None)

    @property
    def highest(self) -> Decimal | float | None:
        return max(self.values, default=None)


Block = Tiles | Table | Text | Chart


def _cell(column: Column, value: Any) -> Cell:
    return Cell(column, value.value, value.path) if isinstance(value, Link) else Cell(column, value, "")
