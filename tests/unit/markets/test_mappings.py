"""From what sources give to our series and listings."""

from __future__ import annotations

import csv
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest

from apps.core.errors import InexactValue, InvalidInput, Misconfigured, NotFound
from apps.core.ids import uuid7
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.adapters import open_source
from apps.markets.adapters.bundled import client, mapping
from apps.markets.adapters.ccxt import mapping as ccxt_mapping
from apps.markets.adapters.files import mapping as files_mapping
from apps.markets.contracts import BarFlag
from apps.markets.domain.bars import from_micros, price_units, to_micros
from apps.markets.ports import Listing

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def spec_of(listing: Listing) -> InstrumentSpec:
    return InstrumentSpec(
        id=uuid7(), venue_id=uuid7(), symbol=listing.symbol, base_asset=listing.base_asset, quote_asset=listing.quote_asset,
        price_scale=listing.price_scale, volume_scale=listing.volume_scale, cash_scale=listing.cash_scale, tick_size=listing.tick_size,
        lot_size=listing.lot_size, min_quantity=listing.min_quantity, min_notional=listing.min_notional, max_price=listing.max_price,
        max_quantity=listing.max_quantity,
    )  # fmt: skip


def test_an_index_price_is_the_decimal_that_its_float32_was_printed_from() -> None:
    exact = mapping.from_single_precision(np.array([1229.22998, 1248.810059, 2506.850098, 0.1]), 2)
    assert exact.tolist() == [1229.23, 1248.81, 2506.85, 0.1]
    assert price_units(exact, 4).tolist() == [12_292_300, 12_488_100, 25_068_500, 1000]
    with pytest.raises(InexactValue):
        mapping.from_single_precision(np.array([1229.225]), 2)


def test_the_bundled_history_is_what_it_says() -> None:
    source = open_source("bundled", {})
    listings = {listing.symbol: listing for listing in source.listings()}
    assert len(listings) == 22
    for listing in listings.values():
        spec_of(listing).check_bounds()
    assert listings["SP500"].name == "S&P 500 index"
    assert listings["NASDAQ"].name == "NASDAQ Composite index"
    assert not listings["SP500"].is_closes_only
    assert listings["KO"].is_closes_only
    assert listings["KO"].is_adjusted
    assert "closes only" in listings["KO"].source_label
    index = source.bars("SP500", Timeframe.D1, since=None, until=None)
    assert (from_micros(index.closed_at[0]), from_micros(index.closed_at[-1])) == (
        datetime(1999, 1, 4, 21, tzinfo=UTC), datetime(2018, 12, 31, 21, tzinfo=UTC),
    )  # fmt: skip
    assert (len(index), index.close[-1], index.volume[-1]) == (5031, 2506.85, 3_442_870_000)
    stock = source.bars("AAPL", Timeframe.D1, since=None, until=None)
    assert (len(stock), stock.close[0], stock.close[-1]) == (8313, 0.264, 125.674)
    assert set(stock.flags.tolist()) == {BarFlag.CLOSES_ONLY}
    assert stock.open.tolist() == stock.high.tolist() == stock.low.tolist() == stock.close.tolist()


def test_every_bundled_price_is_exactly_the_text_of_its_file() -> None:
    table = client.read_table("STOCKS")
    source = open_source("bundled", {})
    for listing in source.listings()[2:]:
        units = price_units(source.bars(listing.symbol, Timeframe.D1, since=None, until=None).close, listing.price_scale)
        column = table.header.index(listing.symbol)
        assert units.tolist() == [int(Decimal(row[column]).scaleb(listing.price_scale)) for row in table.rows]


def test_a_span_of_the_bundled_history() -> None:
    bars = open_source("bundled", {}).bars(
        "SP500", Timeframe.D1, since=datetime(2003, 7, 2, tzinfo=UTC), until=datetime(2003, 7, 3, 17, tzinfo=UTC)
    )
    assert [from_micros(item) for item in bars.closed_at] == [datetime(2003, 7, 2, 20, tzinfo=UTC), datetime(2003, 7, 3, 17, tzinfo=UTC)]


def test_what_the_bundled_history_lacks_is_said() -> None:
    source = open_source("bundled", {})
    with pytest.raises(NotFound):
        source.bars("DOGE", Timeframe.D1, since=None, until=None)
    with pytest.raises(InvalidInput, match="daily"):
        source.bars("SP500", Timeframe.M1, since=None, until=None)
    with pytest.raises(NotFound, match="bundled"):
        open_source("nowhere", {})


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FILES", {"SP500": ("no_such_package_here", "x.csv.gz")})
    with pytest.raises(Misconfigured, match="no_such_package_here"):
        client.read_table("SP500")


