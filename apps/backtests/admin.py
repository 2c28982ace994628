"""Runs, sweeps and the trial ledger in the admin: to look at, to start again, to stop. Results are never edited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.backtests import services
from apps.backtests.models import (
    BacktestRun,
    ParityDay,
    ParityDifference,
    ParityTolerance,
    Sweep,
    TrialEntry,
    TrialFamily,
    WhatIf,
)
from apps.backtests.services.parity import change_tolerance
from apps.common.reading import ReadOnly
from apps.core.errors import TradingError


class _ReadOnlyAdmin(ReadOnly, ModelAdmin):
    """Rows that only the system writes."""

    list_per_page = 50
    show_full_result_count = False

    def _each(self, request: HttpRequest, ids: list[UUID], act: Callable[[UUID], str]) -> None:
        """Do it for every row; a refusal is shown and the others go on."""
        for row_id in ids:
            try:
                self.message_user(request, act(row_id), messages.SUCCESS)
            except TradingError as error:
                self.message_user(request, str(error), messages.ERROR)


@admin.register(BacktestRun)
class BacktestRunAdmin(_ReadOnlyAdmin):
    """Runs, with ways to make them again, to stop and to delete them."""

    list_display = (
        "created_at",
        "strategy",
        "symbols",
        "timeframe",
        "mode",
        "profile",
        "state",
        "progress",
        "total_return",
        "trial_number",
    )
    list_filter = ("state", "strategy", "mode", "profile", "timeframe")
    search_fields = ("strategy", "symbols", "fills_hash", "data_hash", "requested_by")
    actions = ("run_again", "cancel_selected", "delete_runs")

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Who may ask for a run, stop or delete one."""
        return bool(request.user.has_perm("backtests.add_backtestrun"))

    @admin.display(description="Progress")
    def progress(self, run: BacktestRun) -> str:
        return f"{run.progress_done / run.progress_total:.0%}" if run.progress_total else run.message[:40]

    @admin.display(description="Return")
    def total_return(self, run: BacktestRun) -> str:
        value = run.metrics.get("figures", {}).get("total_return")
        return "" if value is None else f"{value:+.2%}"

    @admin.action(description="Run again: the same configuration on the bars of now", permissions=["run"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[BacktestRun]) -> None:
        def act(run_id: UUID) -> str:
            return f"Backtest {services.repeat_run(run_id=run_id, actor=str(request.user))} is queued; its progress shows here."

        self._each(request, list(queryset.values_list("id", flat=True)), act)

    @admin.action(description="Cancel the selected backtests", permissions=["run"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[BacktestRun]) -> None:
        def act(run_id: UUID) -> str:
            return f"Backtest {run_id}: {services.cancel_run(run_id=run_id, actor=str(request.user)).lower()}."

        self._each(request, list(queryset.values_list("id", flat=True)), act)

    @admin.action(description="Delete the selected backtests that are over; their lines in the trial ledger stay", permissions=["run"])
    def delete_runs(self, request: HttpRequest, queryset: QuerySet[BacktestRun]) -> None:
        def act(run_id: UUID) -> str:
            services.delete_run(run_id=run_id, actor=str(request.user))
            return f"Backtest {run_id} is deleted."

        self._each(request, list(queryset.values_list("id", flat=True)), act)


@admin.register(Sweep)
class SweepAdmin(_ReadOnlyAdmin):
    """Sweeps and how far they are."""

    list_display = ("created_at", "strategy", "symbols", "timeframe", "method", "objective", "budget", "state", "progress")
    list_filter = ("state", "strategy", "method")
    search_fields = ("strategy", "symbols", "requested_by")

    @admin.display(description="Progress")
    def progress(self, sweep: Sweep) -> str:
        return f"{sweep.progress_done} of {sweep.budget}"


@admin.register(TrialFamily)
class TrialFamilyAdmin(_ReadOnlyAdmin):
    """How often each strategy was tried on the same market."""

    list_display = ("strategy", "symbols", "timeframe", "entries")
    search_fields = ("strategy", "symbols")


@admin.register(TrialEntry)
class TrialEntryAdmin(_ReadOnlyAdmin):
    """Every run ever made, also failed and cancelled ones."""

    list_display = ("recorded_at", "family", "number", "purpose", "state", "sharpe", "observations", "actor")
    list_filter = ("purpose", "state", "family__strategy")
    list_select_related = ("family",)
    search_fields = ("family__strategy", "family__symbols", "fingerprint", "fills_hash")


@admin.register(WhatIf)
class WhatIfAdmin(_ReadOnlyAdmin):
    """Questions about decisions, with who asked them."""

    list_display = ("created_at", "decision", "changes", "state", "requested_by")
    list_filter = ("state", "requested_by")
    list_select_related = ("decision",)


class _ToleranceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ParityTolerance
        fields = ("account", "tolerance_bps", "halts")

    def clean_tolerance_bps(self) -> Any:
        value = self.cleaned_data["tolerance_bps"]
        if not value.is_finite() or value < 0:
            raise forms.ValidationError("Give basis points, zero or more.")
        return value


@admin.register(ParityTolerance)
class ParityToleranceAdmin(ModelAdmin):
    """How far paper may be from its repetition. Each change goes through the service, which puts it on the log with its actor."""

    form = _ToleranceForm
    list_display = ("scope", "tolerance_bps", "halts", "updated_at")

    @admin.display(description="Applies to")
    def scope(self, row: ParityTolerance) -> str:
        return str(row.account) if row.account_id else "every account without its own"

    def get_readonly_fields(self, request: HttpRequest, obj: ParityTolerance | None = None) -> tuple[str, ...]:
        return ("account",) if obj else ()

    def save_model(self, request: HttpRequest, obj: ParityTolerance, form: Any, change: bool) -> None:
        obj.id = change_tolerance(
            tolerance_bps=obj.tolerance_bps, halts=obj.halts, actor=str(request.user), now=datetime.now(UTC), account_id=obj.account_id
        )

    def has_delete_permission(self, request: HttpRequest, obj: ParityTolerance | None = None) -> bool:
        """That of every account stays."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.account_id is not None)


@admin.register(ParityDay)
class ParityDayAdmin(_ReadOnlyAdmin):
    """Compared days."""

    list_display = ("day", "account", "decisions", "orders", "fills", "differences", "deviation_bps", "tolerance_bps", "is_breached")
    list_filter = ("is_breached", "account")
    list_select_related = ("account",)
    date_hierarchy = "day"


@admin.register(ParityDifference)
class ParityDifferenceAdmin(_ReadOnlyAdmin):
    """What differed, by class."""

    list_display = ("at", "kind", "symbol", "what", "paper", "backtest", "amount")
    list_filter = ("kind", "symbol")
    search_fields = ("what", "paper", "backtest")
