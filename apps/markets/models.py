"""Venues with their clocks, instruments, quarantined bars and pulls. Candles live in a partitioned table, see candles.py."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models

from apps.common.fields import ExactField, MoneyField, PriceField, QuantityField
from apps.common.models import UuidModel
from apps.core.values import InstrumentSpec
from apps.markets.contracts import ClockStatus, VenueKind


class Venue(UuidModel):
    """A market place: a live exchange, the practice exchange, or one run of a replay."""

    code = models.SlugField(max_length=40, unique=True, help_text="Short name used in addresses and on the command line.")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in VenueKind])
    source = models.CharField(max_length=40, help_text="Which source adapter feeds it: bundled, ccxt, files.")
    source_options = models.JSONField(default=dict, blank=True, help_text="Options of the source adapter, such as the ccxt exchange id.")
    timeframe = models.CharField(max_length=4, default="1d")
    is_default = models.BooleanField(default=False, help_text="The venue that pages open with. Opening a venue makes it the default.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class VenueClock(models.Model):
    """The venue's time. A replay's clock moves with its bars; a live venue's follows its last closed bar."""

    venue = models.OneToOneField(Venue, on_delete=models.CASCADE, primary_key=True, related_name="clock")
    status = models.CharField(max_length=10, choices=[(item.value, item.value) for item in ClockStatus], default=ClockStatus.PREPARING)
    now_at = models.DateTimeField(help_text="Close of the newest bar that exists for the system.")
    starts_at = models.DateTimeField(null=True, blank=True, help_text="First bar of the replay that is traded.")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Last bar of the source.")
    bars_per_second = ExactField(default=Decimal(1))
    jump_to = models.DateTimeField(null=True, blank=True, help_text="Run without pauses until this time.")
    steps_requested = models.IntegerField(default=0, help_text="Bars to play while paused.")
    bars_done = models.IntegerField(default=0)
    message = models.CharField(max_length=300, blank=True, help_text="What the clock is waiting for, or why it stopped.")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.venue_id} {self.status} {self.now_at}"


class Instrument(UuidModel):
    """Something that can be traded at one venue, with the grid its numbers live on."""

    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="instruments")
    symbol = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    asset_class = models.CharField(max_length=20, default="equity")
    base_asset = models.CharField(max_length=40)
    quote_asset = models.CharField(max_length=12, default="USD")
    calendar = models.CharField(max_length=20, default="XNYS", help_text="Name in exchange_calendars, or 24/7.")
    price_scale = models.PositiveSmallIntegerField(help_text="Decimal places of stored prices; finer than the tick. Fixed once bars exist.")
    volume_scale = models.PositiveSmallIntegerField(default=0)
    cash_scale = models.PositiveSmallIntegerField(default=8, help_text="Decimal places of cash amounts.")
    tick_size = PriceField(help_text="Order prices are multiples of this.")
    lot_size = QuantityField(help_text="Order quantities are multiples of this.")
    min_quantity = QuantityField()
    min_notional = MoneyField(default=Decimal(0))
    max_price = PriceField()
    max_quantity = QuantityField()
    multiplier = models.PositiveIntegerField(default=1)
    is_closes_only = models.BooleanField(default=False, help_text="Only closing prices are known; open, high and low repeat the close.")
    is_adjusted = models.BooleanField(default=False, help_text="Prices are adjusted for splits and dividends.")
    source_label = models.CharField(max_length=200, blank=True, help_text="Where the data comes from, shown on pages.")
    first_bar_at = models.DateTimeField(null=True, blank=True, help_text="Close of the first bar that the source has.")
    last_bar_at = models.DateTimeField(
        null=True, blank=True, help_text="Close of the last bar that the source has; empty while it goes on."
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["symbol"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["venue", "symbol"], name="instrument_once_per_venue")]

    def __str__(self) -> str:
        return self.symbol

    def spec(self) -> InstrumentSpec:
        """The frozen form that domains, kernels and strategies use."""
        return InstrumentSpec(
            id=self.id, venue_id=self.venue_id, symbol=self.symbol, base_asset=self.base_asset, quote_asset=self.quote_asset,
            price_scale=self.price_scale, volume_scale=self.volume_scale, cash_scale=self.cash_scale, tick_size=self.tick_size,
            lot_size=self.lot_size, min_quantity=self.min_quantity, min_notional=self.min_notional, max_price=self.max_price,
            max_quantity=self.max_quantity, multiplier=self.multiplier, is_closes_only=self.is_closes_only,
        )  # fmt: skip


class QuarantinedCandle(UuidModel):
    """A bar that failed a quality check; kept as it came, never used."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="quarantined")
    timeframe = models.CharField(max_length=4)
    opened_at = models.DateTimeField()
    raw = models.JSONField(help_text="The values as the source gave them.")
    reason = models.CharField(max_length=40)
    detail = models.CharField(max_length=300)
    source = models.CharField(max_length=40)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-recorded_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "timeframe", "opened_at", "reason"], name="quarantined_once")
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.opened_at} {self.reason}"


class SourcePull(UuidModel):
    """One attempt to fetch bars, with how it went."""

    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="pulls")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, null=True, blank=True, related_name="pulls")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    rows_written = models.IntegerField(default=0)
    rows_quarantined = models.IntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.venue_id} {self.started_at:%Y-%m-%d %H:%M:%S}"
