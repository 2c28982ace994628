"""Models, runs and forecasts, to look at; a training can be asked for."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.common.reading import ReadOnly
from apps.core.errors import TradingError
from apps.forecasts.models import Forecast, ForecastModel, TrainingRun
from apps.forecasts.services import train_venue


class _ReadOnlyAdmin(ReadOnly, ModelAdmin):
    """Rows that only the system writes."""

    list_per_page = 50
    show_full_result_count = False


@admin.register(TrainingRun)
class TrainingRunAdmin(_ReadOnlyAdmin):
    """Runs, with a way to ask for another."""

    list_display = ("created_at", "venue", "status", "reason", "progress", "trained_through", "attempt", "message")
    list_filter = ("status", "venue")
    search_fields = ("reason", "message")
    list_select_related = ("venue",)
    actions = ("train_now",)

    @admin.display(description="Progress")
    def progress(self, run: TrainingRun) -> str:
        return f"{run.progress_done} of {run.progress_total}"

    def has_train_permission(self, request: HttpRequest) -> bool:
        """Who may ask for a training."""
        return bool(request.user.has_perm("forecasts.add_trainingrun"))

    @admin.action(description="Train now: all instruments of the selected runs' venues, on the bars up to now", permissions=["train"])
    def train_now(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        for venue_id in dict.fromkeys(queryset.values_list("venue_id", flat=True)):
            try:
                run_id = train_venue(venue_id=venue_id, reason=f"Asked for by {request.user} in the admin.")
            except TradingError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"Training {run_id} is queued; its progress shows here.")


@admin.register(ForecastModel)
class ForecastModelAdmin(_ReadOnlyAdmin):
    """Models with their figures on held-out bars."""

    list_display = ("instrument", "horizon_bars", "learner", "version", "status", "skill", "coefficient", "coverage", "trained_through")
    list_filter = ("status", "learner", "horizon_bars", "instrument__venue")
    search_fields = ("instrument__symbol", "dataset_hash")
    list_select_related = ("instrument",)
    exclude = ("artifact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ForecastModel]:
        rows: QuerySet[ForecastModel] = super().get_queryset(request)
        return rows.defer("artifact")

    @admin.display(description="Skill over naive")
    def skill(self, model: ForecastModel) -> str:
        return f"{model.metrics['skill']:+.2%}"

    @admin.display(description="Information coefficient (t)")
    def coefficient(self, model: ForecastModel) -> str:
        value, t_value = model.metrics["information_coefficient"], model.metrics["edge_t"]
        return "not defined" if value is None or t_value is None else f"{value:+.3f} ({t_value:+.1f})"

    @admin.display(description="Coverage (nominal 80 %)")
    def coverage(self, model: ForecastModel) -> str:
        value = model.metrics["coverage"]
        return "not defined" if value is None else f"{value:.0%}"


@admin.register(Forecast)
class ForecastAdmin(_ReadOnlyAdmin):
    """Forecasts as they were made."""

    list_display = ("as_of", "instrument", "horizon_bars", "expected_return", "lower", "upper", "probability_up", "confidence", "trend")
    list_filter = ("trend", "horizon_bars", "instrument__venue")
    search_fields = ("instrument__symbol",)
    list_select_related = ("instrument",)
