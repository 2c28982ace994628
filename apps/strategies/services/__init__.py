"""What may be done with strategies and sessions. Each function is one transaction."""

from apps.strategies.services.barrier import SessionBarrier
from apps.strategies.services.cycle import Decided, Due, decide_bar, decide_bars
from apps.strategies.services.parameters import ensure_strategy, update_parameters
from apps.strategies.services.replay import (
    SessionPlan,
    open_live_sessions,
    open_live_world,
    open_replay_world,
    request_replay_restart,
    serve_replay_requests,
)
from apps.strategies.services.sessions import (
    create_session,
    fail_session,
    finish_session,
    start_configured_sessions,
    start_session,
    stop_all_sessions,
    stop_session,
)

__all__ = [
    "Decided",
    "Due",
    "SessionBarrier",
    "SessionPlan",
    "create_session",
    "decide_bar",
    "decide_bars",
    "ensure_strategy",
    "fail_session",
    "finish_session",
    "open_live_sessions",
    "open_live_world",
    "open_replay_world",
    "request_replay_restart",
    "serve_replay_requests",
    "start_configured_sessions",
    "start_session",
    "stop_all_sessions",
    "stop_session",
    "update_parameters",
]
