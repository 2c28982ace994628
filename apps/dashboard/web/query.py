"""What stands in an address: typed, or None where it is missing; what cannot be read raises InvalidInput."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from django.http import QueryDict

from apps.core.errors import InvalidInput
from apps.dashboard.domain.formatting import to_decimal

E = TypeVar("E", bound=StrEnum)
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,18})?|[+-]?\.[0-9]{1,18}")
"""At most so many digits that no arithmetic with it can overflow."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def uuid_of(query: QueryDict, name: str) -> UUID | None:
    text = query.get(name, "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidInput(f"{name} must be an id, got {text[:60]!r}.", where=name) from None


def integer_of(query: QueryDict, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidInput(f"{name} must be a whole number, got {text[:60]!r}.", where=name)
    return int(text)


def word_of(query: QueryDict, name: str, kind: type[E]) -> E | None:
    text = query.get(name, "")
    try:
        return kind(text) if text else None
    except ValueError:
        raise InvalidInput(f"{name} must be one of {', '.join(kind)}, got {text[:60]!r}.", where=name) from None


def decimal_of(query: QueryDict, name: str) -> Decimal | None:
    """A number in plain digits. No separators of thousands: 1,000 is one thousand to some and one to others."""
    text = query.get(name, "").strip()
    if not text:
        return None
    number = to_decimal(text) if _NUMBER.fullmatch(text) else None
    label = name.replace("_", " ")
    if number is None:
        raise InvalidInput(
            f"The {label} must be a number, got {text[:60]!r}.", where=name, hint="Write digits and a point, such as 1000 or 0.5."
        )
    return number


def date_of(query: QueryDict, name: str) -> datetime | None:
    """The start of a day in UTC."""
    text = query.get(name, "")
    try:
        found = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if text else None
        if found is not None and not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            raise ValueError
        return found
    except ValueError:
        raise InvalidInput(f"{name.replace('_', ' ')} must be a date such as 2008-09-15, got {text[:60]!r}.", where=name) from None


def moment_of(query: QueryDict, name: str) -> datetime | None:
    """A time as ISO 8601 with its zone."""
    text = query.get(name, "")
    try:
        found = datetime.fromisoformat(text.replace(" ", "+")) if text else None
    except ValueError:
        found = None
    if text and (found is None or found.tzinfo is None):
        raise InvalidInput(f"{name} must be a time with its zone, got {text[:60]!r}.", where=name)
    return found
