"""The stress table of a run: the same configuration, run again by the engine on the same bars with a crisis put into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from apps.backtests.domain.config import RunConfig, RunMode
from apps.backtests.domain.costing import has_slippage, with_costs
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.returns import drawdowns
from apps.backtests.domain.robustness import Crises
from apps.backtests.domain.runners import IsCancelled, RunInterrupted, Runner
from apps.backtests.domain.scenarios import SCENARIOS, Scenario, user_scenario
from apps.backtests.domain.steps import Steps
from apps.backtests.domain.stress import apply_scenario
from apps.backtests.domain.walking import leader_of
from apps.core.errors import InvalidInput, TradingError
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import to_micros
from apps.portfolio.domain.ledger_codes import T_OPENED_AT

BEGINS_AT = 0.5
"""Share of the bars that stay in front of the crisis: enough to warm up, and enough behind it to see what follows."""
MOST_BARS = {RunMode.SESSION: 6_000, RunMode.EVENT: 200_000}
"""Bars in all that the known crises are put into unasked: a session takes about a second for a thousand bars, its training not counted. In vector
mode a run costs next to nothing."""
_MICROS_PER_DAY = 86_400_000_000


@dataclass(frozen=True)
class Shock:
    """A scenario, what it does to slippage, and when it begins (None: right behind an entry)."""

    scenario: Scenario
    is_own: bool = False
    slippage: Decimal = Decimal(1)
    begins_at: datetime | None = None


@dataclass(frozen=True)
class StressPlan:
    """What is put into the bars, and in words why the known crises are not."""

    shocks: tuple[Shock, ...]
    note: str


def stress_plan(config: RunConfig, bars: Sequence[BarWindow]) -> StressPlan:
    """The known crises as far as the configuration wants them, then the scenarios of one's own."""
    note = _why_no_crises(config, sum(len(window) for window in bars))
    known = () if note else tuple(Shock(scenario) for scenario in SCENARIOS.values())
    own = tuple(
        Shock(user_scenario(item, code=f"own_{number}"), True, item.slippage_multiple, item.begins_at)
        for number, item in enumerate(config.robustness.scenarios, start=1)
    )
    return StressPlan((*known, *own), note)


def stress_rows(
    config: RunConfig,
    bars: Sequence[BarWindow],
    plain: RunRecords,
    plan: StressPlan,
    *,
    runner: Runner,
    steps: Steps,
    is_cancelled: IsCancelled,
) -> list[dict[str, Any]]:
    """A row per shock, as JSON, from a run of its own. Raises RunInterrupted.

    `stretch_return` and `stretch_drawdown` are those of the equity while the crisis lasts, `total_return` that of the whole run beside
    `plain_return`, without it; `price_fall` is the deepest point of the imposed path. A scenario that cannot be run says why.
    """
    rows = []
    for shock in plan.shocks:
        rows.append(_row(config, bars, plain, shock, runner, steps, is_cancelled))
        steps.next()
    return rows


def _why_no_crises(config: RunConfig, bars: int) -> str:
    if config.robustness.crises is Crises.NEVER:
        return "The run was asked to leave the known crises out."
    if config.tick_file is not None:
        return "Crises are put into bars; a run over ticks has none of them."
    most = MOST_BARS.get(config.mode)
    if config.robustness.crises is Crises.ALWAYS or most is None or bars <= most:
        return ""
    return (
        f"The known crises were left out: each needs the whole run again, which takes long with {bars:,} bars in {config.mode} mode"
        f" (more than {most:,}). Ask for them with the setting always, or run fewer bars."
    )


def _row(  # noqa: PLR0917
    config: RunConfig,
    bars: Sequence[BarWindow],
    plain: RunRecords,
    shock: Shock,
    runner: Runner,
    steps: Steps,
    is_cancelled: IsCancelled,
) -> dict[str, Any]:
    scenario = shock.scenario
    told = {
        "code": scenario.code, "title": scenario.title, "source": scenario.source, "is_own": shock.is_own,
        "price_fall": scenario.worst_return, "slippage_multiple": f"{shock.slippage:f}",
    }  # fmt: skip
    try:
        length = scenario.bars * bars_per_day(leader_of(bars))
        begins, ends, shocked = _imposed(bars, plain, shock, length)
        made = runner.run(
            _dearer(config, shock), shocked, progress=steps.progress, is_cancelled=is_cancelled, seed=config.seed
        )  # fmt: skip
    except RunInterrupted:
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


def _imposed(bars: Sequence[BarWindow], plain: RunRecords, shock: Shock, length: int) -> tuple[int, int, list[BarWindow]]:
    """When the shock begins and ends (microseconds), and the bars with it; an instrument that has ended by then is left as it is."""
    leader = leader_of(bars)
    start = _after_an_entry(leader, plain, length) if shock.begins_at is None else _place(leader, to_micros(shock.begins_at))
    if start >= len(leader):
        raise InvalidInput(f"{shock.scenario.title} would begin at {shock.begins_at:%Y-%m-%d}, behind the last bar.", where="begins_at")
    begins = int(leader.opened_at[start])
    places = [_place(window, begins) for window in bars]
    shocked = [
        apply_scenario(window, shock.scenario, start=place, length=length) if place < len(window) else window
        for window, place in zip(bars, places, strict=True)
    ]
    return begins, int(leader.closed_at[start + length - 1]), shocked


def _dearer(config: RunConfig, shock: Shock) -> RunConfig:
    if shock.slippage == 1:
        return config
    if not has_slippage(config):
        raise InvalidInput(
            f"The run has no slippage and no spread that could be {shock.slippage} times as large.", where="slippage_multiple"
        )
    return with_costs(config, slippage=shock.slippage)


def _after_an_entry(leader: BarWindow, plain: RunRecords, length: int) -> int:
    """The bar behind the first entry of the second half, where a crisis hurts; the middle where there is no such entry."""
    middle = int(len(leader) * BEGINS_AT)
    entered = plain.trades[:, T_OPENED_AT]
    entered = entered[entered >= leader.closed_at[middle]]
    start = int(np.searchsorted(leader.closed_at, entered.min())) + 1 if len(entered) else middle
    return start if start + length <= len(leader) else middle


def bars_per_day(window: BarWindow) -> int:
    """How many bars a trading day has: of the days of these bars, the middle one."""
    if window.timeframe is Timeframe.D1 or not len(window):
        return 1
    days = window.opened_at // _MICROS_PER_DAY
    begins = np.flatnonzero(np.diff(days)) + 1
    return int(np.median(np.diff(np.concatenate([[0], begins, [len(days)]]))))


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
