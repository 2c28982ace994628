"""Downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponse

from apps.dashboard.domain.formatting import raw

MAX_EXPORTED = 20_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_download(name: str, columns: Sequence[str], rows: Iterable[Any]) -> HttpResponse:
    """A CSV file of the rows' attributes: numbers as stored, times in ISO 8601, texts that a spreadsheet would compute made harmless."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)
    return HttpResponse(
        text.getvalue(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _cell(value: Any) -> str:
    text = raw(value)
    is_number = isinstance(value, (int, float, Decimal))
    return f"'{text}" if text.startswith(_FORMULA_STARTS) and not is_number else text
