"""A decision beside what it would have been: both decisions, and what came of each until the session was out again, or until now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.backtests.domain.session_parity import Difference
from apps.backtests.domain.session_result import SessionDecision, SessionRun
from apps.backtests.domain.what_if_side import Side, is_same, side_of
from apps.risk.domain.numbers import show

MOST_POINTS = 400
BARS_BEFORE = 20
ZERO = Decimal(0)


@dataclass(frozen=True)
class Money:
    """What came of both. `until` is the close at which the session was flat in both again, or the last one."""

    currency: str
    through: str
    exit_at: str | None
    until: str
    pnl_stored: str
    """Change of the account's equity from the decision's bar to `until`, as it was."""
    pnl_other: str
    difference: str
    difference_now: str
    """The same at the last close."""
    points: list[tuple[str, str, str]]
    """Closes with both values of the equity, thinned, from a few bars before the decision."""


@dataclass(frozen=True)
class WhatIfResult:
    """The answer. Where the stored decision could not be made again, `differences` say why and the rest is None."""

    is_reproduced: bool
    differences: list[dict[str, str]]
    stored: Side | None = None
    other: Side | None = None
    money: Money | None = None
    is_same: bool = False
    """Whether the other decision has the same outcome, orders, cancels and changes."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def not_reproduced(differences: list[Difference]) -> WhatIfResult:
    """The history has changed since: what it would say of the other decision would be made up."""
    rows = [
        {"kind": str(item.kind), "what": item.what, "stored": item.paper[:500], "repeated": item.backtest[:500]} for item in differences
    ]
    return WhatIfResult(False, rows)


def beside(session_id: UUID, bar_at: datetime, stored: SessionRun, other: SessionRun) -> WhatIfResult:
    """Both runs from the decision on; it was watched in both."""
    left, right = decision_of(stored, session_id, bar_at), decision_of(other, session_id, bar_at)
    assert left is not None and right is not None and stored.watched is not None and other.watched is not None
    sides = side_of(left, stored.watched, stored), side_of(right, other.watched, other)
    return WhatIfResult(True, [], *sides, _money(session_id, bar_at, stored, other), is_same(stored.watched, other.watched))


def decision_of(run: SessionRun, session_id: UUID, bar_at: datetime) -> SessionDecision | None:
    """What the session decided on this bar."""
    return next((item for item in run.decisions if item.bar_at == bar_at and item.session_id == session_id), None)


def _money(session_id: UUID, bar_at: datetime, stored: SessionRun, other: SessionRun) -> Money:
    times = [point.at for point in stored.equity]
    left = [point.valuation.equity for point in stored.equity]
    right = [point.valuation.equity for point in other.equity]
    start, last = times.index(bar_at), len(times) - 1
    exit_at = _exit(session_id, bar_at, times, stored, other)
    until = times.index(exit_at) if exit_at is not None else last
    return Money(
        currency=stored.account.currency,
        through=times[last].isoformat(),
        exit_at=exit_at.isoformat() if exit_at else None,
        until=times[until].isoformat(),
        pnl_stored=show(left[until] - left[start]),
        pnl_other=show(right[until] - right[start]),
        difference=show(right[until] - left[until]),
        difference_now=show(right[last] - left[last]),
        points=[(times[at].isoformat(), show(left[at]), show(right[at])) for at in _thinned(max(0, start - BARS_BEFORE), until)],
    )


def _exit(session_id: UUID, bar_at: datetime, times: list[datetime], stored: SessionRun, other: SessionRun) -> datetime | None:
    """The first close after the bar at which the session is flat in both, having held or traded something since in one of them."""
    walks = [_Position(session_id, run) for run in (stored, other)]
    for walk in walks:
        walk.move_to(bar_at)
    has_held = any(walk.held for walk in walks)
    for at in times:
        if at <= bar_at:
            continue
        moved = sum(walk.move_to(at) for walk in walks)
        has_held = has_held or moved > 0
        if has_held and not any(walk.held for walk in walks):
            return at
    return None


class _Position:
    """What the session's own fills add up to."""

    def __init__(self, session_id: UUID, run: SessionRun) -> None:
        self._fills = [fill for fill in run.fills if fill.session_id == session_id]
        self._next = 0
        self.held = ZERO

    def move_to(self, at: datetime) -> bool:
        """Whether anything was traded on the way."""
        before = self._next
        while self._next < len(self._fills) and self._fills[self._next].at <= at:
            fill = self._fills[self._next]
            self.held += fill.side.sign * fill.quantity
            self._next += 1
        return self._next > before


def _thinned(first: int, last: int) -> Iterator[int]:
    step = max(1, -(-(last - first + 1) // MOST_POINTS))
    yield from range(first, last, step)
    yield last
