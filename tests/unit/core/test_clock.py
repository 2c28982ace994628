"""Clocks give aware UTC and refuse anything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.clock import FixedClock, WallClock, require_utc
from apps.core.errors import InvalidInput

AT = datetime(2008, 9, 15, 20, tzinfo=UTC)


def test_the_wall_clock_is_aware_and_close_to_now() -> None:
    now = WallClock().now()
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_a_fixed_clock_stands_still_until_told() -> None:
    clock = FixedClock(AT)
    assert clock.now() == clock.now() == AT
    clock.set(AT + timedelta(days=1))
    assert clock.now() == AT + timedelta(days=1)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)), st.integers(-23, 23))
def test_any_zone_becomes_the_same_moment_in_utc(local: datetime, hours: int) -> None:
    at = local.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert require_utc(at) == at
    assert require_utc(at).utcoffset() == timedelta(0)


def test_a_naive_time_is_refused_everywhere() -> None:
    naive = datetime(2008, 9, 15)
    for use in (lambda: require_utc(naive), lambda: FixedClock(naive), lambda: FixedClock(AT).set(naive)):
        with pytest.raises(InvalidInput, match="no time zone"):
            use()
