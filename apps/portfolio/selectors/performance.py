"""Equity over time, closed trades and the figures that follow from them."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import numpy as np
from django.db.models import F, IntegerField, Value, Window
from django.db.models.functions import Mod, RowNumber, TruncDate

from apps.portfolio.contracts import ClosedTradeView, EquityPoint, Performance
from apps.portfolio.domain import metrics
from apps.portfolio.domain.valuation import drawdown
from apps.portfolio.models import ClosedTrade, EquitySnapshot
from apps.portfolio.selectors.accounts import account_row


def equity_curve(account_id: UUID, *, limit: int = 500) -> list[EquityPoint]:
    """The account's whole life, oldest first, thinned evenly to at most `limit` points; the newest is always among them."""
    rows = EquitySnapshot.objects.filter(account_id=account_id)
    step = -(-rows.count() // max(limit, 1))
    if step > 1:
        number = Window(RowNumber(), order_by=F("at").desc())
        rows = rows.annotate(number=number, rest=Mod(F("number"), Value(step), output_field=IntegerField())).filter(rest=1)
    return [
        EquityPoint(row.at, row.equity, row.cash, row.holdings_value, drawdown(peak=row.peak_equity, equity=row.equity))
        for row in rows.order_by("at")
    ]


def closed_trades(account_id: UUID, *, before: UUID | None = None, limit: int = 50) -> list[ClosedTradeView]:
    """The newest round trips of an account; `before` is the id of the last one already seen."""
    rows = ClosedTrade.objects.filter(account_id=account_id, **({"id__lt": before} if before else {})).select_related("instrument")
    return [
        ClosedTradeView(
            id=row.id,
            instrument_id=row.instrument_id,
            symbol=row.instrument.symbol,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            quantity=row.quantity,
            realised_pnl=row.realised_pnl,
            fees=row.fees,
            closing_fill_id=row.closing_fill_id,
            entry_value=row.entry_value,
            exit_reason=row.exit_reason,
        )
        for row in rows.order_by("-id")[:limit]
    ]


def performance(account_id: UUID) -> Performance:
    """Figures from the last equity of each day and from closed trades after fees; None where there is too little to say."""
    row = account_row(account_id)
    daily = list(
        EquitySnapshot.objects.filter(account=row)
        .annotate(day=TruncDate("at"))
        .order_by("day", "-at")
        .distinct("day")
        .values_list("day", "equity")
    )
    equity = np.array([float(value) for _, value in daily])
    per_year = metrics.days_per_year([day for day, _ in daily])
    trades = ClosedTrade.objects.filter(account=row).values_list("realised_pnl", "fees")
    results = np.array([float(realised - fees) for realised, fees in trades])
    return Performance(
        total_return=daily[-1][1] / row.initial_capital - Decimal(1) if daily else None,
        annual_return=metrics.annual_return(equity, per_year=per_year),
        volatility=metrics.volatility(equity, per_year=per_year),
        sharpe=metrics.sharpe(equity, per_year=per_year),
        max_drawdown=metrics.max_drawdown(equity),
        trades=len(results),
        win_rate=metrics.win_rate(results),
        profit_factor=metrics.profit_factor(results),
    )
