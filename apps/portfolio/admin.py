"""Admin of the books: all of it is read here, none of it is edited."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from apps.common.reading import ReadOnly
from apps.portfolio.models import Account, CashBalance, ClosedTrade, EquitySnapshot, JournalEntry, JournalLine, MarginCall, Position


@admin.register(Account)
class AccountAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "venue", "mode", "broker", "currency", "initial_capital", "is_default", "opened_at", "closed_at")
    list_filter = ("mode", "broker")
    search_fields = ("name",)


class _LineInline(TabularInline):
    model = JournalLine
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnly, ModelAdmin):
    """The journal; the database itself refuses to change it."""

    list_display = ("occurred_at", "account", "kind", "instrument", "reference", "recorded_at")
    list_filter = ("kind",)
    search_fields = ("reference",)
    list_select_related = ("account", "instrument")
    inlines = (_LineInline,)


@admin.register(CashBalance)
class CashBalanceAdmin(ReadOnly, ModelAdmin):
    list_display = ("account", "asset", "amount", "updated_at")
    list_select_related = ("account",)


@admin.register(Position)
class PositionAdmin(ReadOnly, ModelAdmin):
    list_display = ("account", "instrument", "quantity", "cost_basis", "mark_price", "realised_pnl", "fees", "opened_at")
    list_select_related = ("account", "instrument")


@admin.register(ClosedTrade)
class ClosedTradeAdmin(ReadOnly, ModelAdmin):
    list_display = ("closed_at", "account", "instrument", "quantity", "realised_pnl", "fees", "opened_at")
    list_select_related = ("account", "instrument")


@admin.register(EquitySnapshot)
class EquitySnapshotAdmin(ReadOnly, ModelAdmin):
    list_display = ("at", "account", "equity", "cash", "holdings_value", "realised_pnl", "unrealised_pnl", "fees", "peak_equity")
    list_select_related = ("account",)
    date_hierarchy = "at"


@admin.register(MarginCall)
class MarginCallAdmin(ReadOnly, ModelAdmin):
    """Margin calls, with when they were over."""

    list_display = ("called_at", "account", "equity", "required", "exposure", "cleared_at", "is_flat")
    list_filter = ("account",)
    list_select_related = ("account",)
