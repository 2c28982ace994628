"""Accounts, positions, performance and the journal, as programs read them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.api.fields import EnumField, ExactDecimal, JsonList, JsonObject, Statistic
from apps.common.api.pagination import CursorQuery
from apps.common.api.serializers import StrictSerializer
from apps.core.vocabulary import TradingMode
from apps.portfolio.contracts import EntryKind, FigureGroup, FigureUnit, LedgerAccount

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


class FigureSerializer(serializers.Serializer[Any]):
    """One performance figure; null where there is too little to say."""

    key = serializers.CharField()
    title = serializers.CharField()
    unit = EnumField(FigureUnit, help_text="A percent is a fraction: 0.05 is 5 %. Money is in the account's currency.")
    group = EnumField(FigureGroup)
    is_higher_better = serializers.BooleanField(allow_null=True, help_text="Null where neither direction is better in itself.")
    help = serializers.CharField()
    value = Statistic()


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
    figures = FigureSerializer(many=True, help_text="All figures, always the same ones in the same order.")


class TearSheetSerializer(serializers.Serializer[Any]):
    """Everything of a tear sheet. Curves are lists of [seconds since 1970 UTC, value]; what cannot be told is null or empty."""

    currency = serializers.CharField()
    span = JsonObject(help_text="from, to, points, days, days_per_year, risk_free")
    figures = FigureSerializer(many=True)
    equity = JsonList(help_text="At most 1,500 points, lowest and highest among them.")
    drawdown = JsonList(help_text="Fraction below the peak.")
    benchmarks = JsonList(help_text="label and points of each thing that the account is compared with, scaled to its capital.")
    rolling_sharpe = JsonList(help_text="days and points of each window.")
    months = JsonList(help_text="year, months (twelve returns) and total of each year.")
    years = JsonList(help_text="year, return, benchmark and max_drawdown.")
    daily_returns = JsonObject(help_text="edges and counts of a histogram.")
    worst_drawdowns = JsonList(help_text="peak, valley, recovered, depth, days and days_to_recover, deepest first.")
    trades = JsonObject(help_text="count, sides, results (a histogram), best and worst.")
    costs = JsonList(help_text="kind, amount and share_of_traded_value.")
    exits = JsonList(help_text="reason, trades, share, earned, average and win_rate.")


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
    entry_value = ExactDecimal(help_text="What was entered, at its prices; positive.")
    exit_reason = serializers.CharField(help_text="Why the last fill filled: MARKET_AT_OPEN, STOP_TRIGGERED, ...")


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
