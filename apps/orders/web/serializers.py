"""Orders and fills going out, manual orders coming in."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.api.fields import EnumField, ExactDecimal, ExactDecimalInput
from apps.common.api.pagination import CursorQuery
from apps.common.api.problems import ProblemSerializer
from apps.common.api.serializers import StrictSerializer
from apps.core.vocabulary import OrderType, Side, TimeInForce, TradingMode
from apps.orders.contracts import AmendmentStatus, Liquidity, OrderOrigin, OrderStatus


class OrderSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    client_order_id = serializers.CharField()
    account_id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    mode = EnumField(TradingMode)
    side = EnumField(Side)
    order_type = EnumField(OrderType)
    time_in_force = EnumField(TimeInForce)
    quantity = ExactDecimal()
    limit_price = ExactDecimal(allow_null=True)
    stop_price = ExactDecimal(allow_null=True)
    trail_amount = ExactDecimal(allow_null=True, help_text="Distance of a trailing stop from the best price so far.")
    trail_percent = ExactDecimal(allow_null=True, help_text="The same in percent of that price.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Until when a GTD order is good, by the venue's clock.")
    is_post_only = serializers.BooleanField()
    is_reduce_only = serializers.BooleanField()
    limit_offset_percent = ExactDecimal(allow_null=True, help_text="Limit relative to the parent's first fill, signed.")
    stop_offset_percent = ExactDecimal(allow_null=True, help_text="Stop relative to the parent's first fill, signed.")
    parent_id = serializers.UUIDField(allow_null=True, help_text="The order whose fill opens this one.")
    group_id = serializers.UUIDField(allow_null=True, help_text="Orders of one group share what is left.")
    status = EnumField(OrderStatus)
    filled_quantity = ExactDecimal()
    remaining = ExactDecimal(help_text="What may still fill.")
    average_price = ExactDecimal(allow_null=True, help_text="Volume-weighted price of its fills; null before the first.")
    venue_order_id = serializers.CharField()
    origin = EnumField(OrderOrigin)
    origin_id = serializers.UUIDField(allow_null=True, help_text="The session that wanted it.")
    decision_id = serializers.UUIDField(allow_null=True, help_text="The decision that explains it.")
    verdict_id = serializers.UUIDField(allow_null=True, help_text="The risk verdict that let it pass.")
    is_reducing = serializers.BooleanField()
    reason = serializers.CharField()
    status_reason = serializers.CharField()
    cancel_requested_by = serializers.CharField()
    market_at = serializers.DateTimeField(help_text="The venue's time when it was decided.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class OrderStepSerializer(serializers.Serializer[Any]):
    sequence = serializers.IntegerField()
    trigger = serializers.CharField()
    from_status = EnumField(OrderStatus, allow_null=True)
    to_status = EnumField(OrderStatus)
    detail = serializers.CharField()
    recorded_at = serializers.DateTimeField()


class FillSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    side = EnumField(Side)
    quantity = ExactDecimal()
    price = ExactDecimal()
    fee = ExactDecimal()
    fee_asset = serializers.CharField()
    liquidity = EnumField(Liquidity)
    reason = serializers.CharField(help_text="Why it filled at this price.")
    venue_order_id = serializers.CharField()
    venue_trade_id = serializers.CharField()
    occurred_at = serializers.DateTimeField(help_text="The venue's time.")
    recorded_at = serializers.DateTimeField()


class TermsChangeSerializer(serializers.Serializer[Any]):
    """What was asked to change; null stays as it was."""

    quantity = ExactDecimal(allow_null=True)
    limit_price = ExactDecimal(allow_null=True)
    stop_price = ExactDecimal(allow_null=True)
    trail_amount = ExactDecimal(allow_null=True)
    trail_percent = ExactDecimal(allow_null=True)


class AmendmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    amendment = TermsChangeSerializer()
    status = EnumField(AmendmentStatus)
    requested_by = serializers.CharField()
    reason = serializers.CharField(help_text="Why the venue refused it.")
    created_at = serializers.DateTimeField()


class OrderDetailSerializer(serializers.Serializer[Any]):
    order = OrderSerializer()
    history = OrderStepSerializer(many=True)
    fills = FillSerializer(many=True)
    parent = OrderSerializer(allow_null=True, help_text="The order that it waits for, or waited for.")
    children = OrderSerializer(many=True, help_text="The orders that its fill opens.")
    group = OrderSerializer(many=True, help_text="The others of its group: what one fills, the others lose.")
    amendments = AmendmentSerializer(many=True)


class OrderQuery(CursorQuery):
    account_id = serializers.UUIDField(required=False)
    instrument_id = serializers.UUIDField(required=False)
    session_id = serializers.UUIDField(required=False)
    decision_id = serializers.UUIDField(required=False)
    status = EnumField(OrderStatus, required=False)
    is_open = serializers.BooleanField(required=False, help_text="true: only orders that may still trade; false: only ended ones.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "status" in attrs and "is_open" in attrs:
            raise serializers.ValidationError({"is_open": "Give status or is_open, not both."})
        return attrs


class FillQuery(CursorQuery):
    account_id = serializers.UUIDField(required=False)
    instrument_id = serializers.UUIDField(required=False)
    order_id = serializers.UUIDField(required=False)
    session_id = serializers.UUIDField(required=False)
    since = serializers.DateTimeField(required=False, help_text="On the venue's clock.")


class TakeProfitInput(StrictSerializer):
    """A limit order that takes the profit; give one of the two."""

    price = ExactDecimalInput(required=False)
    percent = ExactDecimalInput(required=False, help_text="From the price of the entry's fill.")


class StopLossInput(StrictSerializer):
    """A stop order that ends the loss; give one of the two."""

    price = ExactDecimalInput(required=False)
    percent = ExactDecimalInput(required=False, help_text="From the price of the entry's fill.")


class TrailingInput(StrictSerializer):
    """A stop that follows the market; give one of the two."""

    amount = ExactDecimalInput(required=False)
    percent = ExactDecimalInput(required=False, help_text="Of the best price so far.")


class OtherLegInput(StrictSerializer):
    """The other order of a pair: quantity and time in force are those of the first."""

    order_type = EnumField(OrderType)
    side = EnumField(Side, required=False, help_text="That of the first if left out.")
    limit_price = ExactDecimalInput(required=False)
    stop_price = ExactDecimalInput(required=False)
    trail_amount = ExactDecimalInput(required=False)
    trail_percent = ExactDecimalInput(required=False)


class OrderInput(StrictSerializer):
    """A manual order. It goes through the same risk gate as the orders of strategies.

    With `take_profit`, `stop_loss` or `trailing` it is the entry of a bracket: they open with its fill, only reduce, and share what is left.
    With `other` it is one of a pair of which one cancels the other.
    """

    symbol = serializers.CharField(max_length=40, required=False, help_text="At the venue of the account; or give instrument_id.")
    instrument_id = serializers.UUIDField(required=False)
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")
    side = EnumField(Side)
    quantity = ExactDecimalInput()
    order_type = EnumField(OrderType, default=OrderType.MARKET)
    limit_price = ExactDecimalInput(required=False, allow_null=True, default=None)
    stop_price = ExactDecimalInput(required=False, allow_null=True, default=None)
    time_in_force = EnumField(TimeInForce, default=TimeInForce.GTC)
    trail_amount = ExactDecimalInput(required=False, allow_null=True, default=None)
    trail_percent = ExactDecimalInput(required=False, allow_null=True, default=None)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="For GTD, by the venue's clock.")
    is_post_only = serializers.BooleanField(required=False, default=False)
    is_reduce_only = serializers.BooleanField(required=False, default=False)
    take_profit = TakeProfitInput(required=False)
    stop_loss = StopLossInput(required=False)
    trailing = TrailingInput(required=False)
    other = OtherLegInput(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("symbol" in attrs) == ("instrument_id" in attrs):
            raise serializers.ValidationError({"symbol": "Give either symbol or instrument_id."})
        for name in ("quantity", "limit_price", "stop_price"):
            if attrs[name] is not None and attrs[name] <= 0:
                raise serializers.ValidationError({name: "Must be greater than zero."})
        for name in ("take_profit", "stop_loss", "trailing"):
            if name in attrs and not attrs[name]:
                raise serializers.ValidationError({name: "Give a price or a percentage."})
        return attrs


class AmendInput(StrictSerializer):
    """New values for an open order; what is left out stays as it is. The quantity is that of the whole order, what has filled included."""

    quantity = ExactDecimalInput(required=False)
    limit_price = ExactDecimalInput(required=False)
    stop_price = ExactDecimalInput(required=False)
    trail_amount = ExactDecimalInput(required=False)
    trail_percent = ExactDecimalInput(required=False)


class CancelInput(StrictSerializer):
    reason = serializers.CharField(max_length=200, required=False, default="")


class CancelAllInput(CancelInput):
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")


class CancelAllSerializer(serializers.Serializer[Any]):
    account_id = serializers.UUIDField()
    requested = serializers.IntegerField(help_text="Open orders whose cancel was asked for.")


class CheckSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    passed = serializers.BooleanField()
    value = serializers.CharField()
    limit = serializers.CharField()
    message = serializers.CharField()


class RefusedOrderSerializer(ProblemSerializer):
    """The problem details of an order that the risk gate refused, with every check that was made."""

    verdict_id = serializers.UUIDField()
    checks = CheckSerializer(many=True)