def bar_table(dates: list[Any]) -> pa.Table:
    count = len(dates)
    return pa.table({
        "date": dates, "open": [1.5] * count, "high": [2.0] * count, "low": [1.25] * count, "close": [1.75] * count, "volume": [10.5] * count,
    })  # fmt: skip


@pytest.mark.parametrize(
    "dates",
    [
        [NOON],
        ["2024-03-01 12:00:00"],
        ["2024-03-01T12:00:00Z"],
        ["2024-03-01 12:00:00+00:00"],
        [int(NOON.timestamp())],
        [int(NOON.timestamp()) * 1000],
        [int(NOON.timestamp()) * 1_000_000],
        [int(NOON.timestamp()) * 1_000_000_000],
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet", "feather"])
def test_files_of_every_format_and_way_to_write_a_time(tmp_path: Path, dates: list[Any], suffix: str) -> None:
    table = bar_table(dates)
    path = tmp_path / f"bars.{suffix}"
    if suffix == "parquet":
        pyarrow.parquet.write_table(table, path)
    elif suffix == "feather":
        pyarrow.feather.write_feather(table, str(path))
    else:
        with pa.output_stream(str(path)) as stream:
            pyarrow.csv.write_csv(table, stream)
    source = open_source("files", {"path": str(path), "symbol": "BTC/USDT", "timeframe": "1h"})
    bars = source.bars("BTC/USDT", Timeframe.H1, since=None, until=None)
    assert bars.opened_at.tolist() == [to_micros(NOON)]
    assert bars.closed_at.tolist() == [to_micros(NOON) + 3_600_000_000]
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0]) == (1.5, 2.0, 1.25, 1.75, 10.5)
    (listing,) = source.listings()
    assert (listing.base_asset, listing.quote_asset, listing.price_scale, listing.tick_size) == ("BTC", "USDT", 2, Decimal("0.01"))
    spec_of(listing).check_bounds()


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("us", tz="UTC"), pa.timestamp("ms"), pa.int64()])
def test_columns_of_a_file_can_be_written_as_compiled_kernels_want(kind: pa.DataType) -> None:
    moments = pa.chunked_array([pa.array([1_700_000_000_000_000, 1_700_000_060_000_000], pa.timestamp("us"))])
    assert files_mapping.times(moments.cast(pa.int64() if kind == pa.int64() else kind)).flags.writeable
    assert files_mapping.numbers(pa.chunked_array([pa.array([1.0, 2.0])])).flags.writeable


def test_daily_files_of_an_exchange_follow_its_sessions(tmp_path: Path) -> None:
    path = tmp_path / "spy.csv"
    path.write_text("date,open,high,low,close,volume\n2003-07-02,1,2,1,2,5\n2003-07-03,1,2,1,2,5\n")
    bars = open_source("files", {"path": str(path), "symbol": "SPY", "timeframe": "1d", "calendar": "XNYS"}).bars(
        "SPY", Timeframe.D1, since=None, until=None
    )
    assert [from_micros(item).hour for item in bars.closed_at] == [20, 17]
    path.write_text("date,open,high,low,close,volume\n2003-07-04,1,2,1,2,5\n")
    with pytest.raises(InvalidInput, match="2003-07-04"):
        open_source("files", {"path": str(path), "symbol": "SPY", "timeframe": "1d", "calendar": "XNYS"}).listings()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "date,open,high,low,close\n2020-01-01,1,1,1,1\n", "no column volume"),
        ("a.csv", "date,open,high,low,close,volume\nyesterday,1,1,1,1,1\n", "date"),
        ("a.parquet", "this is not parquet", "cannot be read as parquet"),
        ("a.xls", "", "what kind of file"),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidInput, match=message):
        open_source("files", {"path": str(tmp_path / name), "symbol": "A", "timeframe": "1d"}).listings()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.csv"):
        open_source("files", {"path": str(tmp_path / "gone.csv"), "symbol": "A", "timeframe": "1d"}).listings()


def write_lean(path: Path, rows: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.with_suffix(".csv")
    with text.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(text, text.name)
    text.unlink()


def test_lean_daily_equity_bars(tmp_path: Path) -> None:
    write_lean(tmp_path / "equity/usa/daily/spy.zip", [["20030702 00:00", "983700", "995000", "980100", "993750", "384500"]])
    bars = open_source("lean", {"path": str(tmp_path), "symbol": "SPY", "timeframe": "1d"}).bars(
        "SPY", Timeframe.D1, since=None, until=None
    )
    assert (from_micros(bars.opened_at[0]), from_micros(bars.closed_at[0])) == (
        datetime(2003, 7, 2, 13, 30, tzinfo=UTC), datetime(2003, 7, 2, 20, tzinfo=UTC),
    )  # fmt: skip
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0]) == (98.37, 99.5, 98.01, 99.375, 384_500)


