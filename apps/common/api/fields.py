"""Serializer fields: exact decimals as strings, enumerations that name what they allow."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.common.fields import DECIMAL_PLACES, MAX_DIGITS


@extend_schema_field({"type": "string", "format": "decimal", "example": "101.25"})
class ExactDecimal(serializers.Field[Any, Any, Any, Any]):
    """An exact number going out: a string, never in exponent form, to the last digit that we have."""

    def to_representation(self, value: Decimal) -> str:
        return format(value, "f")


class ExactDecimalInput(serializers.DecimalField):
    """An exact number coming in, as a JSON number or string; finite and within what a column holds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **kwargs)


class EnumField(serializers.ChoiceField):
    """A member of an enumeration by its value; a refusal lists the values allowed."""

    def __init__(self, enum: type[StrEnum], **kwargs: Any) -> None:
        self.enum = enum
        values = [str(item) for item in enum]
        kwargs.setdefault("error_messages", {})["invalid_choice"] = f"'{{input}}' is not one of {', '.join(values)}."
        super().__init__(choices=values, **kwargs)

    def to_internal_value(self, data: Any) -> StrEnum:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return self.enum(super().to_internal_value(data))

    def to_representation(self, value: Any) -> str:
        return str(value)
