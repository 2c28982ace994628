"""Admin of the log: everything to see, nothing to change, but for settling dead letters."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.core.errors import TradingError
from apps.core.events import Priority
from apps.events import services
from apps.events.models import ActivityCount, ConsumerCheckpoint, DeadLetter, HandlerRetry, LoggedEvent


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows; refuses to add, change or delete them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(LoggedEvent)
class LoggedEventAdmin(ReadOnlyAdmin):
    list_display: ClassVar = ["position", "event_type", "subject", "actor", "occurred_at", "recorded_at", "lane"]
    list_filter: ClassVar = ["priority", "event_type", "recorded_at"]
    search_fields: ClassVar = ["=subject", "=actor", "=event_type"]
    search_help_text = "A whole subject (an order, session, account or instrument id), actor or event type."
    ordering: ClassVar = ["-position"]
    show_full_result_count = False
    list_per_page = 50
    fields: ClassVar = [
        "position",
        "id",
        "event_type",
        "version",
        "lane",
        "subject",
        "actor",
        "occurred_at",
        "recorded_at",
        "payload",
        "hash_hex",
    ]

    @admin.display(description="priority")
    def lane(self, row: LoggedEvent) -> str:
        return Priority(row.priority).name.lower()

    @admin.display(description="hash")
    def hash_hex(self, row: LoggedEvent) -> str:
        return bytes(row.hash).hex() if row.hash else "not sealed yet"


@admin.register(ConsumerCheckpoint)
class ConsumerCheckpointAdmin(ReadOnlyAdmin):
    list_display: ClassVar = ["consumer", "position", "handled", "failed", "retried", "milliseconds_each", "updated_at"]
    search_fields: ClassVar = ["consumer"]
    search_help_text = "A handler's name; relay and activity are the relay and the projection."

    @admin.display(description="ms each")
    def milliseconds_each(self, row: ConsumerCheckpoint) -> str:
        attempts = row.handled + row.failed
        return f"{row.seconds_total / attempts * 1000:.2f}" if attempts else "-"


@admin.register(HandlerRetry)
class HandlerRetryAdmin(ReadOnlyAdmin):
    list_display: ClassVar = ["handler", "event", "attempts", "next_attempt_at", "error"]
    list_filter: ClassVar = ["handler"]
    list_select_related: ClassVar = ["event"]


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    list_display: ClassVar = ["handler", "event", "attempts", "error", "created_at", "resolved_at"]
    list_filter: ClassVar = ["handler", ("resolved_at", admin.EmptyFieldListFilter)]
    list_select_related: ClassVar = ["event"]
    actions: ClassVar = ["retry", "resolve"]

    @admin.action(description="Retry: give the event back to its handler", permissions=["settle"])
    def retry(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        self._settle(request, queryset, "retry")

    @admin.action(description="Resolve: put aside, the handler will not get it again", permissions=["settle"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        self._settle(request, queryset, "resolve")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("events.change_deadletter"))

    def _settle(self, request: HttpRequest, queryset: QuerySet[DeadLetter], action: str) -> None:
        settle = services.retry_dead_letter if action == "retry" else services.resolve_dead_letter
        for letter in queryset:
            try:
                settle(letter.id, actor=request.user.get_username())
            except TradingError as error:
                self.message_user(request, str(error), messages.WARNING)
            else:
                self.message_user(
                    request, f"{letter.handler}: {action} of the event at position {letter.event.position}.", messages.SUCCESS
                )


@admin.register(ActivityCount)
class ActivityCountAdmin(ReadOnlyAdmin):
    list_display: ClassVar = ["day", "event_type", "count", "last_position"]
    list_filter: ClassVar = ["event_type", "day"]
    date_hierarchy = "day"
