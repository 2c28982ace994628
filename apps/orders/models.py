"""Orders with their history and fills, and the simulated venue's own book. Accounts and sessions are uuids here: they live above."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import ClassVar

from django.db import models

from apps.common.fields import ExactField, MoneyField, PriceField, QuantityField
from apps.common.models import UuidModel
from apps.core.vocabulary import OrderType, Side, TimeInForce, TradingMode
from apps.markets.models import Instrument
from apps.orders.contracts import (
    OPEN_STATUSES,
    AmendmentStatus,
    Liquidity,
    OrderOrigin,
    OrderStatus,
    OrderTerms,
    SlippageChoice,
    VenueProfile,
)
from apps.orders.ports import VenueOrderStatus

SIDES = [(item.value, item.value) for item in Side]
ORDER_TYPES = [(item.value, item.value) for item in OrderType]
TIMES_IN_FORCE = [(item.value, item.value) for item in TimeInForce]


class TermsModel(models.Model):
    """What an order asks of its venue; the fields are those of `OrderTerms`."""

    order_type = models.CharField(max_length=16, choices=ORDER_TYPES)
    time_in_force = models.CharField(max_length=3, choices=TIMES_IN_FORCE, default=TimeInForce.GTC)
    quantity = QuantityField()
    limit_price = PriceField(null=True, blank=True)
    stop_price = PriceField(null=True, blank=True)
    trail_amount = PriceField(null=True, blank=True, help_text="Distance of a trailing stop from the best price so far.")
    trail_percent = ExactField(null=True, blank=True, help_text="The same in percent of that price.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Until when a GTD order is good, by the venue's clock.")
    is_post_only = models.BooleanField(default=False, help_text="It never takes: at or beyond the market it is cancelled.")
    is_reduce_only = models.BooleanField(default=False, help_text="The venue lets it fill at most the position on the other side.")
    limit_offset_percent = ExactField(null=True, blank=True, help_text="Limit relative to the parent's first fill, in percent, signed.")
    stop_offset_percent = ExactField(null=True, blank=True, help_text="Stop relative to the parent's first fill, in percent, signed.")

    class Meta:
        abstract = True

    @property
    def terms(self) -> OrderTerms:
        """The same as a value."""
        values = {field.name: getattr(self, field.name) for field in fields(OrderTerms)}
        return OrderTerms(**values | {"order_type": OrderType(self.order_type), "time_in_force": TimeInForce(self.time_in_force)})


class Order(UuidModel, TermsModel):
    """An intent and what became of it. Status changes only through the transition table."""

    client_order_id = models.CharField(max_length=36, unique=True)
    account_id = models.UUIDField(db_index=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="orders")
    mode = models.CharField(max_length=5, choices=[(item.value, item.value) for item in TradingMode])
    side = models.CharField(max_length=4, choices=SIDES)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    group_id = models.UUIDField(null=True, blank=True, db_index=True, help_text="Orders of one group share what is left.")
    status = models.CharField(max_length=16, choices=[(item.value, item.value) for item in OrderStatus], default=OrderStatus.PENDING)
    filled_quantity = QuantityField(default=Decimal(0))
    filled_value = MoneyField(default=Decimal(0), help_text="Sum of price x quantity over fills.")
    venue_order_id = models.CharField(max_length=80, blank=True)
    origin = models.CharField(max_length=8, choices=[(item.value, item.value) for item in OrderOrigin])
    origin_id = models.UUIDField(null=True, blank=True, help_text="The session that wanted it.")
    decision_id = models.UUIDField(null=True, blank=True)
    verdict_id = models.UUIDField(null=True, blank=True)
    is_reducing = models.BooleanField(default=False)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was wanted, in words.")
    status_reason = models.CharField(max_length=300, blank=True)
    cancel_requested_by = models.CharField(max_length=150, blank=True)
    history_length = models.PositiveIntegerField(default=0, editable=False, help_text="Steps in its history.")
    market_at = models.DateTimeField(help_text="The venue's time when it was decided.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["account_id", "-id"], name="order_by_account"),
            models.Index(fields=["origin_id", "instrument"], name="order_by_origin"),
            models.Index(fields=["account_id", "status"], condition=models.Q(status__in=sorted(OPEN_STATUSES)), name="order_open"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="order_quantity_positive"),
            models.CheckConstraint(condition=models.Q(filled_quantity__lte=models.F("quantity")), name="order_not_overfilled"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.client_order_id} {self.status}"


class OrderEvent(UuidModel):
    """One step in the life of an order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="history")
    sequence = models.PositiveIntegerField()
    trigger = models.CharField(max_length=24)
    from_status = models.CharField(max_length=16, blank=True)
    to_status = models.CharField(max_length=16)
    detail = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["order", "sequence"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["order", "sequence"], name="order_event_once")]

    def __str__(self) -> str:
        return f"{self.from_status} -> {self.to_status} ({self.trigger})"


