"""A bar of a session that runs an event strategy: its inputs from rows, and its orders, cancels and changes recorded as intents and wishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from apps.core.errors import TradingError
from apps.core.ids import uuid7
from apps.orders import services as orders
from apps.strategies.domain.evaluation import AccountDesk, Evaluation, Ids
from apps.strategies.domain.event_deciding import EventInputs, evaluate_event
from apps.strategies.models import TradingSession
from apps.strategies.services.event_sessions import Living

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class EventCase:
    """A session's row, its strategy, and what its bar is decided on."""

    session: TradingSession
    living: Living
    inputs: EventInputs


def evaluate_event_case(case: EventCase, desk: AccountDesk, *, decision_id: UUID) -> Evaluation:
    """Tell the strategy and record what it orders, in the caller's transaction. Of a bar on which it raises nothing is kept but the decision."""
    inputs = case.inputs
    with transaction.atomic():
        evaluation = evaluate_event(inputs, desk, Ids(decision_id, uuid7), passed_on=(DatabaseError,))
        if evaluation.error is not None:
            transaction.set_rollback(True)
            log.error("strategy_raised", strategy=inputs.kind, symbol=inputs.instrument.symbol, exc_info=evaluation.error)
    for request in evaluation.orders:
        orders.place_order(request)
    actor = f"session {case.session.id}"
    for order_id in evaluation.cancels:
        orders.request_cancel(order_id=order_id, actor=actor, reason="The session's strategy cancelled it.")
    _ask_for_changes(evaluation, actor)
    if inputs.fills:
        case.living.last_fill_id = inputs.fills[-1].id
    return evaluation


def _ask_for_changes(evaluation: Evaluation, actor: str) -> None:
    """Changes that the gate or the order service refuses are told in the decision, and the order stays as it is."""
    refused: dict[str, str] = {}
    for order_id, amendment in evaluation.amendments.items():
        try:
            with transaction.atomic():
                orders.request_amend(order_id=order_id, amendment=amendment, actor=actor, now=datetime.now(UTC))
        except TradingError as error:
            refused[str(order_id)] = error.message
    if refused:
        evaluation.actions["refused_changes"] = refused
        evaluation.close_with(evaluation.outcome, f"{evaluation.sentence} A change was refused: {next(iter(refused.values()))}")
