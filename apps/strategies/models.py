"""Strategies with their parameters, trading sessions, and a decision for every bar."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from django.db import models

from apps.common.fields import ExactField, MoneyField, PriceField
from apps.common.models import UuidModel
from apps.core.vocabulary import TradingMode
from apps.forecasts.models import Forecast
from apps.markets.models import Instrument, Venue
from apps.portfolio.models import Account
from apps.strategies.contracts import Outcome, SessionState


class Strategy(UuidModel):
    """A named set of parameters for a strategy class."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=40, help_text="The strategy class, by its registered name.")
    parameters = models.JSONField(
        default=dict, blank=True, help_text="Values of the class's typed parameters; missing ones take the default."
    )
    note = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "strategies"

    def __str__(self) -> str:
        return self.name


class TradingSession(UuidModel):
    """A strategy trading one instrument with some capital of an account."""

    strategy = models.ForeignKey(Strategy, on_delete=models.PROTECT, related_name="sessions")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="sessions")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="sessions")
    timeframe = models.CharField(max_length=4, default="1d")
    mode = models.CharField(max_length=5, choices=[(item.value, item.value) for item in TradingMode], default=TradingMode.PAPER)
    capital = MoneyField(help_text="What the strategy sizes from.")
    risk_per_trade = ExactField(default=Decimal("0.02"), help_text="Fraction of the capital put at risk by one trade.")
    max_positions = models.PositiveSmallIntegerField(
        default=10, help_text="No new position while the account holds this many; 0 = no limit."
    )
    state = models.CharField(max_length=8, choices=[(item.value, item.value) for item in SessionState], default=SessionState.CREATED)
    state_reason = models.CharField(max_length=300, blank=True)
    keep_positions = models.BooleanField(default=False, help_text="Do not flatten when stopping.")
    last_bar_at = models.DateTimeField(null=True, blank=True, help_text="Close of the last bar decided on.")
    starts_after = models.DateTimeField(
        null=True, blank=True, help_text="The venue's time when it was last started: bars that close later are told to an event strategy."
    )
    bars_told = models.PositiveIntegerField(default=0, help_text="Bars that an event strategy was told since then.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.strategy_id} {self.instrument_id} {self.state}"


class Decision(UuidModel):
    """Everything that went into one evaluation and what came out. Never changed."""

    session = models.ForeignKey(TradingSession, on_delete=models.PROTECT, related_name="decisions")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT)
    bar_at = models.DateTimeField(help_text="Close of the bar decided on.")
    outcome = models.CharField(max_length=20, choices=[(item.value, item.value) for item in Outcome])
    sentence = models.CharField(max_length=500, help_text="What was decided and why, in plain words.")
    close = PriceField(null=True, blank=True)
    bars = models.JSONField(default=dict, help_text="The newest bars used: times and prices.")
    bars_used = models.IntegerField(default=0)
    data_hash = models.CharField(max_length=64, blank=True, help_text="Hash over every bar used.")
    features = models.JSONField(default=dict)
    forecast = models.ForeignKey(Forecast, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions")
    forecast_refusal = models.JSONField(default=dict, blank=True, help_text="Why there was no forecast.")
    parameters = models.JSONField(default=dict, help_text="The strategy's parameters at this moment.")
    signal = models.JSONField(default=dict, help_text="direction, strength, confidence, reason")
    position_before = ExactField(default=Decimal(0))
    risk_factor = ExactField(null=True, blank=True)
    risk_factor_reasons = models.JSONField(default=list)
    sizing = models.JSONField(default=dict, help_text="quantity, reason, inputs")
    verdict_id = models.UUIDField(null=True, blank=True)
    checks = models.JSONField(default=list, help_text="The verdict's checks: code, passed, value, limit, message.")
    order_id = models.UUIDField(null=True, blank=True, unique=True, help_text="The order that it led to; the first of several.")
    actions = models.JSONField(
        default=dict,
        blank=True,
        help_text="For an event strategy: the bar's number, the fills it was told, its order calls and their answers.",
    )
    code_version = models.CharField(max_length=40, blank=True)
    decided_at = models.DateTimeField(help_text="Wall clock.")
    duration_ms = models.FloatField(default=0.0)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "bar_at"], name="decision_once_per_bar")]
        indexes: ClassVar = [models.Index(fields=["instrument", "-bar_at"], name="decision_by_instrument")]

    def __str__(self) -> str:
        return f"{self.bar_at:%Y-%m-%d} {self.outcome}"

    @property
    def order_ids(self) -> list[UUID]:
        """Every order that it led to."""
        called = [UUID(call["order_id"]) for call in self.actions.get("calls", ()) if call.get("order_id")]
        return called or ([self.order_id] if self.order_id else [])


class ReplayRequest(UuidModel):
    """A person's wish to start the replay afresh, carried out by the process that owns the sessions."""

    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="restart_requests", help_text="The replay that ends.")
    starts_at = models.DateTimeField(null=True, blank=True, help_text="First bar to trade; empty: the usual start.")
    requested_by = models.CharField(max_length=150)
    requested_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    opened_venue = models.ForeignKey(Venue, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-requested_at"]

    def __str__(self) -> str:
        return f"{self.requested_by} {self.requested_at:%Y-%m-%d %H:%M:%S}"