class OrderAmendment(UuidModel):
    """A wish to change an open order. Values are absolute; empty ones stay as they are."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="amendments")
    quantity = QuantityField(null=True, blank=True, help_text="Of the whole order, what has filled included.")
    limit_price = PriceField(null=True, blank=True)
    stop_price = PriceField(null=True, blank=True)
    trail_amount = PriceField(null=True, blank=True)
    trail_percent = ExactField(null=True, blank=True)
    status = models.CharField(
        max_length=9, choices=[(item.value, item.value) for item in AmendmentStatus], default=AmendmentStatus.REQUESTED
    )
    requested_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was refused.")
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order"], condition=models.Q(status=AmendmentStatus.REQUESTED), name="one_amendment_under_way")
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.order_id}"


class Fill(UuidModel):
    """A trade at the venue. Never changed."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fills")
    account_id = models.UUIDField(db_index=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="fills")
    side = models.CharField(max_length=4, choices=SIDES)
    quantity = QuantityField()
    price = PriceField()
    fee = MoneyField()
    fee_asset = models.CharField(max_length=12)
    liquidity = models.CharField(max_length=5, choices=[(item.value, item.value) for item in Liquidity])
    reason = models.CharField(max_length=40, help_text="Why it filled at this price: MARKET_AT_OPEN, LIMIT_CROSSED, STOP_GAPPED, ...")
    venue_order_id = models.CharField(max_length=80)
    venue_trade_id = models.CharField(max_length=80)
    occurred_at = models.DateTimeField(help_text="The venue's time.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account_id", "instrument", "venue_order_id", "venue_trade_id"], name="fill_once")
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} @ {self.price}"


class FillCursor(models.Model):
    """How far an account's fills have been read from its broker and, where the venue matches by itself, its value followed."""

    account_id = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField(default=0)
    matched_through = models.DateTimeField(
        null=True, blank=True, help_text="Close of the last bar that the account was valued at; empty where the venue is simulated."
    )

    def __str__(self) -> str:
        return f"{self.account_id} {self.sequence}"


class SimulatedAccount(models.Model):
    """The simulated venue's side of an account: costs, and how far its book has been matched."""

    account_id = models.UUIDField(primary_key=True)
    venue_id = models.UUIDField()
    matched_through = models.DateTimeField(null=True, blank=True, help_text="Close of the last bar matched and marked.")
    profile = models.CharField(
        max_length=10,
        choices=[(item.value, item.value) for item in VenueProfile],
        default=VenueProfile.DEFAULT,
        help_text="By whose rules bars fill orders: the pessimistic default, without any cost (ideal), as freqtrade or as LEAN does it.",
    )
    fee_bps = ExactField(default=Decimal(5), help_text="Fee in basis points of the traded value.")
    maker_fee_bps = ExactField(null=True, blank=True, help_text="The same for a limit order that waited for its price. Empty: fee_bps.")
    fee_flat = MoneyField(default=Decimal(0), help_text="Fee per fill, on top, in the account's currency.")
    fee_per_unit = MoneyField(default=Decimal(0), help_text="Fee per share or coin, on top, in the account's currency.")
    fee_minimum = MoneyField(default=Decimal(0), help_text="Least fee of a fill, in the account's currency.")
    fee_cap_bps = ExactField(default=Decimal(0), help_text="Most that a fill's fee may be, in basis points of its value. 0: no cap.")
    fee_tiers = models.JSONField(
        default=list,
        blank=True,
        help_text="At most three rows [value traded, maker bps, taker bps], ascending: from that value on these fees hold instead.",
    )
    spread_bps = ExactField(default=Decimal(2), help_text="Full bid-ask spread in basis points; a market order pays half.")
    slippage_bps = ExactField(default=Decimal(1), help_text="Further basis points against a market or stop order.")
    slippage_model = models.CharField(
        max_length=12,
        choices=[(item.value, item.value) for item in SlippageChoice],
        default=SlippageChoice.FIXED,
        help_text="FIXED: spread and slippage alone. VOLUME_SHARE and SQUARE_ROOT add impact_bps x the order's share of the bar's volume, or its root.",
    )
    impact_bps = ExactField(default=Decimal(0), help_text="Impact in basis points of an order as large as the bar's whole volume.")
    volume_percent = ExactField(
        default=Decimal(0),
        help_text="Part of a bar's volume that the account's orders may fill together, in percent. 0: no limit, every order fills completely.",
    )
    leverage = ExactField(default=Decimal(1), help_text="Exposure that one unit of equity may carry. 1: nothing is borrowed.")
    maintenance_percent = ExactField(
        default=Decimal(0), help_text="Equity below this part of the exposure, in percent, liquidates the account. 0: never."
    )
    margin_call_percent = ExactField(
        null=True,
        blank=True,
        help_text="Equity below this part of the exposure, in percent, brings a margin call. Empty: midway between maintenance and 100 / leverage.",
    )
    allows_short = models.BooleanField(default=True, help_text="Whether what is not held may be sold.")
    latency_ms = models.PositiveIntegerField(
        default=0, help_text="Milliseconds between an order's acceptance and its first chance to fill."
    )
    cash_flow = MoneyField(default=Decimal(0), help_text="What its trades have brought, fees deducted.")
    traded_value = MoneyField(default=Decimal(0), help_text="Value of its trades so far.")
    next_sequence = models.BigIntegerField(default=1)
    next_acceptance = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"simulated {self.account_id}"


