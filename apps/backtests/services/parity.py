"""The nightly comparison: every finished day of an account is repeated from stored bars, differences are stored, and a breaker watches them.

A day is stored whole or not at all, so a job that is killed goes on with the first day that is not stored. All days of an account are
repeated in one run, from its opening: each is compared by what it brought, so a difference of one day is not one of every later day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import transaction

from apps.backtests.adapters.announcing import ProgressAnnouncer
from apps.backtests.contracts import ParityBreached, ParityToleranceChanged
from apps.backtests.domain.parity_day import (
    Compared,
    DayParity,
    Found,
    OrderKey,
    OrderRow,
    compare_days,
    first_divergence,
    orders_of,
)
from apps.backtests.domain.session_beside import GivenTrade
from apps.backtests.domain.session_parity import FillRow, rows_of
from apps.backtests.models import ParityDay, ParityDifference, ParityTolerance
from apps.backtests.selectors.paper_runs import PaperRun, paper_run
from apps.backtests.selectors.parity import finished_through, is_over, tolerance
from apps.common.failpoints import failpoint
from apps.core.errors import InvalidInput, TradingError
from apps.core.rounding import require_finite
from apps.core.version import code_version
from apps.core.vocabulary import Side
from apps.events.services import record_event
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import to_micros
from apps.orders import selectors as orders
from apps.orders.contracts import OrderView
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import AccountView
from apps.risk import services as risk
from apps.strategies import selectors as strategies
from apps.strategies.selectors import RecordedDecision

log = structlog.get_logger(__name__)

ACTOR = "parity"
MOST_CORRECTIONS = 20
"""Repetitions of one account at most: each goes on from the next close at which it went another way."""
_LONGEST_TEXT = 500
_CENT = Decimal("0.0000000001")


@dataclass(frozen=True)
class Checked:
    """What a check of an account has done. `breached` are the days beyond the tolerance."""

    account: str
    days: tuple[date, ...]
    differences: int
    breached: tuple[date, ...]


def check_accounts(*, now: datetime) -> list[Checked]:
    """Check every account that has finished days which were not checked; one that cannot be is logged, and the others go on."""
    done: list[Checked] = []
    for account in portfolio.accounts():
        try:
            done.append(check_account(account_id=account.id, now=now))
        except TradingError as error:
            log.warning("parity_not_checked", account=account.name, error=str(error))
    return done


def check_account(
    *, account_id: UUID, now: datetime, day: date | None = None, after_close: Callable[[int, int], None] | None = None
) -> Checked:
    """Check the finished days of an account that were not checked yet, or `day` again.

    Raises NotFound for an unknown account; a day that is not finished, or on which nothing happened, is not checked.
    """
    account = portfolio.account(account_id)
    through = finished_through(account)
    known = set(ParityDay.objects.filter(account_id=account_id).values_list("day", flat=True))
    if through is None or (day is None and known and max(known) >= through.astimezone(UTC).date()):
        return Checked(account.name, (), 0, ())
    case = _case(account, through)
    compared = _compare(case, after_close)
    wanted = [item for item in compared if (item.day not in known if day is None else item.day == day)]
    stored = [_store(case, item, now=now) for item in wanted]
    _announce(account_id)
    return Checked(
        account.name,
        tuple(item.day for item in wanted),
        sum(len(item.found) for item in wanted),
        tuple(row.day for row in stored if row.is_breached),
    )


@dataclass(frozen=True)
class _Case:
    """An account with what it did."""

    account: AccountView
    paper: PaperRun
    decisions: dict[OrderKey, RecordedDecision]
    windows: dict[UUID, BarWindow]

    def bar_has_changed(self, session_id: UUID, at: datetime) -> bool:
        """Whether the bar that was decided on, as the decision kept it, is another one in the store by now."""
        made = self.decisions.get((session_id, at))
        return made is not None and _has_changed(made, self.windows[made.instrument_id])

    def corrections(self, one: FillRow | None, other: FillRow | None) -> list[GivenTrade]:
        """Trades that take the repetition's fill back and make paper's."""
        return [self._trade(row, sign) for row, sign in ((other, -1), (one, 1)) if row is not None]

    def _trade(self, row: FillRow, sign: int) -> GivenTrade:
        plan = next(plan for plan in self.paper.sessions if plan.id == row.session_id)
        side = row.side if sign > 0 else Side.SELL if row.side is Side.BUY else Side.BUY
        instrument = self.windows[plan.instrument_id].instrument
        return GivenTrade(row.filled_at, instrument, side, row.quantity, row.price, sign * row.fee, row.session_id)


def _case(account: AccountView, through: datetime) -> _Case:
    paper = paper_run(account.id, until=through)
    decisions = {(item.session_id, item.bar_at): item for item in strategies.recorded_decisions(account.id, until=through)}
    return _Case(account, paper, decisions, {window.instrument.id: window for window in paper.bars})


def _compare(case: _Case, after_close: Callable[[int, int], None] | None) -> list[DayParity]:
    """Compare, and where the account went another way, go on from where it went: what comes later is then judged by itself."""
    made = _paper_orders(case.account.id, list(case.decisions.values()))
    corrections: list[GivenTrade] = []
    corrected: datetime | None = None
    for _ in range(MOST_CORRECTIONS):
        again = case.paper.repeat(after_close=after_close, corrections=corrections)
        runs = Compared(case.paper.rows, rows_of(again), made, orders_of(again))
        apart = first_divergence(runs, corrected)
        if not apart:
            break
        corrected = min(row.filled_at for pair in apart for row in pair if row is not None)
        corrections += [trade for one, other in apart for trade in case.corrections(one, other)]
    return compare_days(runs, case.bar_has_changed)


def _has_changed(made: RecordedDecision, window: BarWindow) -> bool:
    kept = strategies.decision(made.id).bars
    places = (window.closed_at == to_micros(made.bar_at)).nonzero()[0]
    if not len(places) or not kept.get("close"):
        return True
    bar, price = window.bar(int(places[0])), window.instrument.price
    now = [str(price(value)) for value in (bar.open, bar.high, bar.low, bar.close)] + [str(bar.volume)]
    return now != [str(kept[name][-1]) for name in ("open", "high", "low", "close", "volume")]


def _paper_orders(account_id: UUID, decisions: list[RecordedDecision]) -> list[OrderRow]:
    """The stored orders of the sessions' decisions."""
    wanted = {order_id: item for item in decisions for order_id in item.order_ids}
    found: list[OrderRow] = []
    before: UUID | None = None
    while page := orders.orders(account_id=account_id, before=before, limit=1_000):
        found += [_order_row(row, wanted[row.id]) for row in page if row.id in wanted]
        before = page[-1].id
    return found[::-1]


