"""What other apps may know of strategies, sessions and decisions. No Django here."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from apps.core.events import Event, Priority, event
from apps.strategies.domain.outcomes import Outcome as Outcome


class SessionState(StrEnum):
    CREATED = "CREATED"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    FINISHED = "FINISHED"

    @property
    def is_active(self) -> bool:
        """Whether the session still decides on bars."""
        return self in (SessionState.RUNNING, SessionState.STOPPING)


@event("trading.session_created", priority=Priority.LOW)
class SessionCreated(Event):
    session_id: UUID
    strategy: str
    symbol: str
    capital: Decimal


@event("trading.session_started")
class SessionStarted(Event):
    session_id: UUID
    strategy: str
    symbol: str
    timeframe: str
    mode: str
    capital: Decimal


@event("trading.session_stopping")
class SessionStopping(Event):
    session_id: UUID
    keep_positions: bool
    reason: str


@event("trading.session_stopped")
class SessionStopped(Event):
    session_id: UUID
    state: str
    reason: str


@event("trading.signal_generated")
class SignalGenerated(Event):
    """Carried to the outside on `trading:signals`."""

    decision_id: UUID
    session_id: UUID
    symbol: str
    strategy: str
    direction: str
    strength: float
    confidence: float
    reason: str
    bar_at: datetime


@event("trading.decision_made", priority=Priority.LOW)
class DecisionMade(Event):
    decision_id: UUID
    session_id: UUID
    instrument_id: UUID
    symbol: str
    bar_at: datetime
    outcome: str
    sentence: str
    order_id: UUID | None = None


@event("strategy.config_changed")
class StrategyConfigChanged(Event):
    """Carried to the outside on `strategy_config`."""

    strategy_id: UUID
    strategy: str
    parameters: dict[str, str]
    reason: str


@event("trading.replay_opened")
class ReplayOpened(Event):
    venue_id: UUID
    venue: str
    starts_at: datetime
    account_id: UUID
    reason: str
