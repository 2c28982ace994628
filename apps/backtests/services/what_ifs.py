"""Asking what a decision would have been, and answering: the account is repeated twice in memory, as it was and with the change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from apps.backtests.domain.runners import RunCancelled
from apps.backtests.domain.session_parity import Difference, DifferenceKind, fields_that_differ, rows_of
from apps.backtests.domain.states import RunState
from apps.backtests.domain.what_if import WhatIfChanges, changes_from_json
from apps.backtests.domain.what_if_offer import LATE, refuse_pointless
from apps.backtests.domain.what_if_result import WhatIfResult, beside, decision_of, not_reproduced
from apps.backtests.models import WhatIf
from apps.backtests.selectors.paper_runs import PaperRun, paper_run
from apps.backtests.selectors.what_ifs import shape_of
from apps.backtests.services.claims import LARGEST_ATTEMPT, Claim, abandoned, claim, hold
from apps.backtests.services.errors import as_told
from apps.backtests.services.queue import WHAT_IF_TASK, send, send_on_commit
from apps.backtests.services.watching import Watch
from apps.common.failpoints import failpoint
from apps.core.clock import Clock, WallClock
from apps.core.errors import Conflict, NotFound, OwnershipLost, Refused, TradingError
from apps.core.version import code_version
from apps.markets import selectors as markets
from apps.orders import selectors as orders
from apps.strategies import selectors as strategies
from apps.strategies.contracts import Outcome
from apps.strategies.selectors import DecisionView

log = structlog.get_logger(__name__)

_WALL = WallClock()
_GRACE = timedelta(seconds=15)
_PARTS = 2
"""Runs in memory per answer."""
LONGEST = timedelta(minutes=20)
"""What one answer may take of a worker that others wait for."""
_BARS_BETWEEN_LOOKS = 64


class TooLong(Refused):
    """An answer that would hold its worker for too long."""

    code = "too_long"

    def __init__(self, done: int, total: int) -> None:
        super().__init__(
            f"After {LONGEST.total_seconds() / 60:.0f} minutes {done} of {total} bars had been made again; it was given up.",
            where="decision",
            hint="The history of this account is too long to be made again. Open a new account for a new history, or ask of a younger one.",
        )


def request_what_if(*, decision_id: UUID, changes: WhatIfChanges, actor: str) -> UUID:
    """Store the question and wake a worker for it; returns its id. What was answered before, or is being, is not worked out again.

    Raises NotFound without such a decision, InvalidInput naming the field that cannot be used or could not reach the decision, Conflict
    where the bar is not over yet or came late.
    """
    decision = strategies.decision(decision_id)
    changes.check(markets.instrument_spec(decision.instrument_id))
    if decision.outcome is Outcome.LATE_BAR:
        raise Conflict(LATE, where="decision", hint="Ask about the decision on another bar.")
    refuse_pointless(shape_of(decision), changes)
    through = orders.matched_through(decision.account_id)
    if through is None or through < decision.bar_at:
        raise Conflict("The account has not met the decision's bar yet.", where="decision", hint="Ask again in a moment.")
    fingerprint = _fingerprint(decision_id, changes, through)
    known = _known(fingerprint)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            row = WhatIf.objects.create(
                decision_id=decision_id,
                changes=changes.to_json(),
                through=through,
                fingerprint=fingerprint,
                code_version=code_version(),
                requested_by=actor[:150],
            )
            send_on_commit(WHAT_IF_TASK, what_if_id=row.id)
    except IntegrityError:
        return WhatIf.objects.values_list("id", flat=True).get(fingerprint=fingerprint)
    return row.id


def execute_what_if(what_if_id: UUID, *, clock: Clock = _WALL) -> bool:
    """Claim the question and answer it; False if it was not to be had. It ends as DONE, as CANCELLED or, with the reason in words, as FAILED."""
    held = claim(WhatIf, what_if_id, now=clock.now())
    if held is None:
        return False
    row = WhatIf.objects.get(id=what_if_id)
    watch = Watch(held, clock=clock, wants_stop=lambda: _wants_stop(what_if_id), announce_as={"kind": "what_if", "id": str(what_if_id)})
    try:
        with watch:
            result = _answer(row, watch, clock)
        failpoint("backtests.what_if_answered")
        return _end(held, RunState.DONE, clock, result=result.to_json())
    except (OperationalError, InterfaceError):
        raise
    except RunCancelled as error:
        return not watch.is_lost and _end(held, RunState.CANCELLED, clock, error=error.message)
    except Exception as error:
        if not isinstance(error, TradingError):
            log.warning("what_if_failed", what_if_id=str(what_if_id), exc_info=error)
        told = as_told(error)
        return _end(held, RunState.FAILED, clock, error=told.message, error_where=told.where[:120], error_hint=told.hint[:500])


def cancel_what_if(*, what_if_id: UUID, actor: str) -> RunState:
    """Give a question up: a waiting one at once, one that is worked on within a second. Returns its state; one that is over stays as it is.

    Raises NotFound.
    """
    with transaction.atomic():
        row = WhatIf.objects.select_for_update().filter(id=what_if_id).first()
        if row is None:
            raise NotFound(f"There is no what-if {what_if_id}.", where="what_if_id")
        if row.state == RunState.QUEUED:
            row.state, row.error, row.finished_at = RunState.CANCELLED, f"Cancelled by {actor} before it began."[:500], _WALL.now()
        elif row.state == RunState.RUNNING:
            row.is_cancel_requested = True
        row.save(update_fields=["state", "error", "finished_at", "is_cancel_requested"])
    return RunState(row.state)


def sweep_what_ifs(*, now: datetime) -> int:
    """Wake a worker for every question that waits or lost its worker; one that has ended several workers fails. Returns the wake-ups."""
    sent = 0
    for row in abandoned(WhatIf, now=now):
        if row.attempt >= LARGEST_ATTEMPT:
            message = f"Given up: {row.attempt} workers ended while answering it."
            stalled = WhatIf.objects.filter(id=row.id, state=RunState.RUNNING, lease_until__lt=now)
            stalled.update(state=RunState.FAILED, error=message, finished_at=now, lease_until=None)
        else:
            send(WHAT_IF_TASK, what_if_id=row.id)
            sent += 1
    for row_id in WhatIf.objects.filter(state=RunState.QUEUED, created_at__lt=now - _GRACE).values_list("id", flat=True):
        send(WHAT_IF_TASK, what_if_id=row_id)
        sent += 1
    return sent


def answer(paper: PaperRun, decision: DecisionView, changes: WhatIfChanges, progress: Callable[[int, int, int], None]) -> WhatIfResult:
    """The answer. `progress(part, done, total)` is called after each close of each of the two runs and may raise."""
    key = decision.session_id, decision.bar_at
    as_it_was = paper.repeat(watched=key, after_close=lambda done, total: progress(0, done, total))
    known = next((row for row in paper.rows.decisions if (row.session_id, row.bar_at) == key), None)
    again = next((row for row in rows_of(as_it_was).decisions if (row.session_id, row.bar_at) == key), None)
    if known is None or again is None or decision_of(as_it_was, *key) is None:
        return not_reproduced(
            [Difference(DifferenceKind.DECISION, decision.bar_at, decision.session_id, "decision", decision.outcome, "none")]
        )
    differences = list(fields_that_differ(known, again))
    if differences:
        return not_reproduced(differences)
    change = changes.at(*key, paper.profile_at(decision.bar_at))
    other = paper.repeat(change=change, watched=key, after_close=lambda done, total: progress(1, done, total))
    return beside(*key, as_it_was, other)


def _answer(row: WhatIf, watch: Watch, clock: Clock) -> WhatIfResult:
    decision = strategies.decision(row.decision_id)
    ends_at = clock.now() + LONGEST

    def progress(part: int, done: int, total: int) -> None:
        watch.progress(part * total + done, _PARTS * total)
        if watch.is_cancelled():
            raise RunCancelled("It was cancelled.")
        if not done % _BARS_BETWEEN_LOOKS and clock.now() > ends_at:
            raise TooLong(part * total + done, _PARTS * total)

    return answer(paper_run(decision.account_id, until=row.through), decision, changes_from_json(row.changes), progress)


def _end(held: Claim, state: RunState, clock: Clock, **values: Any) -> bool:
    """Store how it ended; False if another worker has it by now."""
    try:
        with transaction.atomic():
            hold(held)
            WhatIf.objects.filter(id=held.id).update(state=state, finished_at=clock.now(), lease_until=None, message="", **values)
    except OwnershipLost as error:
        log.warning("what_if_taken_over", what_if_id=str(held.id), error=str(error))
        return False
    return True


def _wants_stop(what_if_id: UUID) -> bool:
    return WhatIf.objects.filter(id=what_if_id, is_cancel_requested=True).exists()


def _fingerprint(decision_id: UUID, changes: WhatIfChanges, through: datetime) -> str:
    text = f"{decision_id}|{changes.fingerprint()}|{through.isoformat()}|{code_version()}"
    return hashlib.blake2b(text.encode(), digest_size=24).hexdigest()


def _known(fingerprint: str) -> UUID | None:
    """The same question from before; one that failed or was cancelled is forgotten, for it may work now."""
    found = WhatIf.objects.filter(fingerprint=fingerprint).first()
    if found is not None and found.state in (RunState.FAILED, RunState.CANCELLED):
        found.delete()
        return None
    return found.id if found else None
