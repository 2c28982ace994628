"""Admin of risk: limits and rules are edited here; halts are reset; verdicts and reservations are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.common.reading import ReadOnly
from apps.core.errors import TradingError
from apps.risk import services
from apps.risk.contracts import limit_choices, limit_help
from apps.risk.domain.factor import Measure
from apps.risk.domain.numbers import is_usable
from apps.risk.models import Halt, LiveTradingSwitch, Reservation, RiskFactorRule, RiskFactorState, RiskLimit, RiskVerdict

_SCOPE = ("code", "mode", "account_id", "strategy", "instrument")


class _LimitForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RiskLimit
        fields = (*_SCOPE, "value", "is_enabled", "note")
        help_texts: ClassVar = {"code": "What is limited. " + " ".join(f"{code}: {limit_help(code)}" for code, _ in limit_choices())}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.code:
            self.fields["value"].help_text = limit_help(self.instance.code)

    def clean_value(self) -> Any:
        value = self.cleaned_data["value"]
        if not is_usable(value) or value < 0:
            raise forms.ValidationError("Give a number that is zero or more.")
        return value


@admin.register(RiskLimit)
class RiskLimitAdmin(ModelAdmin):
    """Each change goes through the service, which puts old value, new value and actor on the log."""

    form = _LimitForm
    list_display = ("code", "value", "is_enabled", "scope", "meaning", "updated_at")
    list_filter = ("mode", "code", "is_enabled")
    search_fields = ("code", "strategy", "note")

    @admin.display(description="Applies to")
    def scope(self, limit: RiskLimit) -> str:
        parts = [limit.mode, str(limit.account_id or ""), limit.strategy, str(limit.instrument or "")]
        return ", ".join(part for part in parts if part) or "everything"

    @admin.display(description="Meaning and unit")
    def meaning(self, limit: RiskLimit) -> str:
        return limit_help(limit.code)

    def get_readonly_fields(self, request: HttpRequest, obj: RiskLimit | None = None) -> tuple[str, ...]:
        return _SCOPE if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A limit is switched off, not deleted, so that what it was stays visible."""
        return False

    def save_model(self, request: HttpRequest, obj: RiskLimit, form: forms.ModelForm[RiskLimit], change: bool) -> None:
        obj.id = services.change_limit(
            code=obj.code,
            value=obj.value,
            is_enabled=obj.is_enabled,
            mode=obj.mode,
            account_id=obj.account_id,
            strategy=obj.strategy,
            instrument_id=obj.instrument_id,
            note=obj.note,
            actor=request.user.get_username(),
            now=datetime.now(UTC),
        )


@admin.register(RiskFactorRule)
class RiskFactorRuleAdmin(ModelAdmin):
    """Rules of the global risk factor; the factor is 1 times the multiplier of each rule that applies, never above 1."""

    list_display = ("measure", "threshold", "multiplier", "reason", "is_enabled")

    def save_model(
        self,
        request: HttpRequest,
        obj: RiskFactorRule,
        form: forms.ModelForm[RiskFactorRule],
        change: bool,
    ) -> None:
        services.change_factor_rule(
            measure=Measure(obj.measure),
            threshold=obj.threshold,
            multiplier=obj.multiplier,
            reason=obj.reason,
            is_enabled=obj.is_enabled,
            actor=request.user.get_username(),
            now=datetime.now(UTC),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: RiskFactorRule | None = None) -> tuple[str, ...]:
        return ("measure",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Halt)
class HaltAdmin(ReadOnly, ModelAdmin):
    """Emergency stops; the action resets what is engaged."""

    list_display = (
        "engaged_at",
        "reason",
        "engaged_by",
        "account_id",
        "flatten",
        "verified_at",
        "orders_cancelled",
        "reset_at",
        "reset_by",
    )
    list_filter = ("flatten",)
    actions = ("reset_selected",)

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Who may let trading go on."""
        return bool(request.user.has_perm("risk.change_halt"))

    @admin.action(description="Reset: let trading go on", permissions=["reset"])
    def reset_selected(self, request: HttpRequest, queryset: QuerySet[Halt]) -> None:
        actor = request.user.get_username()
        for halt in queryset:
            try:
                services.reset_halt(halt_id=halt.id, actor=actor, reason=f"Reset in the admin by {actor}.", now=datetime.now(UTC))
            except TradingError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"Reset: {halt.reason}", messages.SUCCESS)


@admin.register(RiskFactorState)
class RiskFactorStateAdmin(ReadOnly, ModelAdmin):
    list_display = ("account_id", "value", "reasons", "changed_at")


@admin.register(Reservation)
class ReservationAdmin(ReadOnly, ModelAdmin):
    list_display = ("order_id", "account_id", "instrument", "quantity", "notional", "cash", "is_reducing", "created_at", "ended_at")
    list_filter = ("is_reducing",)
    list_select_related = ("instrument",)


@admin.register(RiskVerdict)
class RiskVerdictAdmin(ReadOnly, ModelAdmin):
    list_display = ("created_at", "order_id", "instrument", "approved", "first_failure")
    list_filter = ("approved", "first_failure")
    list_select_related = ("instrument",)


@admin.register(LiveTradingSwitch)
class LiveTradingSwitchAdmin(ReadOnly, ModelAdmin):
    list_display = ("is_on", "changed_by", "changed_at", "reason")
