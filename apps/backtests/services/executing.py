"""Running a backtest: claimed, loaded, computed, judged, stored. Deterministic, so a run that lost its worker is simply made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError

from apps.backtests.domain.by_place import alone_rows, alone_runs
from apps.backtests.domain.config import RunConfig, ScoreMode, config_from_json
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.margin_records import calls_of, margin_sheet
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.robustness_report import RobustnessPlan
from apps.backtests.domain.runners import RunCancelled, check_strategy, runner_of
from apps.backtests.domain.scoring import Measured, measure, sharpe_statistics, sheet_of, trades_in_money
from apps.backtests.domain.states import RunState
from apps.backtests.domain.steps import Steps
from apps.backtests.domain.tick_bars import events_of, tick_sheet
from apps.backtests.domain.walking import Walked, candidates, walk_forward
from apps.backtests.models import BacktestRun
from apps.backtests.services.claims import Claim, claim
from apps.backtests.services.ending import Outcome, end_without_result, store_outcome
from apps.backtests.services.errors import as_told
from apps.backtests.services.loading import data_hash, load_bars
from apps.backtests.services.watching import STALL_SECONDS, Watch
from apps.common.failpoints import failpoint
from apps.core.clock import Clock, WallClock
from apps.core.errors import OwnershipLost, TradingError
from apps.core.version import code_version
from apps.markets.contracts import BarWindow
from apps.portfolio.domain.engine_records import equity_series

log = structlog.get_logger(__name__)

_WALL = WallClock()


def execute_run(
    run_id: UUID, *, clock: Clock = _WALL, on_progress: Callable[[int, int], None] | None = None, stall_seconds: float = STALL_SECONDS
) -> bool:
    """Claim the run and make it; False if it was not to be had (over, or owned by a live worker).

    Ends it as DONE, FAILED (with the reason in words) or CANCELLED. A lost database is raised: the sweeper hands the run to another worker.
    """
    held = claim(BacktestRun, run_id, now=clock.now())
    if held is None:
        return False
    watch = Watch(
        held,
        clock=clock,
        wants_stop=lambda: _is_cancel_requested(run_id),
        announce_as={"kind": "run", "id": str(run_id)},
        on_progress=on_progress,
        stall_seconds=stall_seconds,
    )
    try:
        with watch:
            outcome = _make(run_id, watch)
        store_outcome(held, outcome, now=clock.now())
    except (OperationalError, InterfaceError):
        raise
    except OwnershipLost as error:
        log.warning("backtest_taken_over", run_id=str(run_id), error=str(error))
        return False
    except KeyboardInterrupt:
        _end(held, RunState.CANCELLED, None, clock)
        raise
    except RunCancelled:
        return not watch.is_lost and _end(held, RunState.CANCELLED, None, clock)
    except Exception as error:
        if not isinstance(error, TradingError):
            log.warning("backtest_failed", run_id=str(run_id), exc_info=error)
        return _end(held, RunState.FAILED, as_told(error), clock)
    return True


def compute(config: RunConfig, bars: tuple[BarWindow, ...], watch: Watch, steps: Steps) -> tuple[RunRecords, Walked | None]:
    """The records of a configuration and its walk forward, the first of the steps."""
    runner = runner_of(config)
    records = runner.run(config, bars, progress=steps.progress, is_cancelled=watch.is_cancelled, seed=config.seed)
    if watch.is_cancelled():
        raise RunCancelled("The run was cancelled.")
    records = replace(records, margin_calls=calls_of(records, engine_profile(config)))
    failpoint("backtests.computed")
    walked = None
    if config.score is ScoreMode.WALK_FORWARD:
        walked = walk_forward(config, bars, records, runner=runner, progress=watch.touch, is_cancelled=watch.is_cancelled)
    return records, walked


def judge(config: RunConfig, whole: Measured, records: RunRecords, walked: Walked | None) -> tuple[dict[str, Any], Measured]:
    """The metrics of a run as JSON, and what its headline figures were measured on."""
    counted = whole if walked is None else _out_of_sample(whole, records, walked)
    plain = whole.figures()
    statistics = sharpe_statistics(counted.equity)
    metrics: dict[str, Any] = {
        "score": str(config.score if walked is not None else ScoreMode.PLAIN),
        "figures": plain if walked is None else counted.figures(),
        "plain": plain,
        "walk_forward": None if walked is None else {"starts_at": walked.starts_at, **walked.report},
        "sharpe": None if statistics is None else {name: getattr(statistics, name) for name in statistics.__dataclass_fields__},
        "final_equity": f"{records.final_equity.normalize():f}",
        "cash_scale": records.cash_scale,
    }
    return metrics, counted


def _make(run_id: UUID, watch: Watch) -> Outcome:
    config = config_from_json(BacktestRun.objects.values_list("config", flat=True).get(id=run_id))
    check_strategy(config)
    bars = load_bars(config)
    total = sum(map(events_of, bars))
    plan = RobustnessPlan(config, bars)
    steps = Steps(watch.progress, bars=total, count=1 + plan.runs + alone_runs(config, bars))
    steps.progress(0, total)
    records, walked = compute(config, bars, watch, steps)
    steps.next()
    whole = measure(records, bars)
    metrics, counted = judge(config, whole, records, walked)
    beside = plan.compute(
        records, runner=runner_of(config), steps=steps, is_cancelled=watch.is_cancelled, say=watch.say
    )  # fmt: skip
    alone = alone_rows(config, bars, runner=runner_of(config), steps=steps, is_cancelled=watch.is_cancelled)
    margin = margin_sheet(records, engine_profile(config))
    failpoint("backtests.tested")
    tried = tuple(config.with_parameters(item).fingerprint() for item in candidates(config.walk_forward.search)) if walked else ()
    return Outcome(
        records=records,
        metrics=metrics,
        tear_sheet={**sheet_of(whole, records), **beside, "alone": alone, **tick_sheet(bars), "margin": margin},
        statistics=sharpe_statistics(counted.equity),
        data_hash=data_hash(bars),
        code_version=code_version(),
        bars=total,
        tried=tried if config.walk_forward.search else (),
    )


def _out_of_sample(whole: Measured, records: RunRecords, walked: Walked) -> Measured:
    """What happened on the bars that count: the run's own later part, or the stitched stretches."""
    counted = whole.since(walked.starts_at)
    if walked.equity is None or walked.times is None or walked.trades is None:
        return counted
    equity = equity_series(walked.times, walked.equity, cash_unit=float(records.cash_unit))
    return Measured(equity, trades_in_money(walked.trades, records), counted.benchmark, counted.bars)


def _is_cancel_requested(run_id: UUID) -> bool:
    return bool(BacktestRun.objects.filter(id=run_id, is_cancel_requested=True).exists())


def _end(held: Claim, state: RunState, error: TradingError | None, clock: Clock) -> bool:
    try:
        end_without_result(held, state, error, now=clock.now())
    except OwnershipLost as lost:
        log.warning("backtest_taken_over", run_id=str(held.id), error=str(lost))
        return False
    return True
