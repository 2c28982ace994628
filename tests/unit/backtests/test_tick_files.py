"""A file of ticks is the tape that it was written from, or it is refused by row and column."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from apps.backtests.adapters.tick_file import read_ticks
from apps.backtests.domain.event_ticks import simulate_event_ticks
from apps.backtests.domain.tick_config import TimeUnit
from apps.backtests.domain.ticks import Tape, TickKind, tape_columns
from apps.backtests.management.tick_arguments import TICKS_HELP
from apps.core.errors import NotFound, TradingError
from apps.orders.domain.profiles import IDEAL
from apps.strategies.library.quote_maker import QuoteMaker, QuoteMakerParameters
from tests.unit.backtests.seeds import fresh_generator
from tests.unit.backtests.tick_files import random_tape, rows_of, tape_of_file, write_csv, write_parquet

Rows = list[dict[str, str]]


@pytest.mark.parametrize("unit", list(TimeUnit))
def test_a_file_gives_back_its_tape_whatever_its_times_are_written_in(tmp_path: Path, unit: TimeUnit) -> None:
    tape = random_tape(fresh_generator(), 300)
    if unit is TimeUnit.SECONDS:
        tape = Tape(tape.at // 1_000_000 * 1_000_000, tape.kind, tape.row, tape.quotes, tape.trades, tape.depth)
    path = write_csv(tmp_path / "ticks.csv", rows_of(tape, unit))
    assert read_ticks(path).time_unit is unit
    _, found = tape_of_file(path)
    assert [column.tolist() for column in tape_columns(found)] == [column.tolist() for column in tape_columns(tape)]


def test_csv_and_parquet_make_the_fills_of_the_arrays(tmp_path: Path) -> None:
    tape = random_tape(fresh_generator(), 3_000, kinds=(TickKind.QUOTE, TickKind.QUOTE, TickKind.TRADE))
    rows = rows_of(tape)
    spec, from_csv = tape_of_file(write_csv(tmp_path / "ticks.csv", rows))
    _, from_parquet = tape_of_file(write_parquet(tmp_path / "ticks.parquet", rows))
    fills = []
    for one in (tape, from_csv, from_parquet):
        maker = QuoteMaker(QuoteMakerParameters(quantity=3.0))
        fills.append(simulate_event_ticks(maker, spec, IDEAL, one, cash=Decimal(1_000_000)).fills.tolist())
    assert fills[0] == fills[1] == fills[2] != []


def test_a_column_that_is_filled_late_is_read_as_numbers(tmp_path: Path) -> None:
    """A reader that guesses types from the first rows would take the prices of trades for nothing."""
    rows = [
        {"time": str(1_704_186_000_000 + n), "bid": "99.99", "ask": "100.01", "price": "", "size": "", "side": ""} for n in range(60_000)
    ]
    rows.append({"time": "1704186090000", "price": "100.01", "size": "5", "side": "SELL"})
    _, tape = tape_of_file(write_csv(tmp_path / "ticks.csv", rows))
    assert (tape.count(TickKind.QUOTE), tape.trades.price.tolist(), tape.trades.side) == (60_000, [10_001], np.array([-1]))


def test_the_unit_of_lots_and_prices_is_found_out(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "ticks.csv", rows_of(random_tape(fresh_generator(), 50)))
    spec, _ = tape_of_file(path, lot=None, price_scale=None)
    assert (spec.price_scale, spec.tick_size, spec.lot_size, spec.quote_asset) == (2, Decimal("0.01"), Decimal("1E-8"), "USD")


def good_rows() -> Rows:
    """Quotes, trades and snapshots in turn; row 5 (the sixth) is a quote, 6 a trade, 7 a snapshot."""
    rows: Rows = []
    for number in range(12):
        cells: dict[str, str] = {"time": str(1_704_186_000_000 + 10 * number)}
        if number % 3 == 2:
            cells |= {"bid": "99.99", "ask": "100.01", "bid_size": "4", "ask_size": "5"}
        elif number % 3 == 0:
            cells |= {"price": "100.01", "size": "2", "side": "buy"}
        else:
            for level in (1, 2):
                cells |= {f"bid_{level}": f"{100 - level / 100:.2f}", f"bid_size_{level}": "3"}
                cells |= {f"ask_{level}": f"{100 + level / 100:.2f}", f"ask_size_{level}": "3"}
        rows.append(cells)
    return rows


def cell(row: int, **cells: str) -> Callable[[Rows], Rows]:
    return lambda rows: [cells_of | cells if number == row else cells_of for number, cells_of in enumerate(rows)]


def without(name: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{key: value for key, value in row.items() if key != name} for row in rows]


@pytest.mark.parametrize(
    ("spoil", "where", "told"),
    [
        (cell(5, time="1704186000000"), "row 6, column time", "before that of the row in front"),
        (cell(5, time=""), "row 6, column time", "no time"),
        (cell(5, time="yesterday"), "row 6, column time", "'yesterday'"),
        (cell(11, time="1704186000110000"), "row 12, column time", "is not between 1970 and 2100"),
        (cell(5, bid="nan"), "row 6, column bid", "without bid"),
        (cell(5, ask=""), "row 6, column ask", "without ask"),
        (cell(5, ask="inf"), "row 6, column ask", "infinite"),
        (cell(5, bid="abc"), "row 6, column bid", "'abc', which is no number"),
        (cell(5, bid="0"), "row 6, column bid", "bid is 0"),
        (cell(5, bid="-3"), "row 6, column bid", "bid is -3"),
        (cell(5, bid="100.02"), "row 6, column bid", "bid 100.02 is above its ask"),
        (cell(5, bid="99.995"), "row 6, column bid", "2 decimal places do not hold"),
        (cell(5, bid="1e300", ask="1e301"), "row 6, column bid", "too large"),
        (cell(5, bid_size="-1"), "row 6, column bid_size", "sizes are not negative"),
        (cell(5, bid_size="1e30"), "row 6, column bid_size", "too large to be counted in lots"),
        (cell(5, bid_size="2.5"), "row 6, column bid_size", "no whole number of lots"),
        (cell(5, bid="", ask="", bid_size="", ask_size=""), "row 6, column", "neither a quote nor a trade nor depth"),
        (cell(5, price="100", size="1"), "row 6, column price", "more than one of quote, trade and depth"),
        (cell(6, price="0"), "row 7, column price", "price is 0"),
        (cell(6, price=""), "row 7, column price", "without price"),
        (cell(6, size="0"), "row 7, column size", "size 0"),
        (cell(6, side="maker"), "row 7, column side", "'maker'"),
        (cell(7, bid_2="99.975"), "row 8, column bid_2", "2 decimal places"),
        (cell(7, bid_2="99.99"), "row 8, column bid_2", "no worse than the level before"),
        (cell(7, ask_1=""), "row 8, column ask_1", "without ask_1"),
        (cell(7, ask_2=""), "row 8, column ask_2", "a size and no price"),
        (cell(7, ask_size_2=""), "row 8, column ask_size_2", "a price and no size"),
        (cell(7, bid_1="100.02", bid_2="100.01"), "row 8, column bid_1", "above ask_1"),
        (without("ask"), "columns", "no column ask"),
        (without("time"), "columns", "no column time"),
        (without("bid_size_2"), "columns", "no column bid_size_2"),
        (cell(5, venue="XNAS"), "columns", "not known: venue"),
        (lambda rows: [{"time": "", "bid": "", "ask": ""}][:0], "ticks", "empty"),
    ],
)
def test_what_cannot_be_traded_on_is_refused_by_row_and_column(
    tmp_path: Path, spoil: Callable[[Rows], Rows], where: str, told: str
) -> None:
    rows = spoil(good_rows())
    path = write_csv(tmp_path / "ticks.csv", rows)
    if not rows:
        path.write_text("")
    with pytest.raises(TradingError) as caught:
        tape_of_file(path)
    assert where in caught.value.where and told in caught.value.message, str(caught.value)
    assert "ticks.csv" in caught.value.message and caught.value.hint


def test_the_first_wrong_row_is_named_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    rows = cell(8, bid="0")(cell(6, size="0")(cell(9, price="-1")(good_rows())))
    with pytest.raises(TradingError, match="Row 7"):
        tape_of_file(write_csv(tmp_path / "ticks.csv", rows))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tick": Decimal("0.02")}, "no step of 0.02"),
        ({"price_scale": 9}, "0 to 8 decimal places"),
        ({"lot": Decimal(7)}, "no whole number of lots of 7"),
    ],
)
def test_steps_that_the_file_does_not_keep_are_told(tmp_path: Path, options: dict[str, object], told: str) -> None:
    with pytest.raises(TradingError) as caught:
        tape_of_file(write_csv(tmp_path / "ticks.csv", good_rows()), **options)
    assert told in caught.value.message


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_ticks(tmp_path / "nothing.csv")
    for name, content, told in (("a.parquet", b"no parquet", "cannot be read as parquet"), ("a.bin", b"x", "does not say what kind")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TradingError, match=told):
            read_ticks(tmp_path / name)
    (tmp_path / "head.csv").write_text("time,bid,ask\n")
    with pytest.raises(TradingError, match="has no rows"):
        tape_of_file(tmp_path / "head.csv")


def test_the_examples_that_users_read_are_files_of_ticks(tmp_path: Path) -> None:
    readme = Path("README.md").read_text().partition("### Ticks")[2]
    examples = {"readme": readme.split("```")[1].strip(), "help": TICKS_HELP[TICKS_HELP.index("  time,") :].rpartition("buy")[0] + "buy"}
    for name, text in examples.items():
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(line.strip() for line in text.splitlines()) + "\n")
        _, tape = tape_of_file(path)
        assert tape.kind.tolist() == [TickKind.QUOTE, TickKind.TRADE, TickKind.DEPTH][: len(tape)]
        assert read_ticks(path).time_unit is TimeUnit.MILLISECONDS and len(tape) == (3 if name == "readme" else 2)
