"""Changes of orders that a session wants, judged as paper's order service judges them."""

from __future__ import annotations

from apps.backtests.domain.session_desk import MemoryDesk
from apps.backtests.domain.session_venue import MemoryVenue
from apps.orders.contracts import OrderRequest
from apps.orders.domain.engine_codes import EngineOrderState
from apps.orders.domain.terms import OrderTerms, amended, asks_for_more
from apps.risk.domain.values import OrderProposal
from apps.strategies.domain.evaluation import Evaluation
from apps.strategies.domain.event_deciding import EventInputs


def drop_refused_changes(evaluation: Evaluation, inputs: EventInputs, venue: MemoryVenue, desk: MemoryDesk) -> None:
    """Take out of a decision the changes that the gate refuses, and say so in it."""
    new = {order.id: order for order in evaluation.orders}
    refused: dict[str, str] = {}
    for order_id, amendment in list(evaluation.amendments.items()):
        request = new[order_id] if order_id in new else venue.request(order_id)
        after = amended(request.terms, amendment)
        if not asks_for_more(request.terms, after):
            continue
        verdict = desk.assess_amendment(_proposal(request, after, inputs, venue, is_new=order_id in new))
        if verdict.first_failure is not None:
            refused[str(order_id)] = verdict.first_failure.message
            del evaluation.amendments[order_id]
    if refused:
        evaluation.actions["refused_changes"] = refused
        evaluation.close_with(evaluation.outcome, f"{evaluation.sentence} A change was refused: {next(iter(refused.values()))}")


def _proposal(request: OrderRequest, after: OrderTerms, inputs: EventInputs, venue: MemoryVenue, *, is_new: bool) -> OrderProposal:
    """What may then still trade, as the gate judges it."""
    closes, spec = inputs.window.close, request.instrument
    standing = None if is_new else venue.standing(request.id)
    waits = request.parent_id is not None and (standing is None or standing.state is EngineOrderState.WAITING)
    return OrderProposal(
        order_id=request.id,
        account_id=request.account_id,
        instrument=spec,
        side=request.side,
        order_type=request.order_type,
        quantity=after.quantity - (standing.filled if standing else 0),
        reference_price=spec.price(int(closes[-1])),
        previous_close=spec.price(int(closes[-2])) if len(closes) > 1 else None,
        data_at=inputs.bar_at,
        is_reducing=request.is_reducing,
        mode=request.mode,
        limit_price=after.limit_price,
        stop_price=after.stop_price,
        data_age_bars=0,
        origin_id=request.origin_id,
        is_manual=True,
        is_reduce_only=request.is_reduce_only,
        parent_quantity=request.quantity if waits else None,
        has_relative_price=after.is_relative,
        is_amendment=True,
    )
