"""Parity of accounts: what was compared day by day, and what differed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Sum

from apps.backtests.domain.parity_day import DEFAULT_TOLERANCE_BPS, ParityClass
from apps.backtests.models import ParityDay, ParityDifference, ParityTolerance
from apps.core.errors import NotFound
from apps.markets import selectors as markets
from apps.markets.contracts import ClockStatus
from apps.orders import selectors as orders
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import AccountView
from apps.strategies import selectors as strategies

_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class ParityDayView:
    """A day of an account beside its repetition; `kinds` counts differences by class."""

    id: UUID
    account_id: UUID
    account: str
    day: date
    decisions: int
    orders: int
    fills: int
    differences: int
    kinds: Mapping[str, int]
    equity: Decimal
    deviation: Decimal
    deviation_bps: Decimal
    tolerance_bps: Decimal
    is_breached: bool
    halt_id: UUID | None
    code_version: str
    checked_at: datetime


@dataclass(frozen=True)
class ParityDifferenceView:
    """One difference; `amount` is what it is worth in the account's currency."""

    id: UUID
    day: date
    kind: ParityClass
    at: datetime
    session_id: UUID | None
    symbol: str
    decision_id: UUID | None
    order_id: UUID | None
    what: str
    paper: str
    backtest: str
    amount: Decimal


@dataclass(frozen=True)
class ParitySummary:
    """An account's parity: all checked days together; `is_behind` while a finished day is not checked."""

    account_id: UUID
    account: str
    currency: str
    tolerance_bps: Decimal
    halts: bool
    days: int
    clean_days: int
    breached_days: int
    decisions: int
    fills: int
    differences: int
    kinds: Mapping[str, int]
    last_day: date | None
    checked_at: datetime | None
    is_behind: bool


def parity_summary(account_id: UUID) -> ParitySummary:
    """The account's parity; raises NotFound for an unknown account."""
    account = portfolio.account(account_id)
    rows = ParityDay.objects.filter(account_id=account_id)
    totals = rows.aggregate(days=Count("id"), decisions=Sum("decisions"), fills=Sum("fills"), differences=Sum("differences"))
    newest = rows.order_by("-day").first()
    through = finished_through(account)
    tolerance_bps, halts = tolerance(account_id)
    return ParitySummary(
        account_id=account_id,
        account=account.name,
        currency=account.currency,
        tolerance_bps=tolerance_bps,
        halts=halts,
        days=totals["days"],
        clean_days=rows.filter(differences=0).count(),
        breached_days=rows.filter(is_breached=True).count(),
        decisions=totals["decisions"] or 0,
        fills=totals["fills"] or 0,
        differences=totals["differences"] or 0,
        kinds=_kinds(ParityDifference.objects.filter(day__account_id=account_id).values_list("kind", flat=True)),
        last_day=newest.day if newest else None,
        checked_at=newest.checked_at if newest else None,
        is_behind=through is not None and _has_decided(account, newest.day if newest else None, through),
    )


def parity_days(
    *, account_id: UUID | None = None, only_different: bool = False, before: UUID | None = None, limit: int = 50
) -> list[ParityDayView]:
    """Checked days, the newest of them first; `before` is the id of the last one already seen."""
    rows = ParityDay.objects.select_related("account").order_by("-day", "-id")
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    if only_different:
        rows = rows.filter(differences__gt=0)
    if before is not None:
        last = ParityDay.objects.filter(id=before).first()
        if last is None:
            raise NotFound(f"There is no checked day {before}.", where="cursor")
        rows = rows.filter(day__lt=last.day) | rows.filter(day=last.day, id__lt=last.id)
    return _views(list(rows[:limit]))


def parity_day(day_id: UUID) -> ParityDayView:
    """One checked day; raises NotFound."""
    row = ParityDay.objects.select_related("account").filter(id=day_id).first()
    if row is None:
        raise NotFound(f"There is no checked day {day_id}.", where="day_id")
    return _views([row])[0]


def parity_differences(*, day_id: UUID, before: UUID | None = None, limit: int = 200) -> list[ParityDifferenceView]:
    """What differed on a day, the newest stored first; `before` is the id of the last one already seen."""
    rows = ParityDifference.objects.select_related("day").filter(day_id=day_id).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [
        ParityDifferenceView(
            id=row.id,
            day=row.day.day,
            kind=ParityClass(row.kind),
            at=row.at,
            session_id=row.session_id,
            symbol=row.symbol,
            decision_id=row.decision_id,
            order_id=row.order_id,
            what=row.what,
            paper=row.paper,
            backtest=row.backtest,
            amount=row.amount,
        )
        for row in rows[:limit]
    ]


def tolerance(account_id: UUID) -> tuple[Decimal, bool]:
    """What a day of the account may differ by in basis points, and whether it is halted beyond: its own, or that of all, or the default."""
    rows = ParityTolerance.objects.filter(account_id=account_id) | ParityTolerance.objects.filter(account__isnull=True)
    found = min(rows, key=lambda row: row.account_id is None, default=None)
    return (found.tolerance_bps, found.halts) if found else (DEFAULT_TOLERANCE_BPS, True)


def finished_through(account: AccountView) -> datetime | None:
    """The end of what can be compared: the last moment of the last day of the venue's clock that is over for the account and its sessions.

    Everything, once the venue is at its end. None before the first day is over.
    """
    met = orders.matched_through(account.id)
    if met is None:
        return None
    active = [item for item in strategies.sessions(account.venue_id) if item.account_id == account.id and item.state.is_active]
    through = min([met, *(item.last_bar_at for item in active if item.last_bar_at is not None)])
    if is_over(account):
        return through
    end = datetime.combine(through.astimezone(UTC).date(), time(), UTC) - _A_MOMENT
    return end if end > account.opened_at else None


def is_over(account: AccountView) -> bool:
    """Whether nothing will be traded any more."""
    return account.closed_at is not None or markets.venue(account.venue_id).status in (ClockStatus.ENDED, ClockStatus.ARCHIVED)


def _has_decided(account: AccountView, after: date | None, until: datetime) -> bool:
    """Whether the account's sessions decided anything after that day."""
    end = account.opened_at if after is None else datetime.combine(after + timedelta(days=1), time(), UTC) - _A_MOMENT
    return next(strategies.recorded_decisions(account.id, after=end, until=until), None) is not None


def _views(rows: list[ParityDay]) -> list[ParityDayView]:
    kinds: dict[UUID, list[str]] = {}
    for day_id, kind in ParityDifference.objects.filter(day__in=rows).values_list("day_id", "kind"):
        kinds.setdefault(day_id, []).append(kind)
    return [
        ParityDayView(
            id=row.id,
            account_id=row.account_id,
            account=row.account.name,
            day=row.day,
            decisions=row.decisions,
            orders=row.orders,
            fills=row.fills,
            differences=row.differences,
            kinds=_kinds(kinds.get(row.id, [])),
            equity=row.equity,
            deviation=row.deviation,
            deviation_bps=row.deviation_bps,
            tolerance_bps=row.tolerance_bps,
            is_breached=row.is_breached,
            halt_id=row.halt_id,
            code_version=row.code_version,
            checked_at=row.checked_at,
        )
        for row in rows
    ]


def _kinds(kinds: Iterable[str]) -> Mapping[str, int]:
    """How many of each class, in the order of the classes."""
    counts = Counter(kinds)
    return {str(item): counts[str(item)] for item in ParityClass if counts[str(item)]}
