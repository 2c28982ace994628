"""Questions about decisions and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.backtests.contracts import Progress, RunState
from apps.backtests.domain.what_if_offer import DecisionShape, notes_of
from apps.backtests.models import WhatIf
from apps.core.errors import NotFound
from apps.markets import selectors as markets
from apps.orders import selectors as orders
from apps.orders.domain.engine_codes import REDUCE_ONLY
from apps.orders.selectors.simulated import profiles_over_time
from apps.risk import selectors as risk
from apps.risk.contracts import limit_help
from apps.strategies import selectors as strategies
from apps.strategies.contracts import Outcome
from apps.strategies.domain.catalog import build_for_session, is_event_kind
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.selectors import DecisionView


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
    is_cancel_requested: bool


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
    sizes_itself: bool
    """The strategy left no size to the session here: the risk per trade can only change later decisions."""
    notes: tuple[str, ...]
    """What to know before asking, in sentences."""


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


def shape_of(decision: DecisionView) -> DecisionShape:
    """What of a stored decision says what can be asked of it."""
    was_sized = "quantity" in decision.sizing
    is_of_events = is_event_kind(decision.kind)
    return DecisionShape(
        outcome=decision.outcome,
        is_of_events=is_of_events,
        opens=_opening_lots(decision) is not None if is_of_events else was_sized,
        was_sized=was_sized,
    )


def changeable(decision_id: UUID) -> Changeable | None:
    """What a form offers; None where nothing can be asked: the account is not at the simulated venue or has not met a bar, or the bar was
    late. Raises NotFound."""
    decision = strategies.decision(decision_id)
    if orders.matched_through(decision.account_id) is None or decision.outcome is Outcome.LATE_BAR:
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
    shape = shape_of(decision)
    return Changeable(
        decision_id=decision_id,
        limits=tuple(ChangeableLimit(code, value, limit_help(code)) for code, value in in_force.items() if code != "DUPLICATE_ORDER"),
        confidence=_confidence(decision, shape),
        risk_per_trade=session.risk_per_trade,
        quantity=_quantity(decision, shape),
        fee_bps=profile.fees.taker_bps,
        spread_bps=profile.slippage.spread_bps,
        slippage_bps=profile.slippage.slippage_bps,
        sizes_itself=shape.sizes_itself,
        notes=notes_of(shape),
    )


def _confidence(decision: DecisionView, shape: DecisionShape) -> float | None:
    """Of the signal; a strategy of events has one for all its entries."""
    if not shape.is_of_events:
        return decision.signal.get("confidence")
    strategy = build_for_session(decision.kind, decision.parameters)
    assert isinstance(strategy, EventStrategy)
    return strategy.confidence


def _quantity(decision: DecisionView, shape: DecisionShape) -> Decimal | None:
    """Of the order that opened a position, or would have."""
    if not shape.is_of_events:
        return Decimal(decision.sizing["quantity"]) if shape.was_sized else None
    lots = _opening_lots(decision)
    return None if lots is None else markets.instrument_spec(decision.instrument_id).quantity(lots)


def _opening_lots(decision: DecisionView) -> int | None:
    """The lots of the first order of its own that opens or adds to a position; None where a strategy of events gave no such order."""
    held = markets.instrument_spec(decision.instrument_id).quantity_lots(decision.position_before)
    for call in decision.actions.get("calls", ()):
        order = call.get("order", {})
        if call["call"] != "submit" or "parent" in order or order.get("flags", 0) & REDUCE_ONLY:
            continue
        if held * order["side"] >= 0 or order["lots"] > abs(held):
            return int(order["lots"])
    return None


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
        is_cancel_requested=row.is_cancel_requested,
    )
