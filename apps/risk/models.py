"""Limits, factor rules and state, halts, reservations and verdicts. Accounts are uuids here: they live above."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models

from apps.common.fields import ExactField, MoneyField
from apps.common.models import UuidModel
from apps.core.vocabulary import TradingMode
from apps.markets.models import Instrument
from apps.risk.contracts import limit_choices
from apps.risk.domain.factor import Measure


class RiskLimit(UuidModel):
    """One limit. The scope is everything, or a mode, an account, a strategy or an instrument; all that apply must pass."""

    code = models.CharField(max_length=30, choices=limit_choices)
    value = ExactField(help_text="See the description of the code for its unit.")
    is_enabled = models.BooleanField(default=True, help_text="Off: this row limits nothing.")
    mode = models.CharField(
        max_length=5, blank=True, choices=[(item.value, item.value) for item in TradingMode], help_text="Empty: paper and live."
    )
    account_id = models.UUIDField(null=True, blank=True, help_text="Empty: every account.")
    strategy = models.CharField(max_length=80, blank=True, help_text="Empty: every strategy.")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, null=True, blank=True, help_text="Empty: every instrument.")
    note = models.CharField(max_length=200, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["code", "mode", "account_id", "strategy"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["code", "mode", "account_id", "strategy", "instrument"], name="limit_once_per_scope", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.value}"


class RiskFactorRule(UuidModel):
    """When `measure` is beyond `threshold`, the risk factor is multiplied by `multiplier` and `reason` is given."""

    MEASURES: ClassVar = [
        (Measure.CONFIDENCE.value, "Forecast confidence below"),
        (Measure.DRAWDOWN.value, "Drawdown above"),
        (Measure.VOLATILITY_RATIO.value, "Volatility over its average above"),
    ]

    measure = models.CharField(max_length=20, choices=MEASURES, unique=True)
    threshold = ExactField()
    multiplier = ExactField()
    reason = models.CharField(max_length=40, help_text="Reason code published with the factor, such as low_confidence.")
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["measure"]

    def __str__(self) -> str:
        return f"{self.measure} {self.threshold} -> x{self.multiplier}"


class RiskFactorState(models.Model):
    """The newest factor of an account, so that a change can be told from a repetition."""

    account_id = models.UUIDField(primary_key=True)
    value = ExactField(default=Decimal(1))
    reasons = models.JSONField(default=list)
    changed_at = models.DateTimeField(help_text="On the venue's clock.")

    def __str__(self) -> str:
        return f"{self.account_id} {self.value}"


class Halt(UuidModel):
    """An emergency stop. Latched: it holds until a person resets it."""

    account_id = models.UUIDField(null=True, blank=True, help_text="Empty: everything.")
    reason = models.CharField(max_length=300)
    flatten = models.BooleanField(default=False, help_text="Close positions too; otherwise only what can increase exposure is cancelled.")
    engaged_by = models.CharField(max_length=150)
    engaged_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When no exposure-increasing order was left.")
    orders_cancelled = models.IntegerField(default=0)
    reset_by = models.CharField(max_length=150, blank=True)
    reset_at = models.DateTimeField(null=True, blank=True)
    reset_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-engaged_at"]

    def __str__(self) -> str:
        return f"Halt {self.engaged_at:%Y-%m-%d %H:%M:%S} {'reset' if self.reset_at else 'engaged'}"


class Reservation(models.Model):
    """What an approved order may still use; ends with the order, so that the gate counts orders that are not in the books yet."""

    order_id = models.UUIDField(primary_key=True)
    account_id = models.UUIDField(db_index=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    quantity = ExactField(help_text="Signed: positive buys.")
    notional = MoneyField(help_text="Exposure that it adds; zero for reducing orders.")
    cash = MoneyField(help_text="Cash that it may need, costs included.")
    is_reducing = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_id"], condition=models.Q(ended_at=None), name="reservation_active")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.notional}"


class RiskVerdict(UuidModel):
    """The stored answer of the gate with every check, value and limit."""

    order_id = models.UUIDField(db_index=True)
    account_id = models.UUIDField()
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    approved = models.BooleanField()
    checks = models.JSONField(default=list)
    first_failure = models.CharField(max_length=30, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{'approved' if self.approved else self.first_failure} {self.order_id}"


class LiveTradingSwitch(models.Model):
    """The second switch of live trading (the first is in the environment). One row; without it live is off."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    is_on = models.BooleanField(default=False)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="one_live_switch")]

    def __str__(self) -> str:
        return "live trading on" if self.is_on else "live trading off"
