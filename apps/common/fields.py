"""Model fields for exact numbers: `numeric(28,10)` everywhere, so that amounts add up to the last digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models

MAX_DIGITS = 28
DECIMAL_PLACES = 10


class ExactField(models.DecimalField[Any, Any]):
    """A decimal with ten places that reads back without trailing zeros."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = MAX_DIGITS
        kwargs["decimal_places"] = DECIMAL_PLACES
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def from_db_value(self, value: Any, *_: Any) -> Any:
        return None if value is None else strip_zeros(value)


class PriceField(ExactField):
    """A price in the quote asset."""


class QuantityField(ExactField):
    """A quantity of the base asset."""


class MoneyField(ExactField):
    """An amount of an asset."""


def strip_zeros(value: Decimal) -> Decimal:
    """The same number without trailing zeros and never in exponent form: 10.5000 -> 10.5, 1E+2 -> 100."""
    stripped = value.normalize()
    _, _, exponent = stripped.as_tuple()
    return stripped.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else stripped
