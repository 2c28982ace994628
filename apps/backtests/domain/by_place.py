"""What each instrument of a run brought, and what the strategy does on each of them alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from apps.backtests.domain.config import RunConfig
from apps.backtests.domain.records import Int64Array
from apps.backtests.domain.runners import IsCancelled, RunInterrupted, Runner
from apps.backtests.domain.scoring import measure
from apps.backtests.domain.steps import Steps
from apps.core.errors import TradingError
from apps.markets.contracts import BarWindow
from apps.orders.domain.engine_codes import F_AT, F_FEE, F_LOTS, F_SIDE
from apps.portfolio.domain.engine_records import fill_slippage
from apps.portfolio.domain.ledger_codes import T_FEES, T_REALISED

ALONE_FIGURES = ("total_return", "sharpe", "max_drawdown", "trades", "win_rate", "time_in_market", "fees", "slippage")


@dataclass(frozen=True)
class PlaceResult:
    """What one instrument of a run brought, in the account's currency. `earned` is that of its closed trades after fees, `total_return` the same
    as a fraction of the capital; fees and slippage are those of all its fills; `exposure` is the share of the run's time in which it was held."""

    symbol: str
    trades: int
    earned: Decimal
    fees: Decimal
    slippage: Decimal
    win_rate: float | None
    exposure: float
    total_return: float

    @property
    def costs(self) -> Decimal:
        return self.fees + self.slippage


def place_result(  # noqa: PLR0917
    symbol: str, trades: Int64Array, fills: Int64Array, times: Int64Array, unit: Decimal, capital: Decimal
) -> PlaceResult:
    """From an instrument's rows of the ledger and of the engine's fills, the closing times of the run, and what a cash unit is worth."""
    results = trades[:, T_REALISED] - trades[:, T_FEES]
    earned = int(results.sum()) * unit
    return PlaceResult(
        symbol=symbol,
        trades=len(trades),
        earned=earned,
        fees=int(fills[:, F_FEE].sum()) * unit,
        slippage=round(float(fill_slippage(fills).sum())) * unit,
        win_rate=float((results > 0).mean()) if len(trades) else None,
        exposure=_share_held(fills, times),
        total_return=float(earned / capital),
    )


def alone_runs(config: RunConfig, bars: Sequence[BarWindow]) -> int:
    """How many runs of one instrument alone were asked for; there is nothing to compare where there is only one."""
    return len(bars) if config.compares_alone and len(bars) > 1 else 0


def alone_rows(
    config: RunConfig, bars: Sequence[BarWindow], *, runner: Runner, steps: Steps, is_cancelled: IsCancelled
) -> list[dict[str, Any]]:
    """A row per instrument as JSON: the same configuration with all of the capital on it alone; one that cannot be run says why.

    Raises RunInterrupted.
    """
    rows: list[dict[str, Any]] = []
    for window in bars[: alone_runs(config, bars)]:
        own = msgspec.structs.replace(config, instrument_ids=(window.instrument.id,))
        try:
            made = runner.run(own, [window], progress=steps.progress, is_cancelled=is_cancelled, seed=config.seed)
            figures = measure(made, [window]).figures()
            found: dict[str, Any] = {name: figures[name] for name in ALONE_FIGURES}
            found |= {"profit": float(made.final_equity - config.capital), "error": ""}
        except RunInterrupted:
            raise
        except TradingError as error:
            found = {"error": error.message}
        rows.append({"symbol": window.instrument.symbol, **found})
        steps.next()
    return rows


def _share_held(fills: Int64Array, times: Int64Array) -> float:
    """Part of the time between the first and the last close in which something was held."""
    span = int(times[-1] - times[0]) if len(times) > 1 else 0
    if not span or not len(fills):
        return 0.0
    held = np.cumsum(fills[:, F_SIDE] * fills[:, F_LOTS]) != 0
    lasted = np.diff(np.append(fills[:, F_AT], times[-1]))
    return float(lasted[held].sum() / span)