class SimulatedOrder(TermsModel):
    """An order as the simulated venue knows it."""

    venue_order_id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(SimulatedAccount, on_delete=models.CASCADE, related_name="orders")
    client_order_id = models.CharField(max_length=36, unique=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT)
    side = models.CharField(max_length=4, choices=SIDES)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    group_id = models.UUIDField(null=True, blank=True, help_text="Orders of one group share what is left.")
    filled = QuantityField(default=Decimal(0))
    flags = models.PositiveSmallIntegerField(default=0, help_text="The engine's flags: has triggered, has met a bar, and so on.")
    best_price = PriceField(null=True, blank=True, help_text="Best price since a trailing stop began to follow.")
    trail_was_raised = models.BooleanField(default=False)
    reason = models.CharField(max_length=40, blank=True, help_text="Why it ended, or why it last filled.")
    acceptance = models.BigIntegerField(
        default=0, help_text="Its place in the order of acceptance; a larger quantity or another price goes to the back. 0 while it waits."
    )
    status = models.CharField(max_length=10, choices=[(item.value, item.value) for item in VenueOrderStatus], default=VenueOrderStatus.OPEN)
    accepted_at = models.DateTimeField(help_text="The venue's time; bars that closed at or before it cannot fill the order.")
    active_at = models.DateTimeField(null=True, blank=True, help_text="With latency, when it can first fill. Empty: at its acceptance.")
    day_ends_at = models.DateTimeField(
        null=True, blank=True, help_text="When a DAY order expires; set by the first bar that could fill it."
    )

    class Meta:
        ordering: ClassVar = ["venue_order_id"]
        indexes: ClassVar = [
            models.Index(
                fields=["account"],
                condition=models.Q(status__in=[VenueOrderStatus.OPEN, VenueOrderStatus.WAITING]),
                name="simulated_working",
            )
        ]

    def __str__(self) -> str:
        return f"{self.client_order_id} {self.status}"


class SimulatedPosition(models.Model):
    """What an account holds as the simulated venue knows it."""

    account = models.ForeignKey(SimulatedAccount, on_delete=models.CASCADE, related_name="holdings")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField(default=Decimal(0))

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "instrument"], name="simulated_position_once")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.instrument_id}"


class SimulatedFill(models.Model):
    """A trade as the simulated venue reports it."""

    account = models.ForeignKey(SimulatedAccount, on_delete=models.CASCADE, related_name="fills")
    sequence = models.BigIntegerField()
    order = models.ForeignKey(SimulatedOrder, on_delete=models.CASCADE, related_name="fills")
    venue_trade_id = models.CharField(max_length=80)
    quantity = QuantityField()
    price = PriceField()
    fee = MoneyField()
    liquidity = models.CharField(max_length=5)
    reason = models.CharField(max_length=40)
    occurred_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["account", "sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "sequence"], name="simulated_fill_sequence"),
            models.UniqueConstraint(fields=["order", "venue_trade_id"], name="simulated_fill_once"),
        ]

    def __str__(self) -> str:
        return f"{self.venue_trade_id} {self.quantity} @ {self.price}"
