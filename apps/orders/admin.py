"""Admin of orders: orders are read, with their history and fills; a cancel may be asked for; the simulated venue's costs are edited."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from apps.core.errors import TradingError
from apps.orders import services
from apps.orders.domain.costs import Costs
from apps.orders.models import Fill, Order, OrderEvent, SimulatedAccount


class _ReadOnly:
    """What the system writes and a person only reads."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OrderEventInline(_ReadOnly, TabularInline):
    model = OrderEvent
    fields = readonly_fields = ("sequence", "trigger", "from_status", "to_status", "detail", "recorded_at")
    ordering = ("sequence",)
    extra = 0
    verbose_name_plural = "History"


class FillInline(_ReadOnly, TabularInline):
    model = Fill
    fields = readonly_fields = ("occurred_at", "quantity", "price", "fee", "fee_asset", "liquidity", "reason", "venue_trade_id")
    ordering = ("id",)
    extra = 0


@admin.register(Order)
class OrderAdmin(_ReadOnly, ModelAdmin):
    """Every order with what happened to it. Orders are entered on the pages and in the API, where the risk gate is."""

    list_display = ("created_at", "instrument", "side", "order_type", "quantity", "filled_quantity", "status", "origin", "status_reason")
    list_filter = ("status", "origin", "side", "order_type", "mode")
    list_select_related = ("instrument",)
    search_fields = ("client_order_id", "venue_order_id", "instrument__symbol", "reason")
    date_hierarchy = "created_at"
    inlines = (FillInline, OrderEventInline)
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
class FillAdmin(_ReadOnly, ModelAdmin):
    """Trades as the brokers reported them."""

    list_display = ("occurred_at", "instrument", "side", "quantity", "price", "fee", "fee_asset", "liquidity", "reason")
    list_filter = ("side", "liquidity", "reason")
    list_select_related = ("instrument",)
    search_fields = ("venue_trade_id", "venue_order_id", "instrument__symbol", "order__client_order_id")


_COSTS = ("fee_bps", "spread_bps", "slippage_bps")


class _CostsForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SimulatedAccount
        fields = _COSTS

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                Costs.from_bps(**{name: data[name] for name in _COSTS})
            except TradingError as error:
                raise forms.ValidationError({error.where: error.message}) from error
        return data


@admin.register(SimulatedAccount)
class SimulatedAccountAdmin(ModelAdmin):
    """What the simulated venue charges; a change holds from the next bar on and is logged with its actor."""

    form = _CostsForm
    list_display = ("account_id", "venue_id", "matched_through", *_COSTS)
    readonly_fields: ClassVar = ["account_id", "venue_id", "matched_through"]
    fields = ("account_id", "venue_id", "matched_through", *_COSTS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SimulatedAccount, form: Any, change: bool) -> None:
        services.change_costs(
            account_id=obj.account_id,
            fee_bps=obj.fee_bps,
            spread_bps=obj.spread_bps,
            slippage_bps=obj.slippage_bps,
            actor=request.user.get_username(),
        )
