"""The stress table of a run: the same configuration on the same bars with a crisis imposed on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from apps.backtests.domain.config import RunConfig, RunMode
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.returns import drawdowns
from apps.backtests.domain.runners import IsCancelled, ReportProgress, RunCancelled, Runner
from apps.backtests.domain.scenarios import SCENARIOS, Scenario
from apps.backtests.domain.stress import apply_scenario
from apps.core.errors import TradingError
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow
from apps.portfolio.domain.ledger_codes import T_OPENED_AT

BEGINS_AT = 0.5
"""Share of the bars that stay in front of the crisis: enough to warm up, and enough behind it to see what follows."""
MOST_BARS = 200_000
"""Bars in all; more are stressed in vector mode alone, where a run costs next to nothing."""


def stress_rows(
    config: RunConfig,
    bars: Sequence[BarWindow],
    plain: RunRecords,
    *,
    runner: Runner,
    progress: ReportProgress,
    is_cancelled: IsCancelled,
) -> list[dict[str, Any]]:
    """A row per scenario, as JSON, imposed right behind an entry of the run without it; none for sessions (each trains models anew) and for many bars in event mode. Raises RunCancelled.

    `stretch_return` and `stretch_drawdown` are those of the equity while the crisis lasts, `total_return` that of the whole run beside
    `plain_return`, without it; `price_fall` is the deepest point of the imposed path. A scenario that cannot be imposed says why.
    """
    many = sum(len(window) for window in bars) > MOST_BARS
    if config.mode is RunMode.SESSION or (many and config.mode is not RunMode.VECTOR):
        return []
    return [_row(config, bars, plain, scenario, runner, progress, is_cancelled) for scenario in SCENARIOS.values()]


def _row(  # noqa: PLR0917
    config: RunConfig,
    bars: Sequence[BarWindow],
    plain: RunRecords,
    scenario: Scenario,
    runner: Runner,
    progress: ReportProgress,
    is_cancelled: IsCancelled,
) -> dict[str, Any]:
    told = {"code": scenario.code, "title": scenario.title, "source": scenario.source, "price_fall": scenario.worst_return}
    length = bars_of(scenario, config.timeframe)
    leader = bars[0]
    start = _after_an_entry(leader, plain, length)
    try:
        begins = int(leader.opened_at[start])
        shocked = [apply_scenario(window, scenario, start=_place(window, begins), length=length) for window in bars]
        ends = int(leader.closed_at[start + length - 1])
        made = runner.run(config, shocked, progress=progress, is_cancelled=is_cancelled, seed=config.seed)
    except RunCancelled:
        raise
    except TradingError as error:
        return {**told, "error": error.message}
    stretch = _equity_between(made, begins, ends)
    return {
        **told,
        "error": "",
        "begins_at": datetime.fromtimestamp(begins / 1_000_000, UTC).isoformat(),
        "bars": length,
        "stretch_return": float(stretch[-1] / stretch[0] - 1.0) if stretch[0] > 0 else None,
        "stretch_drawdown": float(drawdowns(stretch[None, :]).max()) if stretch.min() > 0 else 1.0,
        "total_return": _total(made),
        "plain_return": _total(plain),
        "trades": len(made.trades),
    }


def _after_an_entry(leader: BarWindow, plain: RunRecords, length: int) -> int:
    """The bar behind the first entry of the second half, where a crisis hurts; the middle where there is no such entry."""
    middle = int(len(leader) * BEGINS_AT)
    entered = plain.trades[:, T_OPENED_AT]
    entered = entered[entered >= leader.closed_at[middle]]
    start = int(np.searchsorted(leader.closed_at, entered.min())) + 1 if len(entered) else middle
    return start if start + length <= len(leader) else middle


def bars_of(scenario: Scenario, timeframe: Timeframe) -> int:
    """How many bars a scenario of trading days lasts on a timeframe."""
    return scenario.bars * max(1, round(Timeframe.D1.duration / timeframe.duration))


def _place(window: BarWindow, begins: int) -> int:
    """The first bar of a window that opens at or after the beginning; past its end raises in `apply_scenario`."""
    return int(np.searchsorted(window.opened_at, begins))


def _equity_between(records: RunRecords, begins: int, ends: int) -> Any:
    """Equity from the last value before the crisis to its end, in cash units."""
    inside = records.equity[(records.equity_at > begins) & (records.equity_at <= ends)]
    before = records.equity[records.equity_at <= begins]
    first = int(before[-1]) if len(before) else records.opening_cash
    return np.concatenate([[first], inside]).astype(np.float64)


def _total(records: RunRecords) -> float:
    return float(records.final_equity / (records.opening_cash * records.cash_unit)) - 1.0
