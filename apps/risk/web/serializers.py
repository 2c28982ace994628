"""Limits, factor, halts and verdicts, going out and coming in."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.api.fields import EnumField, ExactDecimal, ExactDecimalInput
from apps.common.api.pagination import CursorQuery
from apps.common.api.serializers import StrictSerializer
from apps.core.vocabulary import TradingMode


class LimitSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    value = ExactDecimal(help_text="In the unit that `help` names.")
    is_enabled = serializers.BooleanField()
    mode = serializers.CharField(help_text="paper or live; empty: both.")
    account_id = serializers.UUIDField(allow_null=True, help_text="null: every account.")
    strategy = serializers.CharField(help_text="Empty: every strategy.")
    instrument_id = serializers.UUIDField(allow_null=True, help_text="null: every instrument.")
    help = serializers.CharField()
    note = serializers.CharField()


class FactorSerializer(serializers.Serializer[Any]):
    account_id = serializers.UUIDField()
    risk_factor = ExactDecimal(source="value", help_text="1 is normal; smaller trades smaller.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Codes such as low_confidence.")


class HaltSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    is_engaged = serializers.BooleanField()
    account_id = serializers.UUIDField(allow_null=True, help_text="null: everything.")
    reason = serializers.CharField()
    flatten = serializers.BooleanField()
    engaged_by = serializers.CharField()
    engaged_at = serializers.DateTimeField()
    verified_at = serializers.DateTimeField(allow_null=True, help_text="When no exposure-increasing order was left.")
    orders_cancelled = serializers.IntegerField()
    reset_by = serializers.CharField()
    reset_at = serializers.DateTimeField(allow_null=True)
    reset_reason = serializers.CharField()


class RiskSerializer(serializers.Serializer[Any]):
    """Where risk stands for an account."""

    account_id = serializers.UUIDField()
    factor = FactorSerializer()
    halt = HaltSerializer(allow_null=True, help_text="The halt that stops this account now.")
    limits = LimitSerializer(many=True)
    live_refusal = serializers.CharField(help_text="Why live orders may not leave; empty if they may.")


class VerdictCheckSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Of the check; limits have their own code.")
    passed = serializers.BooleanField()
    value = serializers.CharField()
    limit = serializers.CharField()
    message = serializers.CharField()


class VerdictSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="verdict.id")
    approved = serializers.BooleanField(source="verdict.approved")
    checks = VerdictCheckSerializer(source="verdict.checks", many=True)
    order_id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    created_at = serializers.DateTimeField()


class AccountQuery(StrictSerializer):
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")


class VerdictQuery(CursorQuery):
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")


class LimitInput(StrictSerializer):
    """One limit in one scope; what is left out of the scope means everything."""

    code = serializers.CharField(max_length=30, help_text="A code that the list of limits has.")
    value = ExactDecimalInput(min_value=0)
    is_enabled = serializers.BooleanField(default=True)
    mode = EnumField(TradingMode, required=False)
    account_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    strategy = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    instrument_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class HaltInput(StrictSerializer):
    reason = serializers.CharField(max_length=300, required=False, default="Engaged over the API.")
    account_id = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="Left out: everything stops.")
    flatten = serializers.BooleanField(default=False, help_text="Close positions too.")


class ResetInput(StrictSerializer):
    reason = serializers.CharField(max_length=300, help_text="Why it is safe to trade again; it is logged.")
