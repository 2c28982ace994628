"""Parity on a page: the newest days as bars against their tolerance, and the differences by class as shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from apps.backtests.domain.parity_day import ParityClass
from apps.backtests.selectors.parity import ParityDayView, ParitySummary, parity_days, parity_summary
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import AccountView
from apps.risk import selectors as risk
from apps.risk.contracts import HaltView

DAYS_DRAWN = 120
MEANINGS = {
    ParityClass.DATA: "the bars have changed since",
    ParityClass.FORECAST: "the forecast was another one",
    ParityClass.SIGNAL: "the strategy said something else, or something else was held before",
    ParityClass.SIZE: "the size was another one",
    ParityClass.RISK: "the risk gate said something else",
    ParityClass.DECISION: "outcome or sentence, though everything before agrees",
    ParityClass.LATENCY: "the same order filled on another bar",
    ParityClass.FILL: "price, quantity or reason of a fill",
    ParityClass.FEE: "the fee of a fill",
    ParityClass.MISSING: "only the repetition has it",
    ParityClass.EXTRA: "only paper has it",
    ParityClass.BOOKS: "the account is worth another amount, though everything else agrees",
}


@dataclass(frozen=True)
class ParityBar:
    """A day in a picture of 1000 x 300, as high as its deviation."""

    x: float
    y: float
    width: float
    height: float
    is_breached: bool
    label: str


@dataclass(frozen=True)
class KindRow:
    """Differences of one class; `share` is the part of all, from 0 to 100."""

    kind: str
    meaning: str
    count: int
    share: float


@dataclass(frozen=True)
class ParityPage:
    """Everything above the table of days."""

    account: AccountView
    summary: ParitySummary
    halt: HaltView | None
    bars: Sequence[ParityBar]
    tolerance_y: float
    highest_bps: Decimal
    kinds: Sequence[KindRow]


def parity_page(account_id: UUID) -> ParityPage:
    """The parity of an account; raises NotFound."""
    summary = parity_summary(account_id)
    days = parity_days(account_id=account_id, limit=DAYS_DRAWN)[::-1]
    highest = max([summary.tolerance_bps * 2, *(abs(day.deviation_bps) for day in days)], default=Decimal(0)) or Decimal(1)
    return ParityPage(
        account=portfolio.account(account_id),
        summary=summary,
        halt=risk.active_halt(account_id),
        bars=[_bar(day, index, len(days), highest) for index, day in enumerate(days)],
        tolerance_y=round(float(288 - 276 * summary.tolerance_bps / highest), 1),
        highest_bps=highest,
        kinds=[_kind(kind, count, summary.differences) for kind, count in summary.kinds.items()],
    )


def _bar(day: ParityDayView, index: int, count: int, highest: Decimal) -> ParityBar:
    width = 1000 / max(count, 30)
    height = round(max(float(276 * abs(day.deviation_bps) / highest), 2.0), 1)
    label = f"{day.day}: {day.differences} differences, {day.deviation_bps:f} bps"
    return ParityBar(round(index * width + 0.5, 1), round(288 - height, 1), round(width - 1, 1), height, day.is_breached, label)


def _kind(kind: str, count: int, total: int) -> KindRow:
    return KindRow(kind, MEANINGS[ParityClass(kind)], count, round(100 * count / total, 1) if total else 0.0)
