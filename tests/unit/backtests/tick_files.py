"""Tapes as files, and files as tapes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from apps.backtests.adapters.tick_file import read_ticks
from apps.backtests.domain.event_run import QuoteColumns
from apps.backtests.domain.tick_config import TickFile, TimeUnit
from apps.backtests.domain.tick_units import tape_of_table
from apps.backtests.domain.ticks import DepthColumns, Tape, TickKind, TradeColumns
from apps.core.values import InstrumentSpec
from apps.orders.domain.engine_codes import L_ASK, L_ASK_LOTS, L_BID, L_BID_LOTS, SHOWN_COLUMNS

START = 1_704_186_000_000_000
PER_UNIT = {TimeUnit.SECONDS: 1_000_000, TimeUnit.MILLISECONDS: 1_000, TimeUnit.MICROSECONDS: 1}
LEVELS = 3


def random_tape(random: np.random.Generator, count: int, *, kinds: tuple[TickKind, ...] = tuple(TickKind)) -> Tape:
    """A walk of prices in cents with whole sizes; a millisecond at least between moments, some of which have several events."""
    at = START + np.cumsum(random.integers(0, 400, count)) * 1_000
    kind = random.choice([int(one) for one in kinds], count).astype(np.int64)
    middle = 10_000 + np.cumsum(random.integers(-2, 3, count))
    bid, ask = middle - random.integers(1, 4, count), middle + random.integers(1, 4, count)
    sizes = random.integers(1, 50, (count, 2 * LEVELS))
    shown = np.zeros((count, LEVELS, SHOWN_COLUMNS), np.int64)
    for level in range(LEVELS):
        shown[:, level, L_BID], shown[:, level, L_BID_LOTS] = bid - level, sizes[:, level]
        shown[:, level, L_ASK], shown[:, level, L_ASK_LOTS] = ask + level, sizes[:, LEVELS + level]
    is_known = random.random(count) < 0.8
    rows = {one: kind == one for one in TickKind}
    quoted, traded, deep = rows[TickKind.QUOTE], rows[TickKind.TRADE], rows[TickKind.DEPTH]
    row = np.zeros(count, np.int64)
    for chosen in rows.values():
        row[chosen] = np.arange(chosen.sum())
    lots = [np.where(is_known, sizes[:, column], -1)[quoted] for column in (0, 1)]
    return Tape(
        at, kind, row, QuoteColumns(at[quoted], bid[quoted], ask[quoted], *lots),
        TradeColumns(at[traded], middle[traded], sizes[traded, 2], random.integers(-1, 2, count)[traded]), DepthColumns(at[deep], shown[deep]),
    )  # fmt: skip


def rows_of(tape: Tape, unit: TimeUnit = TimeUnit.MILLISECONDS) -> list[dict[str, str]]:
    """The events as cells of text; prices are cents, lots whole units."""
    rows = []
    for at, kind, row in zip(tape.at.tolist(), tape.kind.tolist(), tape.row.tolist(), strict=True):
        cells = {"time": str(np.datetime64(at, "us")) + "Z" if unit is TimeUnit.ISO else _number(at, unit)}
        if kind == TickKind.QUOTE:
            quotes = tape.quotes
            cells |= {"bid": _price(quotes.bid[row]), "ask": _price(quotes.ask[row])}
            cells |= {"bid_size": _size(quotes.bid_lots[row]), "ask_size": _size(quotes.ask_lots[row])}
        elif kind == TickKind.TRADE:
            side = 0 if tape.trades.side is None else int(tape.trades.side[row])
            cells |= {"price": _price(tape.trades.price[row]), "size": _size(tape.trades.lots[row]), "side": ("", "buy", "sell")[side]}
        else:
            for level, shown in enumerate(tape.depth.levels[row].tolist(), start=1):
                for name, column, text in (
                    ("bid", L_BID, _price),
                    ("bid_size", L_BID_LOTS, _size),
                    ("ask", L_ASK, _price),
                    ("ask_size", L_ASK_LOTS, _size),
                ):
                    cells[f"{name}_{level}"] = text(shown[column])
        rows.append(cells)
    return rows


def _number(at: int, unit: TimeUnit) -> str:
    return str(at * 1_000) if unit is TimeUnit.NANOSECONDS else str(at // PER_UNIT[unit])


def _price(units: int) -> str:
    return f"{int(units) / 100:.2f}"


def _size(lots: int) -> str:
    return "" if lots < 0 else str(int(lots))


def names_of(rows: list[dict[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    names = names_of(rows)
    lines = [",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_parquet(path: Path, rows: list[dict[str, str]]) -> Path:
    columns = {}
    for name in names_of(rows):
        texts = [row.get(name, "") or None for row in rows]
        if name == "side":
            columns[name] = pa.array(texts, pa.string())
        elif name == "time":
            columns[name] = pa.array([int(text or 0) for text in texts], pa.int64())
        else:
            columns[name] = pa.array([None if text is None else float(text) for text in texts], pa.float64())
    pq.write_table(pa.table(columns), path)
    return path


def tape_of_file(path: Path, **options: object) -> tuple[InstrumentSpec, Tape]:
    """As a run loads it, with lots of one."""
    file = TickFile(path=str(path), symbol="X/USD", **{"lot": Decimal(1), "price_scale": 2} | options)  # type: ignore[arg-type]
    return tape_of_table(read_ticks(path, time_unit=file.time_unit), file)
