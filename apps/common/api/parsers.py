"""JSON as it comes in: bounded, exact numbers, no field twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

LARGEST_BODY = 64 * 1024
"""Bytes; the largest body that any endpoint needs is a few hundred."""


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = f"The body is larger than {LARGEST_BODY} bytes."
    default_code = "body_too_large"


class ExactJSONParser(BaseParser):
    """Numbers with a point become Decimals to the last digit; NaN, Infinity, repeated fields and endless nesting are errors."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        raw = stream.read(LARGEST_BODY + 1)
        if len(raw) > LARGEST_BODY:
            raise BodyTooLarge
        try:
            return json.loads(raw.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once_each)
        except RecursionError:
            raise ParseError("The JSON is nested too deep.") from None
        except (ValueError, ArithmeticError) as error:
            raise ParseError(f"The body is not JSON: {error}.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same field twice")
    return found
