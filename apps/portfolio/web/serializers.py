"""Accounts, positions, performance and the journal, as programs read them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.api.fields import EnumField, ExactDecimal, Statistic
from apps.common.api.pagination import CursorQuery
from apps.common.api.serializers import StrictSerializer
from apps.core.vocabulary import TradingMode
from apps.portfolio.contracts import EntryKind, LedgerAccount

MOST_POINTS = 2000


class AccountSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    venue_id = serializers.UUIDField()
    broker = serializers.CharField()
    mode = EnumField(TradingMode)
    currency = serializers.CharField()
    initial_capital = ExactDecimal()
    is_default = serializers.BooleanField(help_text="Orders that name no account use this one.")
    opened_at = serializers.DateTimeField(help_text="The venue's time.")
    closed_at = serializers.DateTimeField(allow_null=True)


class SummarySerializer(serializers.Serializer[Any]):
    """An account in one view; amounts in its currency."""

    account_id = serializers.UUIDField()
    name = serializers.CharField()
    currency = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="The venue's time of the newest valuation.")
    cash = ExactDecimal()
    holdings_value = ExactDecimal()
    equity = ExactDecimal()
    initial_capital = ExactDecimal()
    realised_pnl = ExactDecimal()
    unrealised_pnl = ExactDecimal()
    fees = ExactDecimal()
    day_pnl = ExactDecimal(help_text="Since the start of the venue's day.")
    peak_equity = ExactDecimal()
    drawdown = ExactDecimal(help_text="Fraction of the peak.")


class PositionSerializer(serializers.Serializer[Any]):
    account_id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    quantity = ExactDecimal(help_text="Signed: negative is short.")
    cost_basis = ExactDecimal()
    average_price = ExactDecimal()
    mark_price = ExactDecimal(allow_null=True)
    market_value = ExactDecimal()
    unrealised_pnl = ExactDecimal()
    realised_pnl = ExactDecimal(help_text="Before fees.")
    opened_at = serializers.DateTimeField(allow_null=True)


class PortfolioSerializer(serializers.Serializer[Any]):
    summary = SummarySerializer()
    positions = PositionSerializer(many=True)


class PerformanceSerializer(serializers.Serializer[Any]):
    """Figures of an account; null where there is not enough history to say."""

    total_return = ExactDecimal(allow_null=True)
    annual_return = Statistic()
    volatility = Statistic()
    sharpe = Statistic()
    max_drawdown = Statistic()
    trades = serializers.IntegerField()
    win_rate = Statistic()
    profit_factor = Statistic()


class EquityPointSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    equity = ExactDecimal()
    cash = ExactDecimal()
    holdings_value = ExactDecimal()
    drawdown = ExactDecimal()


class ClosedTradeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    instrument_id = serializers.UUIDField()
    symbol = serializers.CharField()
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField()
    quantity = ExactDecimal(help_text="What was entered, signed.")
    realised_pnl = ExactDecimal(help_text="Before fees.")
    fees = ExactDecimal()
    closing_fill_id = serializers.UUIDField()


class LineSerializer(serializers.Serializer[Any]):
    ledger_account = EnumField(LedgerAccount)
    asset = serializers.CharField()
    amount = ExactDecimal()


class EntrySerializer(serializers.Serializer[Any]):
    """One booking; its lines sum to zero for each asset."""

    id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    kind = EnumField(EntryKind)
    reference = serializers.CharField(help_text="What caused it: the id of the fill, or `opening`.")
    instrument_id = serializers.UUIDField(allow_null=True)
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    lines = LineSerializer(many=True)


class AccountQuery(StrictSerializer):
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")


class PositionQuery(AccountQuery):
    with_closed = serializers.BooleanField(default=False, help_text="Also what the account has held.")


class EquityQuery(AccountQuery):
    limit = serializers.IntegerField(min_value=2, max_value=MOST_POINTS, default=500, help_text="Points, spread evenly over its life.")


class JournalQuery(CursorQuery):
    account_id = serializers.UUIDField(required=False, help_text="The default account if left out.")
