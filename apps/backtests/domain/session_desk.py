"""The account as a decision meets it, in memory: books, risk factor, gate and reservations (strategies' `AccountDesk`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.backtests.domain.session_books import MemoryBooks
from apps.backtests.domain.session_plan import AccountPlan
from apps.risk.domain.exposure import Hold, facts_of, held_by
from apps.risk.domain.factor import factor_of
from apps.risk.domain.facts import Limits, reserve_for, shrink
from apps.risk.domain.gate import judge
from apps.risk.domain.values import OrderProposal, RiskFactor, Verdict


class MemoryDesk:
    """Judges each order against the books and what open orders still hold, under the limits and the halt that the decision meets."""

    def __init__(self, account: AccountPlan, books: MemoryBooks) -> None:
        self._account = account
        self._books = books
        self._limits: Limits = {}
        self._halt_reason: str | None = None
        self._holds: dict[UUID, Hold] = {}
        self._entries: list[datetime] = []

    def meet(self, limits: Limits, *, halt_reason: str | None) -> None:
        """What the next decision is judged by."""
        self._limits, self._halt_reason = limits, halt_reason

    def note_entries(self, count: int, at: datetime) -> None:
        """Orders of others that add exposure count against the day as well."""
        self._entries += [at] * count

    def open_positions(self) -> int:
        return self._books.open_positions()

    def drawdown(self) -> Decimal:
        return self._books.drawdown

    def equity(self) -> Decimal:
        return self._books.newest.valuation.equity

    def risk_factor(self, *, confidence: float | None, drawdown: Decimal, volatility_ratio: float | None, at: datetime) -> RiskFactor:
        return factor_of(self._account.factor_rules, confidence=confidence, drawdown=drawdown, volatility_ratio=volatility_ratio)

    def assess(self, proposal: OrderProposal) -> Verdict:
        """The gate's verdict; the order's id is the verdict's as well."""
        verdict = self._judged(proposal, self._holds.values())
        if verdict.approved:
            self._holds[proposal.order_id] = Hold(proposal.instrument.id, reserve_for(proposal))
            if not proposal.is_reducing and proposal.data_at is not None:
                self._entries.append(proposal.data_at)
        return verdict

    def assess_amendment(self, proposal: OrderProposal) -> Verdict:
        """The gate's verdict on what an open order is to become, without what it holds; approved, it holds the larger of both."""
        own = self._holds.get(proposal.order_id)
        verdict = self._judged(proposal, [hold for key, hold in self._holds.items() if key != proposal.order_id])
        if verdict.approved and own is not None:
            now, then = own.reserved, reserve_for(proposal)
            quantity = max(now.quantity, then.quantity, key=abs)
            wider = replace(now, quantity=quantity, notional=max(now.notional, then.notional), cash=max(now.cash, then.cash))
            self._holds[proposal.order_id] = Hold(own.instrument_id, wider)
        return verdict

    def _judged(self, proposal: OrderProposal, holds: Iterable[Hold]) -> Verdict:
        instrument_id = proposal.instrument.id
        facts = facts_of(
            self._books.exposure(instrument_id),
            held_by(holds, instrument_id=instrument_id, side=proposal.side),
            halt_reason=self._halt_reason,
            live_refusal="",
            orders_today=self._orders_today(),
            is_duplicate=False,
        )
        checks = judge(proposal, facts, self._limits)
        return Verdict(proposal.order_id, all(check.passed for check in checks), checks)

    def after_fill(self, order_id: UUID, *, remaining: Decimal) -> None:
        """Hold only what may still trade."""
        hold = self._holds.pop(order_id, None)
        if hold is not None and remaining:
            self._holds[order_id] = Hold(hold.instrument_id, shrink(hold.reserved, remaining=remaining))

    def release(self, order_id: UUID) -> None:
        """The order can trade no more."""
        self._holds.pop(order_id, None)

    def _orders_today(self) -> int:
        """Exposure-increasing orders since the start of the venue's day; older ones are forgotten, for days only move forward."""
        since = self._books.day_started_at
        self._entries = [at for at in self._entries if at >= since]
        return len(self._entries)
