"""Reading risk: limits in force, halts, factor, verdicts, and whether live orders may leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from apps.core.errors import NotFound
from apps.events import selectors as events
from apps.risk.contracts import (
    CheckCode,
    CheckResult,
    HaltView,
    LimitChanged,
    LimitView,
    RiskFactor,
    Verdict,
    VerdictView,
    limit_help,
)
from apps.risk.domain.factor import FactorRule, Measure
from apps.risk.domain.facts import Limits
from apps.risk.domain.limits import strictest
from apps.risk.models import Halt, LiveTradingSwitch, RiskFactorRule, RiskFactorState, RiskLimit, RiskVerdict


@dataclass(frozen=True)
class _Setting:
    """A limit's row as it stood."""

    code: str
    value: Decimal
    is_enabled: bool


def active_halt(account_id: UUID | None = None) -> HaltView | None:
    """The oldest engaged halt of everything or, if an account is given, of that account; None if nothing stops it."""
    row = _engaged(account_id).order_by("engaged_at").first()
    return _halt_view(row) if row else None


def halts(limit: int = 50) -> list[HaltView]:
    """The newest halts, engaged or reset."""
    return [_halt_view(row) for row in Halt.objects.all()[:limit]]


def halt(halt_id: UUID) -> HaltView:
    """One halt; NotFound if there is none."""
    row = Halt.objects.filter(id=halt_id).first()
    if row is None:
        raise NotFound(f"There is no halt {halt_id}.", where="halt_id")
    return _halt_view(row)


def limits() -> list[LimitView]:
    """Every limit row with what it means."""
    return [
        LimitView(
            id=row.id,
            code=row.code,
            value=row.value,
            is_enabled=row.is_enabled,
            mode=row.mode,
            account_id=row.account_id,
            strategy=row.strategy,
            instrument_id=row.instrument_id,
            help=limit_help(row.code),
            note=row.note,
        )
        for row in RiskLimit.objects.all()
    ]


def limits_in_force(*, account_id: UUID, mode: str, strategy: str, instrument_id: UUID) -> Limits:
    """The strictest enabled limit by code for an order; None where every row that applies is switched off, absent where none applies."""
    rows = _rows_for(account_id, mode, strategy, instrument_id)
    return _in_force(_Setting(row.code, row.value, row.is_enabled) for row in rows)


def limits_over_time(*, account_id: UUID, mode: str, strategy: str, instrument_id: UUID) -> list[tuple[datetime, Limits]]:
    """The limits in force for such an order as they have been: from each moment of the wall on, oldest first; the first since ever.

    Worked out backwards from the rows of now by the changes on the log, so a row that was deleted since is not seen.
    """
    rows = {row.id: _Setting(row.code, row.value, row.is_enabled) for row in _rows_for(account_id, mode, strategy, instrument_id)}
    changes = [(item.recorded_at, row_id, item.payload) for row_id in rows for item in events.events_for_subject(str(row_id))
               if item.event_type == LimitChanged.event_type]  # fmt: skip
    standing: dict[UUID, _Setting | None] = dict(rows)
    spells: list[tuple[datetime, Limits]] = []
    for at, row_id, payload in sorted(changes, key=lambda item: item[0], reverse=True):
        spells.append((at, _in_force(standing.values())))
        earlier = [item for item in changes if item[1] == row_id and item[0] < at]
        was_enabled = bool(max(earlier, key=lambda item: item[0])[2]["enabled"]) if earlier else True
        before = str(payload["old_value"])
        standing[row_id] = _Setting(rows[row_id].code, Decimal(before), was_enabled) if before else None
    spells.append((datetime.min.replace(tzinfo=UTC), _in_force(standing.values())))
    return spells[::-1]


def factor(account_id: UUID) -> RiskFactor:
    """The newest risk factor of the account; 1 without reasons before the first decision."""
    row = RiskFactorState.objects.filter(account_id=account_id).first()
    return RiskFactor(row.value, tuple(row.reasons)) if row else RiskFactor(Decimal(1), ())


def factor_rules() -> tuple[FactorRule, ...]:
    """The enabled rules of the risk factor."""
    rows = RiskFactorRule.objects.filter(is_enabled=True)
    return tuple(FactorRule(Measure(row.measure), row.threshold, row.multiplier, row.reason) for row in rows)


def verdict(verdict_id: UUID) -> VerdictView:
    """A stored verdict with every check; NotFound if there is none."""
    row = RiskVerdict.objects.filter(id=verdict_id).first()
    if row is None:
        raise NotFound(f"There is no verdict {verdict_id}.", where="verdict_id")
    return VerdictView(stored_verdict(row), row.order_id, row.account_id, row.instrument_id, row.created_at)


def verdicts(*, account_id: UUID, before: UUID | None = None, limit: int = 50) -> list[VerdictView]:
    """The newest verdicts of an account; `before` is the id of the last one already seen."""
    rows = RiskVerdict.objects.filter(account_id=account_id, **({"id__lt": before} if before else {})).order_by("-id")[:limit]
    return [VerdictView(stored_verdict(row), row.order_id, row.account_id, row.instrument_id, row.created_at) for row in rows]


def live_refusal() -> str:
    """Why live orders may not leave; empty when the environment's switch and the database's are both on."""
    if not settings.LIVE_TRADING_ENABLED:
        return "Live trading is off in the environment (LIVE_TRADING_ENABLED)."
    if not LiveTradingSwitch.objects.filter(id=1, is_on=True).exists():
        return "Live trading is off in the database; a person has to switch it on."
    return ""


def stored_verdict(row: RiskVerdict) -> Verdict:
    """The verdict that a row holds."""
    checks = tuple(
        CheckResult(_check_code(item["code"]), item["passed"], item["value"], item["limit"], item["message"]) for item in row.checks
    )
    return Verdict(row.id, row.approved, checks)


def _check_code(stored: str) -> str:
    """The member of `CheckCode`; a limit that was added has none and stays as it is."""
    return CheckCode(stored) if stored in list(CheckCode) else stored


def _rows_for(account_id: UUID, mode: str, strategy: str, instrument_id: UUID) -> QuerySet[RiskLimit]:
    return RiskLimit.objects.filter(
        Q(mode__in=("", mode)),
        Q(account_id=None) | Q(account_id=account_id),
        Q(strategy__in=("", strategy)),
        Q(instrument=None) | Q(instrument=instrument_id),
    )


def _in_force(standing: Iterable[_Setting | None]) -> Limits:
    found: dict[str, list[Decimal]] = {}
    for item in standing:
        if item is not None:
            values = found.setdefault(item.code, [])
            if item.is_enabled:
                values.append(item.value)
    return {code: strictest(code, values) if values else None for code, values in found.items()}


def _engaged(account_id: UUID | None) -> QuerySet[Halt]:
    scope = Q(account_id=None) if account_id is None else Q(account_id=None) | Q(account_id=account_id)
    return Halt.objects.filter(scope, reset_at=None)


def _halt_view(row: Halt) -> HaltView:
    return HaltView(
        id=row.id,
        account_id=row.account_id,
        reason=row.reason,
        flatten=row.flatten,
        engaged_by=row.engaged_by,
        engaged_at=row.engaged_at,
        verified_at=row.verified_at,
        orders_cancelled=row.orders_cancelled,
        reset_by=row.reset_by,
        reset_at=row.reset_at,
        reset_reason=row.reset_reason,
    )
