"""Runs with their records, sweeps with their points, and the ledger of everything that was ever tried.

Markets and accounts are named inside the configuration: a run is a record of what was done and outlives the instrument that it was done on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models

from apps.backtests.contracts import RecordKind, RunMode, RunState, ScoreMode, SweepMethod
from apps.backtests.domain.parity_day import ParityClass
from apps.backtests.domain.trials import RunPurpose
from apps.common.fields import ExactField, MoneyField
from apps.common.models import UuidModel
from apps.portfolio.models import Account
from apps.strategies.models import Decision

STATES = [(item.value, item.value) for item in RunState]


class _Work(UuidModel):
    """What is queued, owned by one worker at a time, and ends once."""

    state = models.CharField(max_length=10, choices=STATES, default=RunState.QUEUED)
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True, help_text="What it is doing, or how it ended.")
    attempt = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has taken it up; only the newest may write.")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until when its worker owns it, unless it says more.")
    error = models.TextField(blank=True, help_text="Why it failed.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Sweep(_Work):
    """One strategy over many parameter values."""

    strategy = models.CharField(max_length=80)
    symbols = models.CharField(max_length=200)
    timeframe = models.CharField(max_length=4)
    config = models.JSONField(help_text="What every point has in common.")
    space = models.JSONField(help_text="Values or bounds by parameter.")
    method = models.CharField(max_length=10, choices=[(item.value, item.value) for item in SweepMethod], default=SweepMethod.GRID)
    objective = models.CharField(max_length=40, default="sharpe", help_text="The figure that is made as good as can be.")
    budget = models.PositiveIntegerField(help_text="Points in all.")
    seed = models.BigIntegerField(default=0)
    family = models.CharField(max_length=64)
    code_version = models.CharField(max_length=16, blank=True)
    data_hash = models.CharField(max_length=64, blank=True)
    overfitting = models.JSONField(null=True, blank=True, help_text="Probability of backtest overfitting over all points.")
    is_cancel_requested = models.BooleanField(default=False)
    requested_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.strategy} on {self.symbols}: {self.budget} points"


class SweepChunk(_Work):
    """A part of a sweep that one worker does at a time; points stored already are not made again."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    first = models.PositiveIntegerField(help_text="Number of its first point.")
    count = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["sweep", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["sweep", "number"], name="sweep_chunk_once")]

    def __str__(self) -> str:
        return f"points {self.first} to {self.first + self.count - 1}"


class SweepTrial(models.Model):
    """One point of a sweep with its figures; it keeps no orders, a run of the same parameters makes them again."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="trials")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=STATES)
    parameters = models.JSONField()
    score = models.FloatField(null=True, blank=True, help_text="The objective, larger is better.")
    metrics = models.JSONField(default=dict)
    fills_hash = models.CharField(max_length=64, blank=True)
    returns = models.BinaryField(default=bytes, help_text="Returns over equal parts of the bars, for the tests of overfitting.")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["sweep", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["sweep", "number"], name="sweep_trial_once")]

    def __str__(self) -> str:
        return f"{self.number}: {self.parameters}"


class BacktestRun(_Work):
    """One backtest: what was asked, how it stands, what came of it. The row is the intent; Celery only carries the wake-up."""

    config = models.JSONField(help_text="Everything that the result depends on, beside the bars and the code.")
    strategy = models.CharField(max_length=80)
    symbols = models.CharField(max_length=200)
    timeframe = models.CharField(max_length=4)
    mode = models.CharField(max_length=10, choices=[(item.value, item.value) for item in RunMode])
    profile = models.CharField(max_length=10)
    score = models.CharField(max_length=12, choices=[(item.value, item.value) for item in ScoreMode])
    seed = models.BigIntegerField(default=0)
    purpose = models.CharField(max_length=12, choices=[(item.value, item.value) for item in RunPurpose], default=RunPurpose.SINGLE)
    fingerprint = models.CharField(max_length=32, help_text="The same for the same configuration.")
    family = models.CharField(max_length=64, help_text="What is searched together: strategy, instruments and timeframe.")
    sweep = models.ForeignKey(Sweep, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs")
    code_version = models.CharField(max_length=16, blank=True)
    data_hash = models.CharField(max_length=64, blank=True, help_text="Hash of the bars that were used.")
    bars = models.PositiveIntegerField(default=0)
    places = models.JSONField(default=list, help_text="The instruments as they were, in the order that records name them.")
    fills_hash = models.CharField(max_length=64, blank=True, help_text="The same inputs give the same hash.")
    record_rows = models.JSONField(default=dict, help_text="Rows of records by kind.")
    metrics = models.JSONField(default=dict)
    tear_sheet = models.JSONField(default=dict)
    trial_number = models.PositiveIntegerField(null=True, blank=True, help_text="Which try of its family it was.")
    error_where = models.CharField(max_length=120, blank=True)
    error_hint = models.CharField(max_length=500, blank=True)
    is_cancel_requested = models.BooleanField(default=False)
    requested_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="run_by_state"),
            models.Index(fields=["family", "-id"], name="run_by_family"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy} on {self.symbols}, {self.created_at:%Y-%m-%d %H:%M}"


class RecordPart(models.Model):
    """A slice of one table of a run's records, compressed, so that a page reads no more than it shows."""

    run = models.ForeignKey(BacktestRun, on_delete=models.CASCADE, related_name="records")
    kind = models.CharField(max_length=8, choices=[(item.value, item.value) for item in RecordKind])
    first_row = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["run", "kind", "first_row"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "kind", "first_row"], name="record_part_once")]

    def __str__(self) -> str:
        return f"{self.kind} from {self.first_row}"


