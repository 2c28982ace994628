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

from apps.common.failpoints import failpoint
from apps.common.leases import HeldLease, fence
from apps.common.notify import Channel, notify
from apps.core.ids import uuid7
from apps.core.version import code_version
from apps.events.services import record_event
from apps.strategies.contracts import DecisionMade, Outcome, SessionState, SignalGenerated
from apps.strategies.models import Decision, TradingSession
from apps.strategies.services.evaluation import Evaluation, evaluate


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
    """Decide on several sessions' bars with one commit: all of them or none. See `decide_bar`."""
    with transaction.atomic():
        if lease is not None:
            fence(lease)
        decided = [decide_bar(session_id=item.session_id, bar_at=item.bar_at, is_late=item.is_late) for item in due]
        notify(Channel.DECISIONS)
    failpoint("cycle.after_decisions_committed")
    return decided


@transaction.atomic
def decide_bar(*, session_id: UUID, bar_at: datetime, is_late: bool = False, lease: HeldLease | None = None) -> Decided | None:
    """Decide on the bar that closed at `bar_at`. None if the session is past it, inactive, or has no bar there.

    With a lease, a process that has lost it raises `OwnershipLost` and writes nothing.
    """
    started = time.perf_counter()
    if lease is not None:
        fence(lease)
    session = (
        TradingSession.objects.select_for_update(of=("self",))
        .select_related("strategy", "account", "instrument")
        .filter(id=session_id)
        .first()
    )
    if session is None or not SessionState(session.state).is_active:
        return None
    is_past = session.last_bar_at is not None and session.last_bar_at >= bar_at
    if is_past and (not is_late or Decision.objects.filter(session_id=session_id, bar_at=bar_at).exists()):
        return None
    decision_id = uuid7()
    evaluation = evaluate(session, bar_at=bar_at, decision_id=decision_id, is_late=is_late)
    if not is_past:
        TradingSession.objects.filter(id=session_id).update(last_bar_at=bar_at)
    if evaluation is None:
        return None
    failpoint("cycle.before_decision_stored")
    _store(session, decision_id, bar_at, evaluation, started)
    return Decided(decision_id, session_id, evaluation.outcome, evaluation.sentence)


def _store(session: TradingSession, decision_id: UUID, bar_at: datetime, evaluation: Evaluation, started: float) -> None:
    decision = Decision(
        id=decision_id,
        session=session,
        instrument_id=session.instrument_id,
        bar_at=bar_at,
        parameters=evaluation.parameters,
        code_version=code_version(),
        decided_at=datetime.now(UTC),
        duration_ms=round((time.perf_counter() - started) * 1000, 3),
        **evaluation.decision_fields(),
    )
    decision.save(force_insert=True)
    _record(session, decision, evaluation)


def _record(session: TradingSession, decision: Decision, evaluation: Evaluation) -> None:
    subject, actor, symbol = str(decision.id), f"session:{session.id}", session.instrument.symbol
    if evaluation.signal is not None and decision.outcome in (Outcome.TRADE, Outcome.REFUSED_BY_RISK, Outcome.HALTED):
        record_event(
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
    record_event(
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