def _order_row(row: OrderView, made: RecordedDecision) -> OrderRow:
    return OrderRow(made.session_id, made.bar_at, row.side, None if row.group_id else row.quantity, row.order_type)


def _store(case: _Case, found: DayParity, *, now: datetime) -> ParityDay:
    """Put the day in the place of what is stored of it; a day that has tripped the breaker before does not do so again."""
    account, (tolerance_bps, halts) = case.account, tolerance(case.account.id)
    with transaction.atomic():
        before = ParityDay.objects.select_for_update().filter(account_id=account.id, day=found.day).first()
        row = ParityDay(
            account_id=account.id,
            day=found.day,
            decisions=found.decisions,
            orders=found.orders,
            fills=found.fills,
            differences=len(found.found),
            equity=found.equity,
            deviation=found.deviation,
            deviation_bps=found.deviation_bps.quantize(_CENT),
            tolerance_bps=tolerance_bps,
            is_breached=found.deviation_bps > tolerance_bps,
            halt_id=before.halt_id if before else None,
            code_version=code_version(),
            checked_at=now,
        )
        has_tripped = before is not None and before.is_breached
        if before is not None:
            before.delete()
        if row.is_breached and not has_tripped:
            _trip(account, row, found, halts=halts, now=now)
        row.save(force_insert=True)
        ParityDifference.objects.bulk_create([_difference(row, item, case) for item in found.found])
        failpoint("backtests.parity_day")
    return row


