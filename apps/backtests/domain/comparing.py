"""A run beside the history that another program's backtest left: figures side by side, and the trades paired by where they began."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from apps.backtests.domain.imported_history import ImportedHistory
from apps.backtests.domain.tick_config import TICK
from apps.core.errors import InvalidInput
from apps.portfolio.domain.metrics import FIGURES
from apps.portfolio.domain.records import TradeRecords

COMPARED = ("trades", "win_rate", "total_return", "profit_factor", "max_drawdown", "average_trade_days", "sharpe")
MOST_ROWS = 1000
"""Rows of each list that are kept; counts and sums are of all."""
_Key = tuple[str, int, int]


@dataclass(frozen=True)
class Trade:
    """A round trip of either side; times in microseconds UTC, prices and what it `earned` after fees in the account's currency."""

    symbol: str
    side: int
    opened_at: int
    closed_at: int
    entry_price: float
    exit_price: float
    earned: float


@dataclass(frozen=True)
class Pair:
    """Two trades that began alike; differences are ours less theirs."""

    ours: Trade
    theirs: Trade

    @property
    def earned(self) -> float:
        """By how much ours earned more."""
        return self.ours.earned - self.theirs.earned


@dataclass(frozen=True)
class Ours:
    """Our side: every closed trade with the symbol of its instrument, figures by key, and the length of a bar in microseconds."""

    trades: TradeRecords
    symbols: tuple[str, ...]
    figures: Mapping[str, float | None]
    currency: str
    timeframe: str
    bar_us: int


def compare_history(ours: Ours, theirs: ImportedHistory) -> dict[str, Any]:
    """The comparison as it is stored. Raises InvalidInput where no instrument is traded by both.

    A fill of ours is stamped when its bar closed, one of freqtrade's when it opened: times are compared as they are and moved to the
    opening of the bar, and what pairs more trades counts.
    """
    mine, other = _listed(ours.trades, ours.symbols), _listed(theirs.trades, [_plain(symbol) for symbol in theirs.symbols])
    mine, other, notes = _same_instruments(mine, other)
    opened = [_at_opening(trade, ours.bar_us) for trade in mine]
    pairs, alone = max((_pair(mine, other), _pair(opened, other)), key=lambda found: len(found[0]))
    taken = {id(pair.theirs) for pair in pairs}
    rest = [trade for trade in other if id(trade) not in taken]
    return {
        "program": theirs.program,
        "strategy": theirs.strategy,
        "notes": [*notes, *_notes(ours, theirs)],
        "figures": list(_figures(ours, theirs)),
        "counts": {"paired": len(pairs), "only_ours": len(alone), "only_theirs": len(rest)},
        "differences": _differences(pairs),
        "pairs": [_row(pair) for pair in pairs[:MOST_ROWS]],
        "only_ours": [_alone(trade) for trade in alone[:MOST_ROWS]],
        "only_theirs": [_alone(trade) for trade in rest[:MOST_ROWS]],
    }


def _listed(trades: TradeRecords, symbols: Sequence[str]) -> list[Trade]:
    lots = np.where(trades.quantity > 0, trades.quantity, 1.0)
    columns = (trades.side, trades.opened_at, trades.closed_at, trades.entry_value / lots, trades.exit_value / lots, trades.results)
    return [Trade(*row) for row in zip(symbols, *(column.tolist() for column in columns), strict=True)]


def _plain(symbol: str) -> str:
    """A pair without what it is settled in: BTC/USDT:USDT is BTC/USDT."""
    return symbol.partition(":")[0]


