"""Figures of closed trades, after fees. A trade that earned exactly nothing is neither won nor lost.

`results` is what each trade earned after fees, in the order in which they closed.
"""

from __future__ import annotations

import numpy as np

from apps.portfolio.domain.records import DAY_MICROS, EquitySeries, FloatArray, Int64Array, TradeRecords


def win_rate(results: FloatArray) -> float | None:
    """Part of the trades that made money."""
    return float((results > 0).mean()) if len(results) else None


def profit_factor(results: FloatArray) -> float | None:
    """Money won over money lost; None while nothing was lost."""
    lost = float(-results[results < 0].sum())
    return float(results[results > 0].sum()) / lost if lost > 0 else None


def expectancy(results: FloatArray) -> float | None:
    """Money that a trade earned on average."""
    return float(results.mean()) if len(results) else None


def average_win(results: FloatArray) -> float | None:
    """Mean of the trades that made money."""
    return _mean(results[results > 0])


def average_loss(results: FloatArray) -> float | None:
    """Mean of the trades that lost money: a negative number."""
    return _mean(results[results < 0])


def payoff_ratio(results: FloatArray) -> float | None:
    """Average win over average loss, without sign."""
    won, lost = average_win(results), average_loss(results)
    return won / -lost if won is not None and lost is not None else None


def expectancy_ratio(results: FloatArray) -> float | None:
    """What a trade earned on average, counted in average losses."""
    earned, lost = expectancy(results), average_loss(results)
    return earned / -lost if earned is not None and lost is not None else None


def largest_win(results: FloatArray) -> float | None:
    """The best trade; None without a win."""
    won = results[results > 0]
    return float(won.max()) if len(won) else None


def largest_loss(results: FloatArray) -> float | None:
    """The worst trade, a negative number; None without a loss."""
    lost = results[results < 0]
    return float(lost.min()) if len(lost) else None


def longest_winning_streak(results: FloatArray) -> int | None:
    """Most trades won in a row."""
    return _longest_run(results > 0) if len(results) else None


def longest_losing_streak(results: FloatArray) -> int | None:
    """Most trades lost in a row."""
    return _longest_run(results < 0) if len(results) else None


def average_trade_return(trades: TradeRecords) -> float | None:
    """Mean of what each trade earned after fees over the value that it was entered with."""
    return _mean(trades.results[trades.entry_value > 0] / trades.entry_value[trades.entry_value > 0])


def average_trade_days(trades: TradeRecords) -> float | None:
    """Mean time from opening to closing, in days of 24 hours."""
    return _mean((trades.closed_at - trades.opened_at) / DAY_MICROS)


def longest_trade_days(trades: TradeRecords) -> float | None:
    """Longest time from opening to closing, in days of 24 hours."""
    return float((trades.closed_at - trades.opened_at).max() / DAY_MICROS) if len(trades) else None


def time_in_market(equity: EquitySeries, trades: TradeRecords) -> float | None:
    """Part of the time in which something was held.

    From the exposure at each point where it is known (each counted until the next), else from the closed trades' times, overlaps once.
    """
    span = float(equity.times[-1] - equity.times[0]) if len(equity) > 1 else 0.0
    if span <= 0:
        return None
    if equity.exposure is not None:
        return float(np.diff(equity.times)[equity.exposure[:-1] > 0].sum() / span)
    first, last = int(equity.times[0]), int(equity.times[-1])
    return _covered(trades.opened_at.clip(first, last), trades.closed_at.clip(first, last)) / span


def average_exposure(equity: EquitySeries) -> float | None:
    """Mean of gross value held over equity at each point; None where exposure is not known."""
    if equity.exposure is None or not len(equity) or bool(np.any(equity.equity <= 0)):
        return None
    return float((equity.exposure / equity.equity).mean())


def turnover(equity: EquitySeries, trades: TradeRecords, *, per_year: float) -> float | None:
    """Value bought and sold by closed trades, over mean daily equity, a year: 2 means that all equity was put in and taken out once."""
    days = len(equity.daily) - 1
    mean = float(equity.daily.values.mean()) if days > 0 else 0.0
    if mean <= 0:
        return None
    return float(trades.entry_value.sum() + trades.exit_value.sum()) / mean * per_year / days


def costs_of_gross_profit(trades: TradeRecords) -> float | None:
    """Fees and slippage over what was earned before both; None where that is not positive."""
    slippage = 0.0 if trades.slippage is None else float(trades.slippage.sum())
    gross = float(trades.realised.sum()) + slippage
    return (float(trades.fees.sum()) + slippage) / gross if gross > 0 else None


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None


def _longest_run(chosen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    edges = np.diff(np.concatenate(([0], chosen.astype(np.int8), [0])))
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return int(lengths.max()) if len(lengths) else 0


def _covered(opened: Int64Array, closed: Int64Array) -> float:
    """Length of the union of the intervals."""
    if not len(opened):
        return 0.0
    order = np.argsort(opened, kind="stable")
    opened, closed = opened[order], np.maximum.accumulate(closed[order])
    before = np.concatenate(([opened[0]], closed[:-1]))
    return float(np.maximum(closed - np.maximum(opened, before), 0).sum())
