"""The decision cycle: one bar of one session, from bars to a stored decision and, if it trades, an order intent — one transaction.

The unique Decision per (session, bar) and the compare-and-set of `last_bar_at` under the session's row lock are the fence: whatever is
delivered twice, a bar is decided once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.common.failpoints import failpoint
from apps.common.leases import HeldLease, fence
from apps.common.notify import Channel, notify
from apps.core.ids import uuid7
from apps.core.version import code_version
from apps.events.services import NewEvent, record_events
from apps.strategies.contracts import DecisionMade, Outcome, SessionState, SignalGenerated
from apps.strategies.domain.evaluation import Evaluation
from apps.strategies.models import Decision, TradingSession
from apps.strategies.services.evaluation import Case, decision_fields, evaluate, gather_inputs
from apps.strategies.services.event_evaluation import EventCase
from apps.strategies.services.event_sessions import Living, keep_living


@dataclass(frozen=True)
class Due:
    """A bar that a session has to decide on."""

    session_id: UUID
    bar_at: datetime
    is_late: bool = False


@dataclass(frozen=True)
class Decided:
    """A decision that was just stored."""

    id: UUID
    session_id: UUID
    outcome: Outcome
    sentence: str


def decide_bars(due: Sequence[Due], *, lease: HeldLease | None = None) -> list[Decided | None]:
    """Decide on several sessions' bars in one transaction: all of them or none.

    None for a session that is past its bar, inactive, or whose instrument has no bar there. With a lease, a process that has lost it raises
    `OwnershipLost` and writes nothing.
    """
    with transaction.atomic():
        if lease is not None:
            fence(lease)
        decided, living = _decide(due)
        notify(Channel.DECISIONS)
    keep_living(living)
    failpoint("cycle.after_decisions_committed")
    return decided


def decide_bar(*, session_id: UUID, bar_at: datetime, is_late: bool = False, lease: HeldLease | None = None) -> Decided | None:
    """`decide_bars` for one session."""
    return decide_bars([Due(session_id, bar_at, is_late)], lease=lease)[0]


def _decide(due: Sequence[Due]) -> tuple[list[Decided | None], list[Living]]:
    """What was decided, and the strategies that were told their bars."""
    started = time.perf_counter()
    sessions = _locked([item.session_id for item in due])
    open_items = [item for item in due if _is_open(item, sessions.get(item.session_id))]
    found = gather_inputs([(sessions[item.session_id], item.bar_at, item.is_late) for item in open_items])
    share = (time.perf_counter() - started) / max(len(open_items), 1)
    stored = [_evaluated(case, share) for case in found if case is not None]
    _move_on(open_items, sessions)
    told = [case for case, _, evaluation in stored if isinstance(case, EventCase) and evaluation.error is None]
    _count_told([case.session.id for case, decision, _ in stored if decision.actions.get("calls") is not None])
    failpoint("cycle.before_decision_stored")
    Decision.objects.bulk_create([decision for _, decision, _ in stored])
    record_events([item for case, decision, evaluation in stored for item in _events(case.session, decision, evaluation)])
    decided = {
        case.session.id: Decided(decision.id, case.session.id, evaluation.outcome, evaluation.sentence)
        for case, decision, evaluation in stored
    }
    return [decided.get(item.session_id) for item in due], [case.living for case in told]


def _locked(session_ids: Sequence[UUID]) -> dict[UUID, TradingSession]:
    """The sessions with their rows locked, always in the same order."""
    rows = TradingSession.objects.select_for_update(of=("self",)).select_related("strategy", "account", "instrument")
    return {row.id: row for row in rows.filter(id__in=session_ids).order_by("id")}


def _is_open(item: Due, session: TradingSession | None) -> bool:
    """Whether the bar is still to be decided on."""
    if session is None or not SessionState(session.state).is_active:
        return False
    if not _is_past(item, session):
        return True
    return item.is_late and not Decision.objects.filter(session_id=session.id, bar_at=item.bar_at).exists()


def _is_past(item: Due, session: TradingSession) -> bool:
    return session.last_bar_at is not None and session.last_bar_at >= item.bar_at


def _move_on(items: Sequence[Due], sessions: dict[UUID, TradingSession]) -> None:
    """Set `last_bar_at` of the sessions whose bar is new, also where their instrument has no bar."""
    moved: dict[datetime, list[UUID]] = {}
    for item in items:
        if not _is_past(item, sessions[item.session_id]):
            moved.setdefault(item.bar_at, []).append(item.session_id)
    for bar_at, ids in moved.items():
        TradingSession.objects.filter(id__in=ids).update(last_bar_at=bar_at)


def _count_told(session_ids: list[UUID]) -> None:
    """One more bar that these sessions' strategies were told."""
    if session_ids:
        TradingSession.objects.filter(id__in=session_ids).update(bars_told=F("bars_told") + 1)


def _evaluated(case: Case | EventCase, share: float) -> tuple[Case | EventCase, Decision, Evaluation]:
    """The decision, not stored yet; `share` is this session's part of the seconds spent for all."""
    started = time.perf_counter()
    decision_id = uuid7()
    evaluation = evaluate(case, decision_id=decision_id)
    decision = Decision(
        id=decision_id,
        session=case.session,
        instrument_id=case.session.instrument_id,
        bar_at=case.inputs.bar_at,
        code_version=code_version(),
        decided_at=datetime.now(UTC),
        **decision_fields(evaluation),
    )
    decision.duration_ms = round((time.perf_counter() - started + share) * 1000, 3)
    return case, decision, evaluation


def _events(session: TradingSession, decision: Decision, evaluation: Evaluation) -> list[NewEvent]:
    told: list[NewEvent] = []
    subject, actor, symbol = str(decision.id), f"session:{session.id}", session.instrument.symbol
    if evaluation.signal is not None and decision.outcome in (Outcome.TRADE, Outcome.REFUSED_BY_RISK, Outcome.HALTED):
        signal = NewEvent(
            SignalGenerated(
                decision_id=decision.id,
                session_id=session.id,
                symbol=symbol,
                strategy=session.strategy.name,
                direction=str(evaluation.signal.direction),
                strength=evaluation.signal.strength,
                confidence=evaluation.signal.confidence,
                reason=evaluation.signal.reason,
                bar_at=decision.bar_at,
            ),
            occurred_at=decision.bar_at,
            actor=actor,
            subject=subject,
        )
        told.append(signal)
    made = NewEvent(
        DecisionMade(
            decision_id=decision.id,
            session_id=session.id,
            instrument_id=session.instrument_id,
            symbol=symbol,
            bar_at=decision.bar_at,
            outcome=str(decision.outcome),
            sentence=decision.sentence,
            order_id=decision.order_id,
        ),
        occurred_at=decision.bar_at,
        actor=actor,
        subject=subject,
    )
    return [*told, made]
