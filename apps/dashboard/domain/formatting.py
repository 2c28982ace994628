"""How numbers and times are written on pages. A missing value is a dash, never a zero."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

DASH = "\u2013"
MINUS = "\u2212"

Number = Decimal | float | int


def to_decimal(value: Any) -> Decimal | None:
    """The value as a finite Decimal; None if it is missing or not a number."""
    if value is None or value == "":
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def plain(value: Any) -> str:
    """Every digit that is stored, with grouping and without trailing zeros."""
    number = to_decimal(value)
    if number is None:
        return DASH
    text = f"{number:,f}"
    return _signed_text(text.rstrip("0").rstrip(".") if "." in text else text)


def fixed(value: Any, places: int = 2) -> str:
    """Rounded half-even to `places`, with grouping."""
    number = to_decimal(value)
    if number is None:
        return DASH
    return _signed_text(f"{_round(number, places):,f}")


def signed(value: Any, places: int = 2) -> str:
    """Like `fixed`, with a plus for gains, so that colour is never the only sign."""
    number = to_decimal(value)
    if number is None:
        return DASH
    rounded = _round(number, places)
    return f"+{rounded:,f}" if rounded > 0 else _signed_text(f"{abs(rounded) if rounded == 0 else rounded:,f}")


def percent(value: Any, places: int = 2) -> str:
    """A fraction as a percentage: 0.0123 -> 1.23 %."""
    number = to_decimal(value)
    return DASH if number is None else f"{fixed(number * 100, places)} %"


def signed_percent(value: Any, places: int = 2) -> str:
    """A fraction as a percentage with its sign."""
    number = to_decimal(value)
    return DASH if number is None else f"{signed(number * 100, places)} %"


def significant(value: Any, digits: int = 4) -> str:
    """A statistic with so many significant digits; never in exponent form."""
    number = to_decimal(value)
    if number is None:
        return DASH
    if number == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(float(number)))))
    return plain(_round(number, min(places, 12)))


def brief(text: Any) -> str:
    """A number that a check measured, with six significant digits at most; words stay as they are."""
    return significant(text, 6) if to_decimal(text) is not None and to_decimal(text) != 0 else str(text)


def price(value: Any, step: Decimal) -> str:
    """A price with the decimals of the instrument's step: 0.228 where prices move by 0.001; two decimals at least."""
    return fixed(value, price_places(step))


def price_places(step: Decimal) -> int:
    """How many decimals the prices of an instrument with that step are written with."""
    exponent = step.normalize().as_tuple().exponent
    return max(2, -exponent) if isinstance(exponent, int) else 2


def days(value: Any) -> str:
    """A number of days: `1 day`, `12.5 days`."""
    number = to_decimal(value)
    if number is None:
        return DASH
    return f"{significant(number, 3)} day{'' if number == 1 else 's'}"


def tone(value: Any) -> str:
    """`up`, `down` or `flat`."""
    number = to_decimal(value)
    if number is None or number == 0:
        return "flat"
    return "up" if number > 0 else "down"


def arrow(value: Any) -> str:
    """A sign for those who do not see the colour."""
    return {"up": "▲", "down": "▼", "flat": ""}[tone(value)]


def when(value: datetime | None, timeframe: str = "") -> str:
    """A market time in UTC: the date alone where bars are days, else date and minute."""
    if not value:
        return DASH
    return f"{value:%Y-%m-%d}" if timeframe == "1d" else f"{value:%Y-%m-%d %H:%M}"


def moment(value: datetime | None) -> str:
    """A wall-clock time in UTC, to the second."""
    return f"{value:%Y-%m-%d %H:%M:%S}" if value else DASH


def age_words(age: timedelta | None) -> str:
    """How long ago, in one unit."""
    if age is None:
        return "never"
    seconds = max(0, round(age.total_seconds()))
    for size, unit in ((172_800, 86_400), (5_400, 3_600), (90, 60)):
        if seconds >= size:
            return f"{round(seconds / unit)} {'d' if unit == 86_400 else 'h' if unit == 3_600 else 'min'}"
    return f"{seconds} s"


def seconds_words(seconds: float | None) -> str:
    """An age given in seconds."""
    return DASH if seconds is None else f"{age_words(timedelta(seconds=seconds))} ago"


def raw(value: Any) -> str:
    """The stored value as text, for machines that read the page."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def words(code: str) -> str:
    """A code in words: REFUSED_BY_RISK -> Refused by risk."""
    text = str(code).replace("_", " ").replace(".", " ").strip()
    return text[:1].upper() + text[1:].lower() if text.isupper() or "_" in str(code) else text[:1].upper() + text[1:]


def _round(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def _signed_text(text: str) -> str:
    return MINUS + text[1:] if text.startswith("-") else text
