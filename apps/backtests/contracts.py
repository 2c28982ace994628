"""What other apps may know of backtests, sweeps and the trial ledger. No Django here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.backtests.domain.config import RunConfig as RunConfig
from apps.backtests.domain.config import RunMode as RunMode
from apps.backtests.domain.config import ScoreMode as ScoreMode
from apps.backtests.domain.config import config_from_json as config_from_json
from apps.backtests.domain.records import RunRecords as RunRecords
from apps.backtests.domain.states import RunState as RunState
from apps.backtests.domain.states import SweepMethod as SweepMethod
from apps.core.events import Event, Priority, event
from apps.strategies.domain.parameters import ParameterSpec


class RecordKind(StrEnum):
    """Tables of a run's records."""

    ORDERS = "orders"
    FILLS = "fills"
    TRADES = "trades"
    ENTRIES = "entries"
    EQUITY = "equity"


class ExportFormat(StrEnum):
    """What records can be had as."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        return {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}[self.value]


@dataclass(frozen=True)
class Progress:
    """How far something is; `total` is 0 until it is known."""

    done: int
    total: int
    message: str

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass(frozen=True)
class WorkUnderWay:
    """A backtest or sweep that waits or runs: `kind` is "run" or "sweep"."""

    kind: str
    id: UUID
    state: RunState
    title: str
    progress: Progress

    def as_message(self) -> dict[str, Any]:
        """What open pages are told."""
        return {
            "kind": self.kind,
            "id": str(self.id),
            "state": str(self.state),
            "title": self.title,
            "done": self.progress.done,
            "total": self.progress.total,
            "message": self.progress.message,
        }


@dataclass(frozen=True)
class RunSummary:
    """A run as lists show it; figures are None until it is done."""

    id: UUID
    state: RunState
    strategy: str
    symbols: str
    timeframe: str
    mode: RunMode
    profile: str
    score: ScoreMode
    progress: Progress
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    total_return: float | None
    sharpe: float | None
    max_drawdown: float | None
    trades: int | None
    trial_number: int | None
    sweep_id: UUID | None
    error: str


@dataclass(frozen=True)
class SharpeJudgement:
    """What stands beside a Sharpe ratio: how much of it search and luck explain. None where it cannot be told.

    `trials` counts the different configurations tried in the run's family up to now, `deflated` is the Deflated Sharpe Ratio (a probability),
    `overfitting` the probability of backtest overfitting of the sweep that the run belongs to, `track_record` the returns that are needed
    before the Sharpe ratio is above zero with 95 % confidence, beside the `observations` that there are.
    """

    trials: int
    sharpe_per_return: float | None
    probabilistic: float | None
    deflated: float | None
    overfitting: float | None
    track_record: float | None
    observations: int


@dataclass(frozen=True)
class RunLine:
    """A run as a list judges it. `score` says what its figures were measured on: a run with too few bars to walk forward is plain.
    `first_at` and `last_at` are the ends of its bars, None until it is done."""

    summary: RunSummary
    fills_hash: str
    score: str
    first_at: datetime | None
    last_at: datetime | None
    judgement: SharpeJudgement | None


@dataclass(frozen=True)
class StrategyChoice:
    """A strategy that can be run: the modes in which it can, the fastest first, and its parameters."""

    kind: str
    title: str
    modes: tuple[RunMode, ...]
    parameters: tuple[ParameterSpec, ...]


@dataclass(frozen=True)
class RunView:
    """A run with everything but its records."""

    summary: RunSummary
    config: RunConfig
    seed: int
    code_version: str
    data_hash: str
    fills_hash: str
    bars: int
    record_rows: dict[str, int]
    metrics: dict[str, Any]
    judgement: SharpeJudgement | None
    error: str
    error_where: str
    error_hint: str
    attempt: int
    is_cancel_requested: bool


@dataclass(frozen=True)
class SweepView:
    """A sweep: one strategy over many parameter values."""

    id: UUID
    state: RunState
    strategy: str
    symbols: str
    timeframe: str
    method: SweepMethod
    objective: str
    space: dict[str, Any]
    config: RunConfig
    budget: int
    seed: int
    progress: Progress
    best_number: int | None
    best_score: float | None
    overfitting: float | None
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str


@dataclass(frozen=True)
class SweepTrialView:
    """One point of a sweep. `score` is the objective's value, larger is better; None where it could not be judged."""

    number: int
    state: RunState
    parameters: dict[str, Any]
    score: float | None
    metrics: dict[str, float | None]
    fills_hash: str
    error: str


@dataclass(frozen=True)
class TrialView:
    """A line of the trial ledger: a run or a point of a sweep that was made, whatever became of it."""

    position: int
    number: int
    family: str
    strategy: str
    symbols: str
    timeframe: str
    purpose: str
    state: RunState
    run_id: UUID | None
    sweep_id: UUID | None
    fingerprint: str
    judgement: SharpeJudgement | None
    actor: str
    recorded_at: datetime


@event("backtests.run_requested", priority=Priority.LOW)
class RunRequested(Event):
    run_id: UUID
    strategy: str
    symbols: str
    timeframe: str


@event("backtests.run_finished")
class RunFinished(Event):
    """`message` is the error where it failed."""

    run_id: UUID
    state: str
    strategy: str
    symbols: str
    timeframe: str
    fills: int
    seconds: float
    fills_hash: str
    message: str
    total_return: float | None = None


@event("backtests.run_deleted")
class RunDeleted(Event):
    run_id: UUID
    strategy: str
    symbols: str


@event("backtests.sweep_requested", priority=Priority.LOW)
class SweepRequested(Event):
    sweep_id: UUID
    strategy: str
    symbols: str
    points: int


@event("backtests.sweep_finished")
class SweepFinished(Event):
    sweep_id: UUID
    state: str
    strategy: str
    symbols: str
    points: int
    seconds: float
    message: str


@event("backtests.parity_breached", priority=Priority.HIGH)
class ParityBreached(Event):
    """A day of an account and its repetition are further apart than the tolerance; `halt_id` is the halt that followed, if one did."""

    account_id: UUID
    account: str
    day: str
    differences: int
    kinds: str
    deviation: Decimal
    deviation_bps: Decimal
    tolerance_bps: Decimal
    halt_id: UUID | None
    message: str


@event("backtests.parity_tolerance_changed", priority=Priority.HIGH)
class ParityToleranceChanged(Event):
    """A person has set another tolerance; `account` is empty for that of every account."""

    account: str
    old_value: str
    new_value: str
    halts: bool