def test_lean_minute_equity_bars_are_in_exchange_time_over_several_files(tmp_path: Path) -> None:
    row = ["34200000", "1000000", "1010000", "990000", "1005000", "700"]
    for day in ("20130308", "20130311"):
        write_lean(tmp_path / f"equity/usa/minute/spy/{day}_trade.zip", [row])
        write_lean(tmp_path / f"equity/usa/minute/spy/{day}_quote.zip", [["1"]])
    bars = open_source("lean", {"path": str(tmp_path), "symbol": "SPY", "timeframe": "1m"}).bars(
        "SPY", Timeframe.M1, since=None, until=None
    )
    assert [from_micros(item) for item in bars.opened_at] == [
        datetime(2013, 3, 8, 14, 30, tzinfo=UTC), datetime(2013, 3, 11, 13, 30, tzinfo=UTC),
    ]  # fmt: skip
    assert bars.open.tolist() == [100.0, 100.0]


def test_lean_crypto_bars_are_not_scaled(tmp_path: Path) -> None:
    write_lean(tmp_path / "crypto/coinbase/daily/btcusd_trade.zip", [["20180101 00:00", "13800.1", "14000", "13000", "13500.55", "12.5"]])
    source = open_source(
        "lean", {"path": str(tmp_path), "symbol": "BTC/USD", "timeframe": "1d", "security_type": "crypto", "market": "coinbase"}
    )
    bars = source.bars("BTC/USD", Timeframe.D1, since=None, until=None)
    assert (from_micros(bars.opened_at[0]), bars.close[0], bars.volume[0]) == (datetime(2018, 1, 1, tzinfo=UTC), 13500.55, 12.5)
    assert source.listings()[0].asset_class == "crypto"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"symbol": "SPY", "timeframe": "1d"}, NotFound),
        ({"symbol": "SPY", "timeframe": "5m"}, InvalidInput),
        ({"symbol": "EURUSD", "timeframe": "1d", "security_type": "forex"}, InvalidInput),
    ],
)
def test_lean_data_that_is_not_there_or_not_tradable(tmp_path: Path, options: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        open_source("lean", {"path": str(tmp_path), **options}).listings()


MARKET = {
    "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "precision": {"price": 0.01, "amount": 1e-05},
    "limits": {"price": {"min": 0.01, "max": 1e6}, "amount": {"min": 1e-05, "max": 9000.0}, "cost": {"min": 5.0}},
}  # fmt: skip


def test_an_exchange_market_becomes_a_listing_on_its_grid() -> None:
    listing = ccxt_mapping.listing(MARKET, exchange="binance", precision_mode=ccxt_mapping.TICK_SIZE)
    assert (listing.tick_size, listing.lot_size, listing.price_scale, listing.cash_scale) == (Decimal("0.01"), Decimal("0.00001"), 2, 8)
    assert (listing.min_quantity, listing.min_notional, listing.max_quantity) == (Decimal("0.00001"), Decimal(5), Decimal(9000))
    spec_of(listing).check_bounds()


@pytest.mark.parametrize(
    ("precision", "mode"),
    [
        ({"price": 1e-8, "amount": 1.0}, 4),
        ({"price": 1e-10, "amount": 0.001}, 4),
        ({"price": 0.5, "amount": 1e-8}, 4),
        ({"price": 1e-6, "amount": 1e-8}, 4),
        ({"price": 5, "amount": 8}, 2),
        ({"price": 5, "amount": None}, 3),
        ({"price": None, "amount": None}, 4),
    ],
)
def test_listings_of_every_precision_stay_within_exact_arithmetic(precision: dict[str, float | None], mode: int) -> None:
    listing = ccxt_mapping.listing({**MARKET, "precision": precision, "limits": {}}, exchange="x", precision_mode=mode)
    assert listing.max_quantity > 0
    assert listing.cash_scale <= ccxt_mapping.MOST_CASH_PLACES
    spec_of(listing).check_bounds()


def test_candles_of_an_exchange_with_a_missing_value() -> None:
    bars = ccxt_mapping.raw_bars([[1_700_000_000_000, 1.0, 2.0, 0.5, None, 3.0]], Timeframe.M1)
    assert bars.opened_at.tolist() == [1_700_000_000_000_000]
    assert bars.closed_at.tolist() == [1_700_000_060_000_000]
    assert np.isnan(bars.close[0])
    assert len(ccxt_mapping.raw_bars([], Timeframe.M1)) == 0
