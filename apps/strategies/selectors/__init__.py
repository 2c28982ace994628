"""Reading strategies, sessions and decisions."""

from apps.strategies.selectors.recorded import RecordedDecision, recorded_decisions
from apps.strategies.selectors.sessions import (
    ActiveSession,
    DecisionView,
    RestartState,
    SessionView,
    StrategyView,
    active_sessions,
    decision,
    decision_after,
    decision_for_order,
    decisions,
    latest_decision,
    restart_state,
    session,
    sessions,
    strategies,
    strategy,
    undecided_closes,
)

__all__ = [
    "ActiveSession",
    "DecisionView",
    "RecordedDecision",
    "RestartState",
    "SessionView",
    "StrategyView",
    "active_sessions",
    "decision",
    "decision_after",
    "decision_for_order",
    "decisions",
    "latest_decision",
    "recorded_decisions",
    "restart_state",
    "session",
    "sessions",
    "strategies",
    "strategy",
    "undecided_closes",
]
