"""How numbers and times are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.domain import formatting

MINUS = "\u2212"
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e12"), max_value=Decimal("1e12"), places=6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234567.8900"), "1,234,567.89"),
        (Decimal("-0.5"), f"{MINUS}0.5"),
        (Decimal("100"), "100"),
        (Decimal("0.0000000001"), "0.0000000001"),
        (None, "\u2013"),
        ("", "\u2013"),
        ("not a number", "\u2013"),
        (float("nan"), "\u2013"),
        (float("inf"), "\u2013"),
    ],
)
def test_plain_shows_every_stored_digit(value: object, text: str) -> None:
    assert formatting.plain(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("1.005"), "+1.00"), (Decimal("-2.5"), f"{MINUS}2.50"), (Decimal(0), "0.00"), (Decimal("-0.001"), "0.00"), (None, "\u2013")],
)
def test_signed_never_leaves_the_sign_to_colour(value: object, text: str) -> None:
    assert formatting.signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.0123, "1.23 %"), (Decimal("-0.5"), f"{MINUS}50.00 %"), (None, "\u2013")])
def test_percent_writes_a_fraction(value: object, text: str) -> None:
    assert formatting.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.000123456, "0.0001235"), (123456.0, "123,456"), (0, "0"), (-1.5, f"{MINUS}1.5"), (1e-9, "0.000000001")]
)
def test_significant_is_never_in_exponent_form(value: float, text: str) -> None:
    assert formatting.significant(value) == text


@given(decimals)
def test_tone_arrow_and_sign_agree(value: Decimal) -> None:
    tone = formatting.tone(value)
    assert formatting.arrow(value) == {"up": "▲", "down": "▼", "flat": ""}[tone]
    assert tone == ("up" if value > 0 else "down" if value < 0 else "flat")


@given(decimals)
def test_raw_reads_back_as_the_same_number(value: Decimal) -> None:
    assert Decimal(formatting.raw(value)) == value


def test_market_times_are_dates_where_bars_are_days() -> None:
    close = datetime(2008, 9, 15, 20, 0, tzinfo=UTC)
    assert formatting.when(close, "1d") == "2008-09-15"
    assert formatting.when(close, "1h") == "2008-09-15 20:00"
    assert formatting.when(None) == "\u2013"


@pytest.mark.parametrize(("seconds", "text"), [(3, "3 s"), (89, "89 s"), (90, "2 min"), (5400, "2 h"), (172_800, "2 d"), (-5, "0 s")])
def test_ages_are_in_one_unit(seconds: int, text: str) -> None:
    assert formatting.age_words(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [("REFUSED_BY_RISK", "Refused by risk"), ("BUY", "Buy"), ("momentum", "Momentum"), ("low_confidence", "Low confidence")],
)
def test_codes_become_words(code: str, text: str) -> None:
    assert formatting.words(code) == text


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        ("0.228", "0.001", "0.228"),
        ("1243.05", "0.01", "1,243.05"),
        ("27.18", "1", "27.18"),
        ("1.5", "0.00010", "1.5000"),
        (None, "0.01", "\u2013"),
    ],
)
def test_a_price_has_the_decimals_of_its_instrument(value: str | None, step: str, text: str) -> None:
    assert formatting.price(value, Decimal(step)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.16672087908846538746", "0.166721"),
        ("0.00018195182915098", "0.000181952"),
        ("11720.2925", "11,720.3"),
        ("25000", "25,000"),
        ("1", "1"),
        ("0", "0"),
        ("0.0", "0.0"),
        ("not halted", "not halted"),
        ("", ""),
    ],
)
def test_what_a_check_measured_is_shown_briefly(text: str, shown: str) -> None:
    assert formatting.brief(text) == shown


@pytest.mark.parametrize(("value", "text"), [(1, "1 day"), (2, "2 days"), (12.54, "12.5 days"), (0, "0 days"), (None, formatting.DASH)])
def test_days_are_counted_in_words(value: float | None, text: str) -> None:
    assert formatting.days(value) == text