def _trip(account: AccountView, row: ParityDay, found: DayParity, *, halts: bool, now: datetime) -> None:
    """Halt the account, which holds until a person resets it, and tell of it."""
    kinds = ", ".join(dict.fromkeys(str(item.kind) for item in found.found))
    reason = f"Parity of {row.day:%Y-%m-%d}: {row.deviation_bps:.2f} bps beside the backtest ({kinds}); {row.tolerance_bps.normalize():f} are allowed"
    if halts and not is_over(account):
        row.halt_id = risk.engage_halt(actor=ACTOR, reason=reason, now=now, account_id=account.id)
    record_event(
        ParityBreached(
            account_id=account.id,
            account=account.name,
            day=row.day.isoformat(),
            differences=row.differences,
            kinds=kinds,
            deviation=row.deviation,
            deviation_bps=row.deviation_bps,
            tolerance_bps=row.tolerance_bps,
            halt_id=row.halt_id,
            message=reason,
        ),
        occurred_at=now,
        actor=ACTOR,
        subject=str(account.id),
    )


def _difference(row: ParityDay, item: Found, case: _Case) -> ParityDifference:
    made = case.decisions.get((item.session_id, item.decided_at)) if item.session_id and item.decided_at else None
    plan = next((plan for plan in case.paper.sessions if plan.id == item.session_id), None)
    return ParityDifference(
        day=row,
        kind=item.kind,
        at=item.at,
        session_id=item.session_id,
        symbol=case.windows[plan.instrument_id].instrument.symbol if plan else "",
        decision_id=made.id if made else None,
        order_id=made.order_id if made else None,
        what=item.what[:80],
        paper=item.paper[:_LONGEST_TEXT],
        backtest=item.backtest[:_LONGEST_TEXT],
        amount=item.amount,
    )


def _announce(account_id: UUID) -> None:
    """Open pages look again."""
    announcer = ProgressAnnouncer()
    announcer.announce({"kind": "parity", "id": str(account_id)})
    announcer.close()


@transaction.atomic
def change_tolerance(*, tolerance_bps: Decimal, halts: bool, actor: str, now: datetime, account_id: UUID | None = None) -> UUID:
    """Set what a day may differ by (None: of every account without its own); what changed goes on the log with its actor.

    Raises InvalidInput for a number that is not zero or more, NotFound for an unknown account.
    """
    if not require_finite(tolerance_bps, name="tolerance_bps") >= 0:
        raise InvalidInput(f"The tolerance cannot be {tolerance_bps}.", where="tolerance_bps", hint="Give basis points, zero or more.")
    account = portfolio.account(account_id).name if account_id else ""
    rows = ParityTolerance.objects.select_for_update(of=("self",)).order_by("id")
    row = (rows.filter(account__isnull=True) if account_id is None else rows.filter(account_id=account_id)).first()
    old = "" if row is None else _in_words(row)
    row = row or ParityTolerance(account_id=account_id)
    row.tolerance_bps, row.halts = tolerance_bps, halts
    row.save()
    if _in_words(row) != old:
        record_event(
            ParityToleranceChanged(account=account, old_value=old, new_value=_in_words(row), halts=halts),
            occurred_at=now,
            actor=actor,
            subject=str(row.id),
        )
    return row.id


def _in_words(row: ParityTolerance) -> str:
    return f"{row.tolerance_bps.normalize():f} bps, {'halts' if row.halts else 'does not halt'}"
