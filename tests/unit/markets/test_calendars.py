"""Sessions of exchanges, kept between processes."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from apps.core.errors import NotFound
from apps.core.vocabulary import Timeframe
from apps.markets.adapters import calendars
from apps.markets.adapters.calendars import expected_bars, sessions


def micros(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


def session_on(day: str) -> tuple[int, int]:
    found = sessions("XNYS", 1990, 2022)
    place = int(np.searchsorted(found.days, np.datetime64(day, "D").astype(np.int64)))
    return int(found.opens[place]), int(found.closes[place])


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2003-01-02", "2003-01-02T14:30", "2003-01-02T21:00"),
        ("2003-07-02", "2003-07-02T13:30", "2003-07-02T20:00"),
        ("2007-03-12", "2007-03-12T13:30", "2007-03-12T20:00"),
        ("2003-07-03", "2003-07-03T13:30", "2003-07-03T17:00"),
        ("2018-12-24", "2018-12-24T14:30", "2018-12-24T18:00"),
    ],
)
def test_sessions_of_new_york_in_utc_with_early_closes(day: str, opens: str, closes: str) -> None:
    assert session_on(day) == (micros(opens), micros(closes))


def test_holidays_have_no_session() -> None:
    days = set(sessions("XNYS", 1990, 2022).days.tolist())
    for holiday in ("2001-09-11", "2004-06-11", "2012-10-29", "2021-12-24"):
        assert int(np.datetime64(holiday, "D").astype(np.int64)) not in days


def test_a_market_that_never_closes() -> None:
    found = sessions("24/7", 2020, 2020)
    assert len(found) == 366
    assert found.closes[:-1].tolist() == found.opens[1:].tolist()


def test_expected_bars_tile_the_sessions() -> None:
    opens, closes = expected_bars(
        "24/7", Timeframe.H4, since=datetime(2020, 1, 1, 2, tzinfo=UTC), until=datetime(2020, 1, 1, 21, tzinfo=UTC)
    )
    assert opens.tolist() == [micros(f"2020-01-01T{hour:02}:00") for hour in (4, 8, 12, 16)]
    assert closes.tolist() == [micros(f"2020-01-01T{hour:02}:00") for hour in (8, 12, 16, 20)]
    opens, closes = expected_bars("XNYS", Timeframe.H1, since=datetime(2018, 12, 24, tzinfo=UTC), until=datetime(2018, 12, 25, tzinfo=UTC))
    assert opens.tolist() == [micros(f"2018-12-24T{hour}:30") for hour in (14, 15, 16, 17)]
    assert closes.tolist() == [micros(f"2018-12-24T{text}") for text in ("15:30", "16:30", "17:30", "18:00")]


def test_an_unknown_calendar_is_named() -> None:
    with pytest.raises(NotFound, match="XYZZ"):
        sessions("XYZZ", 2020, 2020)


def test_sessions_are_kept_in_the_data_directory(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    sessions.cache_clear()
    first = sessions("XLON", 2019, 2019)
    files = list((tmp_path / "cache" / "calendars").iterdir())
    assert [file.name.startswith("XLON-2019-2019-") for file in files] == [True]
    sessions.cache_clear()
    monkeypatch.setattr(calendars, "_compute", lambda *_: pytest.fail("computed again"))
    again = sessions("XLON", 2019, 2019)
    sessions.cache_clear()
    assert again.opens.tolist() == first.opens.tolist()


def test_reading_the_bundled_history_loads_no_heavy_library() -> None:
    """With its calendar in the cache; a web process opens a replay when somebody jumps back."""
    code = (
        "import django, sys; django.setup();"
        "heavy = {'pandas', 'exchange_calendars', 'pyarrow', 'ccxt', 'arch', 'skfolio', 'numba'};"
        "before = heavy & set(sys.modules);"
        "from apps.markets import selectors, services; from apps.markets.adapters import open_source;"
        "from apps.core.vocabulary import Timeframe;"
        "open_source('bundled', {}).bars('SP500', Timeframe.D1, since=None, until=None);"
        "print(sorted(heavy & set(sys.modules) - before), 'ccxt' in before)"
    )
    session_on("2003-01-02")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[] False"
