"""Accounts, the double-entry journal, positions, closed trades and equity."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models

from apps.common.fields import MoneyField, PriceField, QuantityField
from apps.common.models import UuidModel
from apps.core.vocabulary import TradingMode
from apps.markets.models import Instrument, Venue
from apps.portfolio.contracts import EntryKind, LedgerAccount


class Account(UuidModel):
    """Money at one venue through one broker."""

    name = models.CharField(max_length=80)
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="accounts")
    broker = models.CharField(max_length=20, default="simulated", help_text="Which broker adapter trades it.")
    mode = models.CharField(max_length=5, choices=[(item.value, item.value) for item in TradingMode], default=TradingMode.PAPER)
    currency = models.CharField(max_length=12, default="USD")
    cash_scale = models.PositiveSmallIntegerField(default=8)
    initial_capital = MoneyField()
    is_default = models.BooleanField(default=False, help_text="Orders that name no account use this one.")
    opened_at = models.DateTimeField(help_text="The venue's time.")
    closed_at = models.DateTimeField(null=True, blank=True)
    is_margin_called = models.BooleanField(default=False, help_text="A margin call stands.")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["is_default"], condition=models.Q(is_default=True), name="one_default_account")
        ]

    def __str__(self) -> str:
        return self.name


class JournalEntry(UuidModel):
    """One booking. Append-only; its lines sum to zero per asset, which the database enforces at commit."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=8, choices=[(item.value, item.value) for item in EntryKind])
    reference = models.CharField(max_length=80, help_text="What caused it: the fill id, or `opening`.")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, null=True, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "journal entries"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "kind", "reference"], name="entry_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class JournalLine(models.Model):
    """One amount of one asset in one column of the journal."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    ledger_account = models.CharField(max_length=10, choices=[(item.value, item.value) for item in LedgerAccount])
    asset = models.CharField(max_length=40)
    amount = MoneyField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.ledger_account} {self.amount} {self.asset}"


class CashBalance(models.Model):
    """Cash of an account by asset: a projection of the journal, kept in the same transaction."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="balances")
    asset = models.CharField(max_length=40)
    amount = MoneyField(default=Decimal(0))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "asset"], name="cash_once")]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset}"


class Position(models.Model):
    """What an account holds of an instrument: a projection of the journal, kept in the same transaction."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="positions")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="positions")
    quantity = QuantityField(default=Decimal(0))
    cost_basis = MoneyField(default=Decimal(0), help_text="Signed cost of what is held, without fees.")
    realised_pnl = MoneyField(default=Decimal(0), help_text="Before fees.")
    fees = MoneyField(default=Decimal(0))
    mark_price = PriceField(null=True, blank=True)
    marked_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    trip_quantity = QuantityField(default=Decimal(0), help_text="Entered since the position was last flat, signed.")
    trip_realised = MoneyField(default=Decimal(0), help_text="Realised since the position was last flat, before fees.")
    trip_fees = MoneyField(default=Decimal(0), help_text="Fees since the position was last flat.")
    trip_entry_value = MoneyField(default=Decimal(0), help_text="Value entered since the position was last flat, positive.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "instrument"], name="position_once")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.instrument_id}"


class ClosedTrade(UuidModel):
    """A round trip: from flat to flat (or through zero) in one instrument."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="closed_trades")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT)
    closing_fill_id = models.UUIDField(unique=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    quantity = QuantityField()
    realised_pnl = MoneyField(help_text="Before fees.")
    fees = MoneyField()
    entry_value = MoneyField(default=Decimal(0), help_text="What was entered, at its prices; positive.")
    exit_reason = models.CharField(max_length=40, default="", blank=True, help_text="Why the last fill filled: STOP_TRIGGERED, ...")

    class Meta:
        ordering: ClassVar = ["-closed_at"]

    def __str__(self) -> str:
        return f"{self.realised_pnl}"


class EquitySnapshot(models.Model):
    """The account after a bar."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="equity")
    at = models.DateTimeField(help_text="The venue's time.")
    cash = MoneyField()
    holdings_value = MoneyField()
    equity = MoneyField()
    realised_pnl = MoneyField()
    unrealised_pnl = MoneyField()
    fees = MoneyField()
    gross_exposure = MoneyField()
    peak_equity = MoneyField()

    class Meta:
        ordering: ClassVar = ["-at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "at"], name="equity_once")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.equity}"


class MarginCall(UuidModel):
    """From the close at which equity was below the level of the venue to the first at which it was not. Amounts are those of the first."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="margin_calls")
    called_at = models.DateTimeField(help_text="The venue's time.")
    equity = MoneyField()
    exposure = MoneyField(help_text="Value of all positions, long and short ones added.")
    required = MoneyField(help_text="Equity that would have cured it.")
    cleared_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it stands.")
    is_flat = models.BooleanField(default=False, help_text="Nothing was held any more when it ended.")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "called_at"], name="margin_call_once"),
            models.UniqueConstraint(fields=["account"], condition=models.Q(cleared_at=None), name="one_standing_margin_call"),
        ]

    def __str__(self) -> str:
        return f"margin call of {self.called_at:%Y-%m-%d %H:%M}"
