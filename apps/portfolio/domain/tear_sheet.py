"""Everything that a tear sheet shows, as one dictionary that JSON takes: curves, tables, costs, figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from apps.portfolio.domain.metrics import performance_figures
from apps.portfolio.domain.metrics.drawdowns import Drawdown, drawdown_series, worst_drawdowns
from apps.portfolio.domain.metrics.exits import exit_rows
from apps.portfolio.domain.metrics.periods import monthly_table, rolling_sharpe, yearly_table
from apps.portfolio.domain.metrics.returns import daily_returns
from apps.portfolio.domain.metrics.sampling import histogram, points
from apps.portfolio.domain.metrics.trading import average_trade_days, average_trade_return, expectancy, profit_factor, win_rate
from apps.portfolio.domain.records import EquitySeries, ExitReason, FloatArray, Int64Array, PriceBars, TradeRecords

ROLLING_DAYS = (63, 126)
"""A quarter and half a year of trading days."""
TRADES_SHOWN = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Compared:
    """What the account is compared with: its name and its prices."""

    label: str
    prices: EquitySeries


def build_tear_sheet(
    equity: EquitySeries,
    trades: TradeRecords,
    *,
    currency: str,
    benchmark: Compared | None = None,
    index: Compared | None = None,
    per_year: float | None = None,
    risk_free: float = 0.0,
    bars: PriceBars | None = None,
) -> dict[str, Any]:
    """The tear sheet of an account or a backtest; curves have 1,500 points at most, chosen so that no extreme is lost.

    Curves are lists of [seconds since 1970 UTC, value], times ISO 8601, days ISO dates, shares and returns fractions, money in `currency`.
    What cannot be told is None or an empty list; every number is finite. Arguments as for `performance_figures`.
    """
    year = equity.days_per_year if per_year is None else per_year
    figures = performance_figures(
        equity, trades, benchmark=_prices(benchmark), index=_prices(index), per_year=year, risk_free=risk_free, bars=bars
    )
    sheet = {
        "currency": currency,
        "span": _span(equity, year, risk_free),
        "figures": [figure.as_dict() for figure in figures.values()],
        **_curves(equity, [compared for compared in (benchmark, index) if compared is not None], year, risk_free),
        "months": monthly_table(equity.daily),
        "years": yearly_table(equity.daily, None if benchmark is None else benchmark.prices.daily),
        "daily_returns": histogram(daily_returns(equity.daily.values)),
        "worst_drawdowns": [_drawdown_row(fall) for fall in worst_drawdowns(equity.daily)],
        "trades": _trade_summary(trades),
        "costs": _costs(trades),
        "exits": _exits(trades),
    }
    cleaned: dict[str, Any] = _finite(sheet)
    return cleaned


def _prices(compared: Compared | None) -> EquitySeries | None:
    return None if compared is None else compared.prices


def _span(equity: EquitySeries, year: float, risk_free: float) -> dict[str, Any]:
    return {
        "from": _iso(int(equity.times[0])) if len(equity) else None,
        "to": _iso(int(equity.times[-1])) if len(equity) else None,
        "points": len(equity),
        "days": len(equity.daily),
        "days_per_year": year,
        "risk_free": risk_free,
    }


def _curves(equity: EquitySeries, compared: list[Compared], year: float, risk_free: float) -> dict[str, Any]:
    has_peak = len(equity) > 0 and equity.equity[0] > 0
    return {
        "equity": points(equity.times, equity.equity),
        "drawdown": points(equity.times, drawdown_series(equity.equity)) if has_peak else [],
        "benchmarks": [{"label": other.label, "points": _bought_and_held(equity, other.prices)} for other in compared],
        "rolling_sharpe": [
            {"days": window, "points": points(*rolling_sharpe(equity.daily, window=window, per_year=year, risk_free=risk_free))}
            for window in ROLLING_DAYS
        ],
    }


def _bought_and_held(equity: EquitySeries, prices: EquitySeries) -> list[list[Any]]:
    """The prices over the time of equity, scaled to begin where equity begins: at the last price known then, else at the first."""
    if not len(equity) or not len(prices):
        return []
    first = max(int(np.searchsorted(prices.times, equity.times[0], side="right")) - 1, 0)
    end = int(np.searchsorted(prices.times, equity.times[-1], side="right"))
    held = prices.equity[first:end]
    if not len(held) or held[0] <= 0:
        return []
    return points(np.maximum(prices.times[first:end], equity.times[0]), held * (equity.equity[0] / held[0]))


def _drawdown_row(fall: Drawdown) -> dict[str, Any]:
    return {
        "peak": _day(fall.peak),
        "valley": _day(fall.valley),
        "recovered": None if fall.recovered is None else _day(fall.recovered),
        "depth": fall.depth,
        "days": fall.days,
        "days_to_recover": fall.days_to_recover,
    }


def _trade_summary(trades: TradeRecords) -> dict[str, Any]:
    order = np.argsort(trades.results, kind="stable")
    return {
        "count": len(trades),
        "sides": [_side_row("long", trades.where(trades.side > 0)), _side_row("short", trades.where(trades.side < 0))],
        "results": histogram(trades.results),
        "best": _trade_rows(trades, order[::-1][:TRADES_SHOWN]),
        "worst": _trade_rows(trades, order[:TRADES_SHOWN]),
    }


def _side_row(name: str, trades: TradeRecords) -> dict[str, Any]:
    return {
        "side": name,
        "trades": len(trades),
        "earned": float(trades.results.sum()),
        "average": expectancy(trades.results),
        "average_return": average_trade_return(trades),
        "average_days": average_trade_days(trades),
        "win_rate": win_rate(trades.results),
        "profit_factor": profit_factor(trades.results),
    }


def _trade_rows(trades: TradeRecords, chosen: Int64Array) -> list[dict[str, Any]]:
    return [
        {
            "opened_at": _iso(int(trades.opened_at[index])),
            "closed_at": _iso(int(trades.closed_at[index])),
            "side": "long" if trades.side[index] > 0 else "short",
            "quantity": float(trades.quantity[index]),
            "entry_value": float(trades.entry_value[index]),
            "result": float(trades.results[index]),
            "fees": float(trades.fees[index]),
            "exit": ExitReason(int(trades.exit_reason[index])).word,
        }
        for index in chosen
    ]


def _costs(trades: TradeRecords) -> list[dict[str, Any]]:
    """Each kind of cost with its part of the value bought and sold; slippage only where it is known."""
    traded = float(trades.entry_value.sum() + trades.exit_value.sum())
    kinds: list[tuple[str, FloatArray | None]] = [("fees", trades.fees), ("slippage", trades.slippage)]
    return [
        {"kind": kind, "amount": float(paid.sum()), "share_of_traded_value": float(paid.sum()) / traded if traded > 0 else None}
        for kind, paid in kinds
        if paid is not None
    ]


def _exits(trades: TradeRecords) -> list[dict[str, Any]]:
    return [
        {
            "reason": row.reason.word,
            "trades": row.trades,
            "share": row.share,
            "earned": row.earned,
            "average": row.average,
            "win_rate": row.win_rate,
        }
        for row in exit_rows(trades)
    ]


def _iso(time: int) -> str:
    return (_EPOCH + timedelta(microseconds=time)).isoformat()


def _day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def _finite(value: Any) -> Any:
    """The same with every number that JSON cannot carry as None."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
