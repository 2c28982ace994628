"""Admin of orders: orders are read, with their history and fills; a cancel may be asked for; the simulated venue's costs are edited."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from apps.common.reading import ReadOnly
from apps.core.errors import TradingError
from apps.orders import services
from apps.orders.contracts import SlippageChoice, VenueProfile
from apps.orders.domain.venue_profiles import VenueTerms, tiers_of
from apps.orders.models import Fill, Order, OrderAmendment, OrderEvent, SimulatedAccount


class OrderEventInline(ReadOnly, TabularInline):
    model = OrderEvent
    fields = readonly_fields = ("sequence", "trigger", "from_status", "to_status", "detail", "recorded_at")
    ordering = ("sequence",)
    extra = 0
    verbose_name_plural = "History"


class AmendmentInline(ReadOnly, TabularInline):
    model = OrderAmendment
    fields = readonly_fields = (
        "created_at", "status", "quantity", "limit_price", "stop_price", "trail_amount", "trail_percent", "requested_by", "reason",
    )  # fmt: skip
    ordering = ("id",)
    extra = 0
    verbose_name_plural = "Amendments"


class ChildInline(ReadOnly, TabularInline):
    """The orders that wait, or waited, for this one."""

    model = Order
    fk_name = "parent"
    fields = readonly_fields = ("client_order_id", "side", "order_type", "quantity", "limit_price", "stop_price", "status", "status_reason")
    ordering = ("id",)
    extra = 0
    show_change_link = True
    verbose_name_plural = "Children"


class FillInline(ReadOnly, TabularInline):
    model = Fill
    fields = readonly_fields = ("occurred_at", "quantity", "price", "fee", "fee_asset", "liquidity", "reason", "venue_trade_id")
    ordering = ("id",)
    extra = 0


@admin.register(Order)
class OrderAdmin(ReadOnly, ModelAdmin):
    """Every order with what happened to it. Orders are entered on the pages and in the API, where the risk gate is."""

    list_display = ("created_at", "instrument", "side", "order_type", "quantity", "filled_quantity", "status", "origin", "status_reason")
    list_filter = ("status", "origin", "side", "order_type", "mode")
    list_select_related = ("instrument",)
    search_fields = ("client_order_id", "venue_order_id", "instrument__symbol", "reason")
    date_hierarchy = "created_at"
    inlines = (ChildInline, FillInline, AmendmentInline, OrderEventInline)
    actions = ("request_cancel",)

    @admin.action(description="Request cancel (the executor carries it out)")
    def request_cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        for order in queryset.order_by("id"):
            try:
                status = services.request_cancel(order_id=order.id, actor=request.user.get_username(), reason="Asked for in the admin.")
            except TradingError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{order.client_order_id}: {status}")


@admin.register(Fill)
class FillAdmin(ReadOnly, ModelAdmin):
    """Trades as the brokers reported them."""

    list_display = ("occurred_at", "instrument", "side", "quantity", "price", "fee", "fee_asset", "liquidity", "reason")
    list_filter = ("side", "liquidity", "reason")
    list_select_related = ("instrument",)
    search_fields = ("venue_trade_id", "venue_order_id", "instrument__symbol", "order__client_order_id")


_TERMS = tuple(field.name for field in fields(VenueTerms))


class _TermsForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SimulatedAccount
        fields = _TERMS

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.terms = _terms_of(data)
                self.terms.check()
            except TradingError as error:
                raise forms.ValidationError({error.where if error.where in _TERMS else "profile": error.message}) from error
        return data


def _terms_of(values: dict[str, Any]) -> VenueTerms:
    return VenueTerms(
        **values
        | {
            "profile": VenueProfile(values["profile"]),
            "slippage_model": SlippageChoice(values["slippage_model"]),
            "fee_tiers": tiers_of(values["fee_tiers"] or []),
        }
    )


@admin.register(SimulatedAccount)
class SimulatedAccountAdmin(ModelAdmin):
    """By whose rules the simulated venue fills and what it charges; a change holds from the next bar on and is logged with its actor."""

    form = _TermsForm
    list_display = ("account_id", "venue_id", "matched_through", "profile", "fee_bps", "spread_bps", "slippage_bps", "volume_percent")
    list_filter = ("profile",)
    readonly_fields: ClassVar = ["account_id", "venue_id", "matched_through", "cash_flow", "traded_value"]
    fieldsets = (
        (None, {"fields": ("account_id", "venue_id", "matched_through", "cash_flow", "traded_value")}),
        ("Rules", {"fields": ("profile", "volume_percent", "latency_ms")}),
        ("Fees", {"fields": ("fee_bps", "maker_fee_bps", "fee_flat", "fee_per_unit", "fee_minimum", "fee_cap_bps", "fee_tiers")}),
        ("Spread and slippage", {"fields": ("spread_bps", "slippage_bps", "slippage_model", "impact_bps")}),
        ("Margin", {"fields": ("allows_short", "leverage", "maintenance_percent", "margin_call_percent")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SimulatedAccount, form: Any, change: bool) -> None:
        services.change_venue_terms(account_id=obj.account_id, terms=form.terms, actor=request.user.get_username())
