"""Admin of markets: venues and clocks are read, instruments edited within what stored bars allow, quarantine and pulls read."""

from __future__ import annotations

from copy import copy
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from apps.common.reading import ReadOnly
from apps.core.errors import TradingError
from apps.markets import selectors, services
from apps.markets.models import Instrument, QuarantinedCandle, SourcePull, Venue, VenueClock
from apps.markets.services.instruments import GRID

_IDENTITY = ("venue", "symbol", "is_closes_only", "is_adjusted", "source_label", "first_bar_at", "last_bar_at")


class _ClockInline(ReadOnly, TabularInline):
    model = VenueClock
    fields: ClassVar = ("status", "now_at", "starts_at", "ends_at", "bars_per_second", "jump_to", "bars_done", "message")


@admin.register(Venue)
class VenueAdmin(ReadOnly, ModelAdmin):
    """Venues are opened by commands and by the transport; here one sees them and archives old ones."""

    list_display = ("code", "name", "kind", "timeframe", "status", "now_at", "is_default", "created_at")
    list_filter = ("kind", "clock__status")
    search_fields = ("code", "name")
    list_select_related = ("clock",)
    inlines: ClassVar = [_ClockInline]
    actions = ("archive",)

    @admin.display(ordering="clock__status")
    def status(self, venue: Venue) -> str:
        return str(venue.clock.status)

    @admin.display(ordering="clock__now_at", description="market time")
    def now_at(self, venue: Venue) -> Any:
        return venue.clock.now_at

    @admin.action(description="Archive: stop for good, keep everything readable", permissions=["archive"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Venue]) -> None:
        for venue in queryset:
            services.archive_venue(venue.id, reason="Archived in the admin.", actor=request.user.get_username())
        messages.success(request, "Archived.")

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("markets.change_venue")


@admin.register(VenueClock)
class VenueClockAdmin(ReadOnly, ModelAdmin):
    list_display = ("venue", "status", "now_at", "bars_per_second", "bars_done", "message", "updated_at")
    list_filter = ("status",)
    list_select_related = ("venue",)


class _InstrumentForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Instrument
        fields = "__all__"  # noqa: DJ007

    def clean(self) -> dict[str, Any]:
        """Refuse a grid on which whole-number arithmetic could wrap or lose a unit."""
        cleaned: dict[str, Any] = super().clean() or {}
        candidate = copy(self.instance)
        for name, value in cleaned.items():
            setattr(candidate, name, value)
        try:
            candidate.spec().check_bounds()
        except (TradingError, TypeError, ArithmeticError) as error:
            raise forms.ValidationError(str(error)) from error
        return cleaned


@admin.register(Instrument)
class InstrumentAdmin(ModelAdmin):
    """The grid is fixed once bars exist: stored whole numbers would mean something else. Changes are on the log."""

    form = _InstrumentForm
    list_display = ("symbol", "name", "venue", "asset_class", "tick_size", "lot_size", "is_closes_only", "is_active")
    list_filter = ("asset_class", "is_active", "venue__kind")
    search_fields = ("symbol", "name", "venue__code")
    list_select_related = ("venue",)
    fieldsets: ClassVar = (
        (None, {"fields": ("venue", "symbol", "name", "asset_class", "is_active")}),
        ("Grid and bounds", {"fields": (*sorted(GRID), "min_quantity", "min_notional", "max_price", "max_quantity")}),
        ("Data", {"fields": ("is_closes_only", "is_adjusted", "source_label", "first_bar_at", "last_bar_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Instrument | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return (*_IDENTITY, *sorted(GRID)) if selectors.has_bars(obj.id) else _IDENTITY

    def save_model(self, request: HttpRequest, obj: Instrument, form: forms.ModelForm[Instrument], change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        services.change_instrument(obj.id, values=values, actor=request.user.get_username())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(QuarantinedCandle)
class QuarantinedCandleAdmin(ReadOnly, ModelAdmin):
    """Bars that failed a check, as they came. They are never used."""

    list_display = ("instrument", "timeframe", "opened_at", "reason", "detail", "source", "recorded_at")
    list_filter = ("reason", "source", "instrument__venue")
    search_fields = ("instrument__symbol", "detail")
    list_select_related = ("instrument",)


@admin.register(SourcePull)
class SourcePullAdmin(ReadOnly, ModelAdmin):
    list_display = ("venue", "started_at", "finished_at", "rows_written", "rows_quarantined", "error")
    list_filter = ("venue",)
    list_select_related = ("venue",)
