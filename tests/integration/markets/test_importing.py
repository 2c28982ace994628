"""Importing bar files by the command."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.core.vocabulary import Timeframe
from apps.events.models import LoggedEvent
from apps.markets import selectors
from apps.markets.contracts import BarFlag, VenueKind
from tests.outside import CASES

pytestmark = pytest.mark.django_db(transaction=True)

needs_shared = pytest.mark.skipif(not CASES.is_dir(), reason="the outside judges' bars, shared/cases, are not beside this checkout")
HEADER = "date,open,high,low,close,volume\n"
ROWS = [f"2024-01-{day:02} 00:00:00,{day}.5,{day + 1}.25,{day}.125,{day + 1},{day}.75\n" for day in range(1, 21)]


def run(path: Path, *arguments: str) -> str:
    output = StringIO()
    call_command("import_candles", str(path), *arguments, stdout=output)
    return output.getvalue().strip()


def write(path: Path, rows: list[str]) -> Path:
    path.write_text(HEADER + "".join(rows))
    return path


def test_a_file_becomes_a_library_and_a_second_import_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", ROWS)
    arguments = ("--venue", "lib", "--symbol", "X/EUR")
    assert run(path, *arguments) == "X/EUR: 20 new bars, 0 corrected, 0 as they were, 0 quarantined."
    assert run(path, *arguments) == "X/EUR: 0 new bars, 0 corrected, 20 as they were, 0 quarantined."
    venue = selectors.venue_by_code("lib")
    assert (venue.kind, venue.now_at) == (VenueKind.LIBRARY, datetime(2024, 1, 21, tzinfo=UTC))
    assert selectors.active_venue() is None
    (spec,) = selectors.instruments(venue.id)
    assert (spec.base_asset, spec.quote_asset, spec.price_scale) == ("X", "EUR", 3)
    window = selectors.bars_between(spec, Timeframe.D1)
    assert [str(spec.price(unit)) for unit in window.low.tolist()[:2]] == ["1.125", "2.125"]
    assert LoggedEvent.objects.filter(event_type="market.history_loaded").count() == 2


def test_a_corrected_file_makes_revisions_known_now(tmp_path: Path) -> None:
    arguments = ("--venue", "lib", "--symbol", "X/EUR")
    run(write(tmp_path / "x.csv", ROWS), *arguments)
    changed = [*ROWS[:4], ROWS[4].replace(",6,", ",6.1,"), *ROWS[5:]]
    assert run(write(tmp_path / "x.csv", changed), *arguments).startswith("X/EUR: 0 new bars, 1 corrected, 19")
    (spec,) = selectors.instruments(selectors.venue_by_code("lib").id)
    assert selectors.bars_between(spec, Timeframe.D1).close.tolist()[4] == 6100
    assert selectors.bars_between(spec, Timeframe.D1, as_of=datetime(2024, 6, 1, tzinfo=UTC)).close.tolist()[4] == 6000


def test_bad_rows_are_quarantined_and_reported(tmp_path: Path) -> None:
    rows = [*ROWS[:5], ROWS[4], "2024-01-06,0,1,0,1,5\n", ROWS[2], *ROWS[6:]]
    assert run(write(tmp_path / "x.csv", rows), "--venue", "lib", "--symbol", "X/EUR").endswith(
        "19 new bars, 0 corrected, 0 as they were, 3 quarantined."
    )
    venue = selectors.venue_by_code("lib")
    assert sorted(bar.reason for bar in selectors.quarantined(venue.id)) == ["BACKWARDS", "DUPLICATE", "NOT_POSITIVE"]
    (spec,) = selectors.instruments(venue.id)
    assert selectors.quality_report(spec.id).missing_bars == 1


def test_gaps_are_filled_on_request_and_marked(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", [*ROWS[:5], *ROWS[8:]])
    assert run(path, "--venue", "lib", "--symbol", "X/EUR", "--fill-gaps").startswith("X/EUR: 20 new bars")
    (spec,) = selectors.instruments(selectors.venue_by_code("lib").id)
    window = selectors.bars_between(spec, Timeframe.D1)
    assert window.flags.tolist() == [0] * 5 + [BarFlag.FILLED_GAP] * 3 + [0] * 12
    assert window.close.tolist()[4:9] == [6000, 6000, 6000, 6000, 10000]
    report = selectors.quality_report(spec.id)
    assert (report.filled_bars, report.missing_bars) == (3, 0)


def test_refusals_are_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", ROWS)
    run(path, "--venue", "lib", "--symbol", "X/EUR")
    with pytest.raises(CommandError, match="a venue of its own for each timeframe"):
        run(path, "--venue", "lib", "--symbol", "X/EUR", "--timeframe", "1h")
    finer = [row.replace(".125", ".1255555") for row in ROWS]
    with pytest.raises(CommandError, match="3 decimal places"):
        run(write(tmp_path / "finer.csv", finer), "--venue", "lib", "--symbol", "X/EUR")
    with pytest.raises(CommandError, match="no file"):
        run(tmp_path / "gone.csv", "--venue", "lib", "--symbol", "X/EUR")


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "bars"),
    [
        ("LTC_BTC-5m.feather", "LTC/BTC", "5m", 5760),
        ("ETH_BTC-5m.feather", "ETH/BTC", "5m", 5760),
        ("btc-perp-1m-20211231-20220201.csv.gz", "BTC/USDT", "1m", 45031),
    ],
)
def test_freqtrade_and_exchange_files_are_imported_whole(name: str, symbol: str, timeframe: str, bars: int) -> None:
    done = run(CASES / "bars" / name, "--venue", "lib", "--symbol", symbol, "--timeframe", timeframe)
    assert done == f"{symbol}: {bars} new bars, 0 corrected, 0 as they were, 0 quarantined."


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize(
    ("arguments", "bars"),
    [
        (["--symbol", "SPY"], 5849),
        (["--symbol", "AIG"], 5849),
        (["--symbol", "USO"], 3910),
        (["--symbol", "SPY", "--timeframe", "1m"], 5786),
        (["--symbol", "BTC/USD", "--security-type", "crypto", "--market", "coinbase"], 1318),
    ],
)
def test_leans_data_folder_is_imported_whole(arguments: list[str], bars: int) -> None:
    """Reverse splits of AIG (20:1) and USO (8:1) are jumps that stay, so they are kept."""
    done = run(CASES / "lean" / "Data", "--venue", "lean", "--format", "lean", *arguments)
    assert done.endswith(f": {bars} new bars, 0 corrected, 0 as they were, 0 quarantined.")
