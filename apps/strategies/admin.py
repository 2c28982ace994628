"""Strategies with their typed parameters, sessions and decisions in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.common.reading import ReadOnly
from apps.core.errors import TradingError
from apps.strategies import services
from apps.strategies.domain.catalog import session_class, session_help, session_kinds
from apps.strategies.domain.parameters import ParameterSpec, build_parameters, describe_parameters
from apps.strategies.models import Decision, Strategy, TradingSession

PREFIX = "parameter_"


def _form_field(spec: ParameterSpec, value: Any) -> forms.Field:
    options: dict[str, Any] = {"label": spec.name.replace("_", " ").capitalize(), "help_text": spec.help, "initial": value}
    if spec.kind is bool:
        return forms.BooleanField(required=False, widget=UnfoldBooleanWidget, **options)
    if spec.kind is int:
        low, high = (None if bound is None else int(bound) for bound in (spec.minimum, spec.maximum))
        return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget, min_value=low, max_value=high, **options)
    return forms.FloatField(widget=UnfoldAdminDecimalFieldWidget, min_value=spec.minimum, max_value=spec.maximum, **options)


class StrategyForm(forms.ModelForm[Strategy]):
    """A form with one typed field per parameter of the strategy's class."""

    kind = forms.ChoiceField(widget=UnfoldAdminSelectWidget, help_text="The strategy class. Save once to see its parameters.")

    class Meta:
        model = Strategy
        fields = ("name", "kind", "note")
        widgets = {"name": UnfoldAdminTextInputWidget, "note": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind_field = self.fields["kind"]
        assert isinstance(kind_field, forms.ChoiceField)
        kind_field.choices = list(session_kinds().items())
        for spec in self._specs():
            self.fields[PREFIX + spec.name] = _form_field(spec, self.instance.parameters.get(spec.name, spec.default))

    def _specs(self) -> list[ParameterSpec]:
        return describe_parameters(session_class(self.instance.kind).Parameters) if self.instance.kind else []

    def parameter_values(self) -> dict[str, Any]:
        """The parameters as entered."""
        return {spec.name: self.cleaned_data[PREFIX + spec.name] for spec in self._specs() if PREFIX + spec.name in self.cleaned_data}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.instance.pk and not self.errors and cleaned.get("kind") == self.instance.kind:
            try:
                build_parameters(session_class(self.instance.kind).Parameters, self.parameter_values())
            except TradingError as error:
                self.add_error(PREFIX + error.where if PREFIX + error.where in self.fields else None, error.message)
        return cleaned


@admin.register(Strategy)
class StrategyAdmin(ModelAdmin):
    form = StrategyForm
    list_display = ("name", "kind", "parameters", "updated_at")

    def get_fieldsets(self, request: HttpRequest, obj: Strategy | None = None) -> Any:
        sections: list[Any] = [(None, {"fields": ("name", "kind", "note")})]
        if obj is not None:
            names = [PREFIX + spec.name for spec in describe_parameters(session_class(obj.kind).Parameters)]
            what = f"{session_help(obj.kind)} Running sessions use new values from their next bar on."
            sections.append(("Parameters", {"fields": names, "description": what}))
        return sections

    def get_form(self, request: HttpRequest, obj: Strategy | None = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["fields"] = ("name", "kind", "note")
        return super().get_form(request, obj, change=change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Strategy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        values = form.parameter_values() if change and "kind" not in form.changed_data else {}
        if values:
            services.update_parameters(strategy_id=obj.id, values=values, actor=str(request.user), reason="changed in the admin")


@admin.register(TradingSession)
class TradingSessionAdmin(ModelAdmin):
    list_display = ("strategy", "instrument", "account", "timeframe", "mode", "capital", "state", "last_bar_at")
    list_filter = ("state", "mode", "strategy")
    list_select_related = ("strategy", "instrument", "account")
    readonly_fields = ("state", "state_reason", "last_bar_at", "started_at", "stopped_at")
    actions = ("start_selected", "stop_selected")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Start the selected sessions")
    def start_selected(self, request: HttpRequest, queryset: QuerySet[TradingSession]) -> None:
        for row in queryset:
            try:
                services.start_session(session_id=row.id, actor=str(request.user))
            except TradingError as error:
                self.message_user(request, str(error), messages.ERROR)

    @admin.action(description="Stop the selected sessions (positions are closed)")
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[TradingSession]) -> None:
        for row in queryset:
            services.stop_session(session_id=row.id, keep_positions=False, actor=str(request.user), reason="stopped in the admin")


@admin.register(Decision)
class DecisionAdmin(ReadOnly, ModelAdmin):
    """Decisions are read-only: they are the record."""

    list_display = ("bar_at", "session", "instrument", "outcome", "sentence")
    list_filter = ("outcome",)
    list_select_related = ("session", "instrument", "session__strategy")
    search_fields = ("sentence",)
    show_full_result_count = False
