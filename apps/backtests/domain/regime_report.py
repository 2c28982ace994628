"""Results by kind of market, from the records of a run and the bars that it was made on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.backtests.domain.config import RunConfig
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.regimes import RegimeRow, Regimes, label_regimes, results_by_regime
from apps.backtests.domain.returns import FloatArray, Int64Array
from apps.backtests.domain.scoring import buy_and_hold
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import to_micros
from apps.portfolio.domain.ledger_codes import T_ENTRY_VALUE, T_FEES, T_OPENED_AT, T_REALISED

MOST_BARS = 200_000
"""Labelling more closes than this would take longer than the run."""


@dataclass(frozen=True)
class MarketTable:
    """Rows as JSON; without any, why not."""

    rows: list[dict[str, Any]]
    note: str = ""


def market_table(config: RunConfig, bars: Sequence[BarWindow], records: RunRecords) -> MarketTable:
    """A row per trend and volatility that the market went through while the run traded.

    The market is the instrument, of several the same money held in each of them. A close is labelled from the closes up to it, warm-up bars
    included, and what happens in a bar is booked under the label of the close before it. A trade counts by its entry.
    """
    if config.tick_file is not None:
        return MarketTable([], "Kinds of market are told from bars; a run over ticks has none.")
    times, closes = _market(bars)
    if len(closes) > MOST_BARS:
        return MarketTable([], f"{len(closes):,} bars are too many to tell the kind of market at each; {MOST_BARS:,} can be.")
    place = np.searchsorted(times, records.equity_at).clip(max=max(len(times) - 1, 0))
    begins = 0 if config.trade_from is None else to_micros(config.trade_from)
    counts = (records.equity_at > begins) & (times[place] == records.equity_at) if len(times) else np.zeros(0, np.bool_)
    if int(counts.sum()) < 3:
        return MarketTable([], "There are too few bars to tell kinds of market.")
    if (records.equity[counts] <= 0).any():
        return MarketTable([], "Equity fell to zero: no returns can be told from there on.")
    entries, results = _trades(records, records.equity_at[counts])
    labels, equity = label_regimes(closes), records.equity[counts].astype(np.float64)
    rows = results_by_regime(
        Regimes(labels.trend[place[counts]], labels.volatility[place[counts]]),
        np.concatenate([[0.0], equity[1:] / equity[:-1] - 1.0]),
        bars_per_year=config.timeframe.bars_per_year,
        entry_bars=entries.tolist(),
        trade_returns=results.tolist(),
    )
    return MarketTable([_json(row) for row in rows])


def _market(bars: Sequence[BarWindow]) -> tuple[Int64Array, FloatArray]:
    """Closing times and values of what the market is."""
    if len(bars) == 1:
        return bars[0].closed_at, bars[0].close.astype(np.float64)
    held = buy_and_hold(bars)
    return (np.zeros(0, np.int64), np.zeros(0)) if held is None else (held.times[1:], held.equity[1:])


def _trades(records: RunRecords, times: Int64Array) -> tuple[Int64Array, FloatArray]:
    """The bar of entry, among those that count, and the result of each trade."""
    trades = records.trades
    entered, paid = np.searchsorted(times, trades[:, T_OPENED_AT]), trades[:, T_ENTRY_VALUE]
    is_known = (entered < len(times)) & (paid > 0)
    return entered[is_known], (trades[is_known, T_REALISED] - trades[is_known, T_FEES]) / paid[is_known]


def _json(row: RegimeRow) -> dict[str, Any]:
    return {
        "trend": row.trend.name,
        "volatility": row.volatility.name,
        "bars": row.bars,
        "share": row.share,
        "total_return": row.total_return,
        "sharpe": row.sharpe if math.isfinite(row.sharpe) else None,
        "worst_return": row.worst_return,
        "trades": row.trades,
        "win_rate": row.win_rate if math.isfinite(row.win_rate) else None,
    }
