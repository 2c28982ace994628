"""Serializer fields: exact decimals as strings, enumerations that name what they allow."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from decimal import Decimal
from enum import StrEnum
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.common.fields import DECIMAL_PLACES, MAX_DIGITS


@extend_schema_field({"type": "string", "format": "decimal", "example": "101.25"})
class ExactDecimal(serializers.Field[Any, Any, Any, Any]):
    """An exact number going out: a string without exponent and without zeros at the end, to the last digit that we have."""

    def to_representation(self, value: Decimal) -> str:
        text = format(value, "f") if value else "0"
        return text.rstrip("0").rstrip(".") if "." in text else text


class ExactDecimalInput(serializers.DecimalField):
    """An exact number coming in, as a JSON number or string; finite and within what a column holds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **kwargs)

    def quantize(self, value: Decimal) -> Decimal:
        """As it was written: REST framework would add zeros up to the last place, and refusals would repeat them."""
        short = super().quantize(value).normalize()
        return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


class EnumField(serializers.ChoiceField):
    """A member of an enumeration by its value; a refusal lists the values allowed."""

    def __init__(self, enum: type[StrEnum], **kwargs: Any) -> None:
        self.enum = enum
        kwargs.setdefault("error_messages", {})["invalid_choice"] = f"'{{input}}' is not one of {', '.join(enum)}."
        super().__init__(choices=[(item.value, item.name) for item in enum], **kwargs)

    def to_internal_value(self, data: Any) -> StrEnum:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return self.enum(super().to_internal_value(data))

    def to_representation(self, value: Any) -> str:
        return str(value)


class ListOfField(serializers.CharField):
    """Several values of a query parameter, separated by commas; each must be known. `known` is asked at every request."""

    def __init__(self, known: Callable[[], Collection[str]], **kwargs: Any) -> None:
        self.known = known
        super().__init__(max_length=2000, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        names = [name.strip() for name in super().to_internal_value(data).split(",") if name.strip()]
        known = self.known()
        unknown = [name for name in names if name not in known]
        if unknown:
            raise serializers.ValidationError(f"'{unknown[0]}' is not one of {', '.join(sorted(known))}.", code="invalid_choice")
        return names


class Statistic(serializers.FloatField):
    """A figure going out; null where it is not a finite number, because JSON has no other way to say so."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        number = float(value)
        return number if math.isfinite(number) else None


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JsonObject(serializers.Field[Any, Any, Any, Any]):
    """A stored JSON object going out as it is."""

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "array", "items": {}})
class JsonList(serializers.Field[Any, Any, Any, Any]):
    """A JSON list going out as it is."""

    def to_representation(self, value: Any) -> Any:
        return value
