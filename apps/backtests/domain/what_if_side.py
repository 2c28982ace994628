"""One of the two decisions of a what-if: what was decided, every order that came of it, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.backtests.domain.session_result import SessionDecision, SessionRun
from apps.orders.contracts import OrderRequest
from apps.orders.domain.terms import OrderTerms
from apps.risk.domain.numbers import show
from apps.strategies.domain.evaluation import Evaluation


@dataclass(frozen=True)
class SideFill:
    """A fill of an order. Times are ISO 8601, amounts exact decimals as text."""

    at: str
    quantity: str
    price: str
    fee: str


@dataclass(frozen=True)
class SideOrder:
    """An order of the decision as it was given, and what became of it."""

    order: str
    """Side, quantity and symbol."""
    kind: str
    """Its type."""
    prices: list[str]
    is_child: bool
    """It waits for the order before it."""
    ended: str
    """Why it ended without filling; empty where it did not."""
    fills: list[SideFill]


@dataclass(frozen=True)
class Side:
    """One of the two decisions. `order`, `order_ended` and `fills` are those of the first of `orders`, empty without one."""

    outcome: str
    sentence: str
    confidence: float | None
    risk_factor: str | None
    quantity: str | None
    size_reason: str
    checks: list[dict[str, Any]]
    order: str
    order_ended: str
    fills: list[SideFill]
    orders: list[SideOrder]
    changes: list[str]
    """What it cancelled and changed of the orders that were open, in words."""
    refusals: list[str]
    """Why orders and changes that a strategy of events asked for were refused."""


def side_of(decision: SessionDecision, made: Evaluation, run: SessionRun) -> Side:
    """The decision that `run` made, with `made` as it was when it was made."""
    orders = [_order(request, run) for request in made.orders]
    first = orders[0] if orders else SideOrder("", "", [], False, "", [])
    quantity = made.orders[0].quantity if made.orders else decision.sizing.quantity if decision.sizing else None
    return Side(
        outcome=str(decision.outcome),
        sentence=decision.sentence,
        confidence=decision.signal.confidence if decision.signal else None,
        risk_factor=show(decision.risk_factor.value) if decision.risk_factor else None,
        quantity=None if quantity is None else show(quantity),
        size_reason=decision.sizing.reason if decision.sizing else "",
        checks=[check.as_dict() for check in decision.verdict.checks] if decision.verdict else [],
        order=first.order,
        order_ended=first.ended,
        fills=first.fills,
        orders=orders,
        changes=_changes(made, run),
        refusals=_refusals(made),
    )


def is_same(one: Evaluation, other: Evaluation) -> bool:
    """Whether both end alike, with the same orders, cancels and changes."""
    return _wishes(one) == _wishes(other)


def _wishes(made: Evaluation) -> tuple[Any, ...]:
    orders = [(order.side, order.instrument.id, order.terms, order.parent_id) for order in made.orders]
    return made.outcome, orders, made.cancels, made.amendments


def _order(request: OrderRequest, run: SessionRun) -> SideOrder:
    ended = run.ended.get(request.id)
    return SideOrder(
        order=f"{request.side} {show(request.quantity)} {request.instrument.symbol}",
        kind=str(request.order_type),
        prices=_prices(request.terms),
        is_child=request.parent_id is not None,
        ended=ended.name if ended is not None else "",
        fills=[
            SideFill(fill.at.isoformat(), show(fill.quantity), show(fill.price), show(fill.fee))
            for fill in run.fills
            if fill.order_id == request.id
        ],
    )


def _prices(terms: OrderTerms) -> list[str]:
    amounts = (("limit", terms.limit_price), ("stop", terms.stop_price), ("trail", terms.trail_amount))
    percents = (("limit", terms.limit_offset_percent), ("stop", terms.stop_offset_percent), ("trail", terms.trail_percent))
    given = [f"{name} {show(value)}" for name, value in amounts if value is not None]
    return given + [f"{name} {_signed(name, value)} %" for name, value in percents if value is not None]


def _signed(name: str, value: Decimal) -> str:
    """Offsets are from the price of the fill and have a sign, a trail is a distance."""
    return show(value) if name == "trail" or value < 0 else f"+{show(value)}"


def _changes(made: Evaluation, run: SessionRun) -> list[str]:
    names = {order.id: _name(order) for order in (*run.orders, *made.orders)}
    cancelled = [f"Cancel {names[order_id]}" for order_id in made.cancels if order_id in names]
    return cancelled + [f"Change {names[order_id]}: {item.text}" for order_id, item in made.amendments.items() if order_id in names]


def _name(order: OrderRequest) -> str:
    kind = str(order.order_type).lower().replace("_", " ")
    return f"the {kind} {order.side.lower()} of {order.instrument.symbol}"


def _refusals(made: Evaluation) -> list[str]:
    calls = [call["refusal"] for call in made.actions.get("calls", ()) if call["call"] == "submit" and call["refusal"]]
    return calls + list(made.actions.get("refused_changes", {}).values())
