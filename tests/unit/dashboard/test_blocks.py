"""Declared pages: what they are made of, and what cannot be declared."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.core.errors import InvalidInput
from apps.dashboard.domain import pages
from apps.dashboard.domain.blocks import Chart, Column, Link, Style, Table
from apps.dashboard.domain.pages import declared_pages, page
from apps.dashboard.templatetags import dash


def test_a_row_becomes_cells_with_their_columns_and_links() -> None:
    table = Table("Fees", [Column("Symbol"), Column("Fee", Style.MONEY)], [[Link("AAPL", "/chart/AAPL/"), Decimal("1.5")]])
    assert [(cell.column.title, cell.value, cell.path) for cell in table.lines[0]] == [
        ("Symbol", "AAPL", "/chart/AAPL/"),
        ("Fee", Decimal("1.5"), ""),
    ]


def test_a_row_that_does_not_fit_its_columns_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        _ = Table("Fees", [Column("Symbol")], [["AAPL", 1]]).lines


def test_a_line_needs_two_values() -> None:
    assert Chart("One", [Decimal(1)]).line is None
    chart = Chart("Two", [Decimal(3), Decimal(1)])
    assert chart.line is not None
    assert (chart.lowest, chart.highest) == (1, 3)


def test_every_style_can_be_written() -> None:
    assert set(Style) == set(dash._WRITERS) | {Style.WHEN}


def test_a_page_needs_a_path_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_pages", {})
    page(path="costs", title="Costs")(lambda context: [])
    page(path="alpha", title="Alpha", section="Research")(lambda context: [])
    assert [item.address for item in declared_pages()] == ["/alpha/", "/costs/"]
    for path in ("costs", "Costs", "a/b", ""):
        with pytest.raises(InvalidInput):
            page(path=path, title="Again")(lambda context: [])
