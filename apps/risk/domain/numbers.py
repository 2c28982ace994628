"""Numbers that may be trusted, and how they are shown."""

from __future__ import annotations

from decimal import Decimal


def is_usable(value: Decimal | None, *, positive: bool = False) -> bool:
    """Whether `value` is a finite Decimal (and greater than zero if asked): not missing, NaN, infinite or another type."""
    return isinstance(value, Decimal) and value.is_finite() and (value > 0 or not positive)


def show(value: Decimal | int | None) -> str:
    """The number in plain digits; a dash where there is none, as it is where it is not a number."""
    if value is None:
        return "–"  # noqa: RUF001
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return str(value)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def show_percent(value: Decimal | None) -> str:
    """A fraction as a percentage, in words where there is none."""
    return percent(value) if value is not None and is_usable(value) else "an unknown part"


def percent(value: Decimal) -> str:
    """A fraction as a percentage with two places."""
    return f"{value * 100:.2f} %"