class TrialFamily(models.Model):
    """What was searched together: all tries of one strategy on the same instruments and timeframe."""

    key = models.CharField(max_length=64, primary_key=True)
    strategy = models.CharField(max_length=80)
    symbols = models.CharField(max_length=200)
    timeframe = models.CharField(max_length=4)
    entries = models.PositiveIntegerField(default=0, help_text="Lines of the ledger; also the lock of the next number.")

    class Meta:
        ordering: ClassVar = ["strategy", "symbols", "timeframe"]
        verbose_name_plural = "trial families"

    def __str__(self) -> str:
        return f"{self.strategy} on {self.symbols} {self.timeframe}"


class TrialEntry(models.Model):
    """A line of the trial ledger, never changed nor deleted: every run ever made, also failed and cancelled ones.

    Runs and sweeps may be deleted; their lines stay, so they are named by id only.
    """

    family = models.ForeignKey(TrialFamily, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField(help_text="Counts the family's lines.")
    purpose = models.CharField(max_length=12, choices=[(item.value, item.value) for item in RunPurpose])
    state = models.CharField(max_length=10, choices=STATES)
    run_id = models.UUIDField(null=True, blank=True, db_index=True)
    sweep_id = models.UUIDField(null=True, blank=True, db_index=True)
    point = models.PositiveIntegerField(null=True, blank=True, help_text="Number of the point in its sweep.")
    fingerprint = models.CharField(max_length=32)
    fills_hash = models.CharField(max_length=64, blank=True)
    sharpe = models.FloatField(null=True, blank=True, help_text="Per return, not a year; empty if it never traded.")
    skewness = models.FloatField(null=True, blank=True)
    kurtosis = models.FloatField(null=True, blank=True)
    observations = models.PositiveIntegerField(default=0)
    actor = models.CharField(max_length=150, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "trial"
        verbose_name_plural = "trial ledger"
        constraints: ClassVar = [models.UniqueConstraint(fields=["family", "number"], name="trial_number_once")]

    def __str__(self) -> str:
        return f"{self.family_id} {self.number}"


class WhatIf(_Work):
    """A decision that somebody wants to see with something changed, and the answer. The same question again is answered from here."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="what_ifs")
    changes = models.JSONField(help_text="What is to be different.")
    through = models.DateTimeField(help_text="The last close that is looked at.")
    fingerprint = models.CharField(max_length=64, unique=True, help_text="Decision, changes, last close and code.")
    code_version = models.CharField(max_length=40, blank=True)
    result = models.JSONField(default=dict, help_text="Both decisions and what came of them.")
    error_where = models.CharField(max_length=120, blank=True)
    error_hint = models.CharField(max_length=500, blank=True)
    requested_by = models.CharField(max_length=150, blank=True)
    is_cancel_requested = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"what if, of decision {self.decision_id}"


class ParityTolerance(UuidModel):
    """How far paper may be from its repetition in a day before the account is halted."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: every account without its own."
    )
    tolerance_bps = ExactField(help_text="Basis points of the equity at the start of the day; 100 are one percent.")
    halts = models.BooleanField(default=True, help_text="Off: a day beyond the tolerance is told, and trading goes on.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["account"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], name="parity_tolerance_once", nulls_distinct=False),
            models.CheckConstraint(condition=models.Q(tolerance_bps__gte=0), name="parity_tolerance_not_negative"),
        ]
        verbose_name_plural = "parity tolerances"

    def __str__(self) -> str:
        return f"{self.tolerance_bps} bps"


class ParityDay(UuidModel):
    """A finished day of an account, repeated by the backtester and compared."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="parity_days")
    day = models.DateField(help_text="Of the venue's clock.")
    decisions = models.PositiveIntegerField()
    orders = models.PositiveIntegerField()
    fills = models.PositiveIntegerField()
    differences = models.PositiveIntegerField()
    equity = MoneyField(help_text="At the start of the day.")
    deviation = MoneyField(help_text="What the differences are worth, in the account's currency.")
    deviation_bps = ExactField(help_text="The same in basis points of the equity.")
    tolerance_bps = ExactField()
    is_breached = models.BooleanField(default=False)
    halt_id = models.UUIDField(null=True, blank=True, help_text="The halt that this day engaged.")
    code_version = models.CharField(max_length=40, blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-day", "account"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "day"], name="parity_day_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.differences} differences"


class ParityDifference(UuidModel):
    """One thing that paper and its repetition did not do alike, with what it is a difference of."""

    day = models.ForeignKey(ParityDay, on_delete=models.CASCADE, related_name="found")
    kind = models.CharField(max_length=8, choices=[(item.value, item.value) for item in ParityClass])
    at = models.DateTimeField()
    session_id = models.UUIDField(null=True, blank=True)
    symbol = models.CharField(max_length=40, blank=True)
    decision_id = models.UUIDField(null=True, blank=True)
    order_id = models.UUIDField(null=True, blank=True)
    what = models.CharField(max_length=80)
    paper = models.CharField(max_length=500)
    backtest = models.CharField(max_length=500)
    amount = MoneyField(default=Decimal(0), help_text="What it is worth in money, without a sign.")

    class Meta:
        ordering: ClassVar = ["day", "at", "id"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"
