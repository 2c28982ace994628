"""The walk forward of a run: which bars count, what each window chose, and what came of it out of sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import msgspec
import numpy as np

from apps.backtests.domain.config import RunConfig
from apps.backtests.domain.records import Int64Array, RunRecords, no_rows
from apps.backtests.domain.runners import IsCancelled, ReportProgress, Runner
from apps.backtests.domain.walk_forward import SCORES, Capital, Piece, WindowResult, best_of, walk
from apps.backtests.domain.walk_forward_report import efficiency, parameter_stability, stitch
from apps.backtests.domain.windows import Anchor, BarRange, RunRange, Window, bar_windows
from apps.core.errors import InvalidInput
from apps.core.values import to_units
from apps.markets.contracts import BarWindow
from apps.portfolio.domain.ledger_codes import TRADE_COLUMNS

WARMUP_BARS = 1_000
"""Bars in front of each stretch that indicators may run over."""
MOST_CANDIDATES = 500
_ENOUGH_BARS = 24


@dataclass(frozen=True, eq=False)
class Walked:
    """The out-of-sample stretch: it begins at `starts_at` (microseconds). `equity` and `trades` (rows of the ledger) are the stitched ones where
    windows chose for themselves, None where the run's own from there on are meant. `report` is JSON."""

    starts_at: int
    report: dict[str, Any]
    times: Int64Array | None = None
    equity: Int64Array | None = None
    trades: Int64Array | None = None


def walk_forward(
    config: RunConfig,
    bars: Sequence[BarWindow],
    records: RunRecords,
    *,
    runner: Runner,
    progress: ReportProgress,
    is_cancelled: IsCancelled,
) -> Walked | None:
    """Walk the bars of the instrument that has most of them; None when there are too few for one window. `progress` hears of each stretch anew."""
    leader = leader_of(bars)
    count = len(leader)
    if count < _ENOUGH_BARS:
        return None
    windows = _windows(config, count)
    if config.walk_forward.search:
        run = _StretchRun(config, bars, leader, records.cash_unit, runner, progress, is_cancelled)
        return _searched(config, leader, windows, run)
    starts_at = int(leader.opened_at[windows[0].test.bars.start])
    rows = [_held_window(window, leader, records) for window in windows]
    gained = sum(row["return"] > 0 for row in rows) / len(rows)
    return Walked(starts_at, {"windows": rows, "profitable_share": gained, "efficiency": None, "stability": [], "candidates": 1})


def leader_of(bars: Sequence[BarWindow]) -> BarWindow:
    """The instrument whose bars count where several are walked: the one with most of them, the first among equals."""
    return max(bars, key=len)


