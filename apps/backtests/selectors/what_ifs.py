"""Questions about decisions and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.backtests.contracts import Progress, RunState
from apps.backtests.models import WhatIf
from apps.core.errors import NotFound
from apps.orders import selectors as orders
from apps.orders.selectors.simulated import profiles_over_time
from apps.risk import selectors as risk
from apps.risk.contracts import limit_help
from apps.strategies import selectors as strategies


@dataclass(frozen=True)
class WhatIfView:
    """A question; `result` is there once it is DONE, as `domain/what_if_result.py` has it."""

    id: UUID
    state: RunState
    progress: Progress
    decision_id: UUID
    changes: dict[str, Any]
    through: datetime
    result: dict[str, Any]
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    error: str
    error_where: str
    error_hint: str


@dataclass(frozen=True)
class ChangeableLimit:
    """A limit that a question may change, with the value that it had (None: switched off)."""

    code: str
    value: Decimal | None
    help: str


@dataclass(frozen=True)
class Changeable:
    """What can be changed about a decision, each with the value that it had."""

    decision_id: UUID
    limits: tuple[ChangeableLimit, ...]
    confidence: float | None
    risk_per_trade: Decimal
    quantity: Decimal | None
    fee_bps: Decimal
    spread_bps: Decimal
    slippage_bps: Decimal


def what_if(what_if_id: UUID) -> WhatIfView:
    """One question; raises NotFound."""
    row = WhatIf.objects.filter(id=what_if_id).first()
    if row is None:
        raise NotFound(f"There is no what-if {what_if_id}.", where="what_if_id")
    return _view(row)


def what_ifs(*, decision_id: UUID | None = None, before: UUID | None = None, limit: int = 50) -> list[WhatIfView]:
    """Questions, newest first; `before` is the id of the last one already seen."""
    rows = WhatIf.objects.order_by("-id")
    if decision_id is not None:
        rows = rows.filter(decision_id=decision_id)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [_view(row) for row in rows[:limit]]


def changeable(decision_id: UUID) -> Changeable | None:
    """What a form offers; None where the account is not at the simulated venue or has not met a bar. Raises NotFound."""
    decision = strategies.decision(decision_id)
    if orders.matched_through(decision.account_id) is None:
        return None
    try:
        profiles = profiles_over_time(decision.account_id)
    except NotFound:
        return None
    profile = [item for since, item in profiles if since <= decision.bar_at][-1]
    session = strategies.session(decision.session_id)
    spells = risk.limits_over_time(
        account_id=decision.account_id, mode=session.mode, strategy=decision.kind, instrument_id=decision.instrument_id
    )
    in_force = [limits for since, limits in spells if since <= decision.decided_at][-1]
    quantity = decision.sizing.get("quantity")
    return Changeable(
        decision_id=decision_id,
        limits=tuple(ChangeableLimit(code, value, limit_help(code)) for code, value in in_force.items() if code != "DUPLICATE_ORDER"),
        confidence=decision.signal.get("confidence"),
        risk_per_trade=session.risk_per_trade,
        quantity=Decimal(quantity) if quantity is not None else None,
        fee_bps=profile.fees.taker_bps,
        spread_bps=profile.slippage.spread_bps,
        slippage_bps=profile.slippage.slippage_bps,
    )


def _view(row: WhatIf) -> WhatIfView:
    return WhatIfView(
        id=row.id,
        state=RunState(row.state),
        progress=Progress(row.progress_done, row.progress_total, row.message),
        decision_id=row.decision_id,
        changes=row.changes,
        through=row.through,
        result=row.result,
        requested_by=row.requested_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
        error=row.error,
        error_where=row.error_where,
        error_hint=row.error_hint,
    )