def _same_instruments(mine: list[Trade], other: list[Trade]) -> tuple[list[Trade], list[Trade], list[str]]:
    """Trades of what both trade. One instrument on either side is the same one, whatever its name."""
    names, their_names = {trade.symbol for trade in mine}, {trade.symbol for trade in other}
    if not names or not their_names or names == their_names:
        return mine, other, []
    if len(names) == len(their_names) == 1:
        (name,), (their_name,) = names, their_names
        return mine, [replace(trade, symbol=name) for trade in other], [f"{their_name} of theirs is taken for {name} of ours."]
    common = names & their_names
    if not common:
        raise InvalidInput(
            f"No instrument is in both: ours {', '.join(sorted(names))}, theirs {', '.join(sorted(their_names))}.", where="compare"
        )
    left = sorted((names | their_names) - common)
    kept = [[trade for trade in trades if trade.symbol in common] for trades in (mine, other)]
    return kept[0], kept[1], [f"Trades of {', '.join(left)} are on one side only and are not paired; the figures count them."]


def _at_opening(trade: Trade, bar_us: int) -> Trade:
    """The trade with the openings of the bars that its fills are stamped with."""
    opened, closed = ((at - 1) // bar_us * bar_us for at in (trade.opened_at, trade.closed_at))
    return replace(trade, opened_at=opened, closed_at=closed)


def _pair(mine: Iterable[Trade], other: Iterable[Trade]) -> tuple[list[Pair], list[Trade]]:
    """Each of our trades with one of theirs of the same instrument, side and beginning; and those of ours that have none."""
    waiting: defaultdict[_Key, deque[Trade]] = defaultdict(deque)
    for trade in other:
        waiting[trade.symbol, trade.side, trade.opened_at].append(trade)
    pairs, alone = [], []
    for trade in mine:
        found = waiting[trade.symbol, trade.side, trade.opened_at]
        if found:
            pairs.append(Pair(trade, found.popleft()))
        else:
            alone.append(trade)
    return pairs, alone


def _notes(ours: Ours, theirs: ImportedHistory) -> Iterable[str]:
    if theirs.timeframe and theirs.timeframe != ours.timeframe:
        mine = "we ran over ticks" if ours.timeframe == TICK else f"ours of {ours.timeframe}"
        yield f"Their bars are of {theirs.timeframe}, {mine}."
    if theirs.currency and theirs.currency != ours.currency:
        yield f"Their amounts are in {theirs.currency}, ours in {ours.currency}."
    if theirs.open_trades:
        yield f"{theirs.open_trades} of their trades were still open and are left out."


def _figures(ours: Ours, theirs: ImportedHistory) -> Iterable[dict[str, Any]]:
    """Ours, theirs by our formulas from their closed trades, and what they state themselves."""
    worked_out = theirs.figures()
    for key in COMPARED:
        definition = FIGURES[key]
        yield {
            "key": key,
            "title": definition.title,
            "unit": definition.unit.value,
            "ours": ours.figures.get(key),
            "theirs": worked_out[key].value,
            "stated": theirs.told.get(key),
        }


def _differences(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Sums over all pairs, and how many agree to a millionth of the price in both."""
    alike = sum(
        abs(pair.ours.entry_price - pair.theirs.entry_price) <= 1e-6 * pair.theirs.entry_price
        and abs(pair.ours.exit_price - pair.theirs.exit_price) <= 1e-6 * pair.theirs.exit_price
        for pair in pairs
    )
    earned = [pair.earned for pair in pairs]
    return {"same_prices": alike, "earned": sum(earned), "largest": max(map(abs, earned), default=0.0)}


def _row(pair: Pair) -> dict[str, Any]:
    return {
        "symbol": pair.ours.symbol,
        "side": pair.ours.side,
        "opened_at": _moment(pair.theirs.opened_at),
        "entry_price": pair.ours.entry_price,
        "entry_difference": pair.ours.entry_price - pair.theirs.entry_price,
        "closed_at": _moment(pair.ours.closed_at),
        "their_closed_at": _moment(pair.theirs.closed_at),
        "exit_price": pair.ours.exit_price,
        "exit_difference": pair.ours.exit_price - pair.theirs.exit_price,
        "earned": pair.ours.earned,
        "earned_difference": pair.earned,
    }


def _alone(trade: Trade) -> dict[str, Any]:
    return asdict(trade) | {"opened_at": _moment(trade.opened_at), "closed_at": _moment(trade.closed_at)}


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat()