def candidates(search: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every combination of the values, the last name changing fastest. Raises InvalidInput for too many."""
    count = int(np.prod([len(values) for values in search.values()], dtype=np.float64))
    if count > MOST_CANDIDATES:
        raise InvalidInput(
            f"Each window would choose among {count} combinations; at most {MOST_CANDIDATES} are tried.",
            where="walk_forward.search",
            hint="Give fewer values, or use a sweep.",
        )
    return [dict(zip(search, values, strict=True)) for values in product(*search.values())]


def _windows(config: RunConfig, count: int) -> tuple[Window, ...]:
    plan = config.walk_forward
    return bar_windows(
        count,
        train_bars=plan.train_bars or max(count // 4, 1),
        test_bars=plan.test_bars or max(count // 12, 1),
        warmup_bars=0,
        anchor=Anchor.ANCHORED if plan.is_anchored else Anchor.ROLLING,
    )


def _held_window(window: Window, bars: BarWindow, records: RunRecords) -> dict[str, Any]:
    """One window of a run whose parameters stay: the part of its equity over the window's testing bars."""
    first, last = window.test.bars.start, window.test.bars.stop - 1
    begins = _equity_at(records, int(bars.closed_at[first - 1]))
    ends = _equity_at(records, int(bars.closed_at[last]))
    return {
        "number": window.number,
        "from_at": int(bars.opened_at[first]),
        "to_at": int(bars.closed_at[last]),
        "parameters": None,
        "return": ends / begins - 1.0 if begins > 0 else 0.0,
    }


def _equity_at(records: RunRecords, at: int) -> int:
    place = int(np.searchsorted(records.equity_at, at, side="right")) - 1
    return int(records.equity[place]) if place >= 0 else records.opening_cash


def _searched(config: RunConfig, leader: BarWindow, windows: tuple[Window, ...], run: _StretchRun) -> Walked:
    """Each window chooses on its training bars what it then trades; the stretches traded are stitched."""
    score = SCORES[config.walk_forward.objective]
    found = candidates(config.walk_forward.search)
    start = to_units(config.capital, run.cash_unit, name="capital")
    choose = best_of(found, run=run, score=score, start_units=start)
    pieces, trades = [], []
    for piece in walk(windows, choose_in_sample=choose, run=run, start_units=start):
        pieces.append(piece)
        trades.append(run.trades if piece.choice else no_rows(TRADE_COLUMNS))
    stitched = stitch(pieces, capital=Capital.COMPOUNDED)
    judged = efficiency(pieces, score=score, capital=Capital.COMPOUNDED)
    report = {
        "windows": [_chosen_window(piece, leader) for piece in pieces],
        "profitable_share": judged.profitable_share,
        "efficiency": judged.overall,
        "stability": [asdict(item) for item in parameter_stability(pieces)],
        "candidates": len(found),
    }
    covered = stitched.bars.slice
    return Walked(
        starts_at=int(leader.opened_at[stitched.bars.start]),
        report=_finite(report),
        times=leader.closed_at[covered],
        equity=stitched.equity_units,
        trades=np.concatenate(trades),
    )


@dataclass
class _StretchRun:
    """Simulates one stretch from flat to flat, with the bars in front of it as warm-up. `trades` are those of the newest stretch."""

    config: RunConfig
    bars: Sequence[BarWindow]
    leader: BarWindow
    cash_unit: Decimal
    runner: Runner
    progress: ReportProgress
    is_cancelled: IsCancelled
    trades: Int64Array = field(default_factory=lambda: no_rows(TRADE_COLUMNS))

    def __call__(self, parameters: Mapping[str, Any], stretch: RunRange, *, start_units: int, state: Any) -> WindowResult:
        config = msgspec.structs.replace(
            self.config.with_parameters(dict(parameters)),
            capital=start_units * self.cash_unit,
            trade_from=datetime.fromtimestamp(int(self.leader.opened_at[stretch.bars.start]) / 1_000_000, UTC),
            closes_at_end=True,
        )
        cut = [_cut(window, self.leader, stretch.bars) for window in self.bars]
        made = self.runner.run(config, cut, progress=self.progress, is_cancelled=self.is_cancelled, seed=config.seed)
        self.trades = made.trades
        closes = self.leader.closed_at[stretch.bars.slice]
        place = np.searchsorted(made.equity_at, closes, side="right") - 1
        equity = np.where(place >= 0, made.equity[place.clip(min=0)], made.opening_cash).astype(np.int64)
        return WindowResult(start_units, equity, trades=len(made.trades))


def _cut(window: BarWindow, leader: BarWindow, stretch: BarRange) -> BarWindow:
    """The bars of a stretch with the warm-up in front, by the times of the leader."""
    begins = int(leader.opened_at[max(0, stretch.start - WARMUP_BARS)])
    ends = int(leader.closed_at[stretch.stop - 1])
    first, last = int(np.searchsorted(window.opened_at, begins)), int(np.searchsorted(window.closed_at, ends, side="right"))
    return window.part(first, last)


def _chosen_window(piece: Piece, bars: BarWindow) -> dict[str, Any]:
    stretch = piece.window.test.bars
    start = piece.result.start_units
    return {
        "number": piece.window.number,
        "from_at": int(bars.opened_at[stretch.start]),
        "to_at": int(bars.closed_at[stretch.stop - 1]),
        "parameters": dict(piece.choice.parameters) if piece.choice else None,
        "return": piece.result.end_units / start - 1.0 if start > 0 else 0.0,
    }


def _finite(value: Any) -> Any:
    """JSON knows no NaN: it becomes null."""
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
