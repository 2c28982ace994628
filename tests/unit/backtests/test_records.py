"""Records: their hash, their packing, and the tables that people read."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apps.backtests.domain.packing import ROWS_IN_PART, pack, pack_returns, parts, unpack, unpack_returns
from apps.backtests.domain.records import Int64Array, RunRecords, no_rows
from apps.backtests.domain.tables import Books, Column, ColumnKind, entry_columns, fill_columns, order_columns, rows_of
from apps.core.errors import InvalidInput, OutOfBounds
from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as engine
from apps.portfolio.domain import ledger_codes as ledger
from tests.factories.windows import make_spec

BOOKS = Books([make_spec("ONE"), make_spec("TWO", price_scale=2)], 8, "USD")


def records(**changes: Any) -> RunRecords:
    given: dict[str, Any] = {
        "places": (make_spec(),),
        "orders": no_rows(engine.BOOK_COLUMNS),
        "fills": no_rows(engine.FILL_COLUMNS),
        "trades": no_rows(ledger.TRADE_COLUMNS),
        "entries": no_rows(ledger.ENTRY_COLUMNS),
        "equity_at": np.array([1, 2], np.int64),
        "equity": np.array([10, 11], np.int64),
        "cash_scale": 2,
        "currency": "USD",
        "opening_cash": 10,
    }
    return RunRecords(**given | changes)


def fill_rows(count: int) -> Int64Array:
    return np.arange(count * engine.FILL_COLUMNS, dtype=np.int64).reshape(count, engine.FILL_COLUMNS)


def test_the_hash_changes_with_what_a_fill_is_and_with_nothing_else() -> None:
    plain = records(fills=fill_rows(3)).fills_hash()
    assert plain == records(fills=fill_rows(3), equity=np.array([1, 2], np.int64)).fills_hash()
    hashed = {engine.F_ORDER, engine.F_PLACE, engine.F_AT, engine.F_SIDE, engine.F_LOTS, engine.F_PRICE, engine.F_FEE, engine.F_REASON}
    for column in range(engine.FILL_COLUMNS):
        changed = fill_rows(3)
        changed[1, column] += 1
        assert (records(fills=changed).fills_hash() != plain) is (column in hashed), column
    assert records(fills=fill_rows(2)).fills_hash() != plain
    assert records().final_equity == Decimal("0.11")


@pytest.mark.parametrize(
    "changes",
    [
        {"fills": np.zeros((1, 3), np.int64)},
        {"trades": np.zeros((1, ledger.TRADE_COLUMNS), np.float64)},
        {"equity": np.array([1], np.int64)},
        {"exposure": np.array([1], np.int64)},
        {"equity_at": np.array([1.0, 2.0])},
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        records(**changes)


@given(arrays(np.int64, st.tuples(st.integers(0, 40), st.integers(1, 5)), elements=st.integers(-(2**62), 2**62)))
def test_packed_records_come_back_to_the_unit(table: Int64Array) -> None:
    assert np.array_equal(unpack(pack(table)), table)


def test_parts_cover_the_table_once() -> None:
    table = np.arange(2 * (ROWS_IN_PART + 5), dtype=np.int64).reshape(-1, 2)
    cut = list(parts(table))
    assert [first for first, _ in cut] == [0, ROWS_IN_PART]
    assert np.array_equal(np.concatenate([part for _, part in cut]), table)
    returns = np.array([0.01, -0.02, 0.0])
    assert np.allclose(unpack_returns(pack_returns(returns)), returns, atol=1e-9)


def test_fills_read_in_words_and_exact_numbers_on_one_grid() -> None:
    rows = np.zeros((2, engine.FILL_COLUMNS), np.int64)
    rows[0, [engine.F_PLACE, engine.F_SIDE, engine.F_LOTS, engine.F_PRICE, engine.F_FEE]] = [0, engine.BUY, 5, 1_250_000, 123]
    rows[1, [engine.F_PLACE, engine.F_SIDE, engine.F_LOTS, engine.F_PRICE, engine.F_REASON]] = [
        1,
        engine.SELL,
        7,
        125,
        engine.Reason.STOP_GAPPED,
    ]
    first, second = rows_of(fill_columns(rows, BOOKS, first=10))
    assert (first["number"], first["symbol"], first["side"], first["quantity"], first["price"]) == (10, "ONE", "BUY", 5, Decimal("1.25"))
    assert first["fee"] == Decimal("0.00000123") and first["reference_price"] is None
    assert (second["symbol"], second["side"], second["price"], second["reason"]) == ("TWO", "SELL", Decimal("1.25"), "STOP_GAPPED")


def test_orders_say_nothing_where_there_is_nothing() -> None:
    rows = np.zeros((1, engine.BOOK_COLUMNS), np.int64)
    rows[0, [engine.O_SIDE, engine.O_PARENT, engine.O_FLAGS]] = [engine.BUY, engine.NO_ROW, engine.REDUCE_ONLY]
    (order,) = rows_of(order_columns(rows, BOOKS))
    assert order["limit_price"] is order["stop_price"] is order["parent"] is order["expires_at"] is None
    assert order["reduce_only"] is True and order["post_only"] is False


def test_entries_are_in_money_or_in_quantities() -> None:
    spec: InstrumentSpec = make_spec("ONE")
    rows = np.array([[0, ledger.LedgerColumn.CASH, 0, -250], [0, ledger.LedgerColumn.HOLDINGS, 1, 3]], np.int64)
    cash, held = rows_of(entry_columns(rows, Books([spec], 2, "USD")))
    assert (cash["account"], cash["asset"], cash["amount"]) == ("CASH", "USD", Decimal("-2.5"))
    assert (held["account"], held["asset"], held["amount"]) == ("HOLDINGS", "ONE", Decimal(3))


def test_much_money_beside_whole_lots_is_told_to_the_unit() -> None:
    spec: InstrumentSpec = make_spec("ONE")
    coarse = replace(spec, lot_size=Decimal("0.01"), min_quantity=Decimal("0.01"))
    rows = np.array([[0, ledger.LedgerColumn.CASH, 0, -(10**16) - 1], [0, ledger.LedgerColumn.HOLDINGS, 1, 7_522]], np.int64)
    cash, held = rows_of(entry_columns(rows, Books([coarse], 8, "USD")))
    assert (cash["amount"], held["amount"]) == (Decimal("-100000000.00000001"), Decimal("75.22"))
    with pytest.raises(OutOfBounds):
        entry_columns(np.array([[0, ledger.LedgerColumn.HOLDINGS, 1, 2**61]], np.int64), Books([coarse], 8, "USD"))


@given(st.integers(-(2**60), 2**60), st.integers(0, 12))
def test_decimal_text_is_the_exact_number(units: int, scale: int) -> None:
    column = Column("amount", ColumnKind.DECIMAL, np.array([units], np.int64), scale)
    (text,) = column.text()
    assert Decimal(text) == column.python()[0] == Decimal(units).scaleb(-scale)
    assert "E" not in text and not (text.endswith("0") and "." in text)
