"""What-if on a why page: the question, how it stands, and both decisions side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.backtests.contracts import RunState
from apps.backtests.domain.what_if_offer import LATE
from apps.backtests.selectors.what_ifs import Changeable, WhatIfView, changeable, what_if, what_ifs
from apps.core.errors import NotFound
from apps.dashboard.domain import pictures
from apps.dashboard.domain.formatting import words
from apps.dashboard.domain.sentences import changes_in_words
from apps.orders import selectors as orders
from apps.strategies import selectors as strategies
from apps.strategies.contracts import Outcome

SHOWN_BEFORE = 5


@dataclass(frozen=True)
class CheckPair:
    """One check in both decisions; a side is None where the gate was not asked."""

    code: str
    stored: Mapping[str, Any] | None
    other: Mapping[str, Any] | None
    differs: bool


@dataclass(frozen=True)
class FillLine:
    at: datetime
    quantity: Decimal
    price: Decimal
    fee: Decimal


@dataclass(frozen=True)
class OrderLine:
    """An order of one of the decisions; `is_child` waits for the order before it."""

    order: str
    kind: str
    prices: tuple[str, ...]
    is_child: bool
    ended: str
    fills: tuple[FillLine, ...]


@dataclass(frozen=True)
class SideShown:
    """One of the decisions; `name` stands before the fields of its values."""

    name: str
    title: str
    outcome: str
    sentence: str
    orders: tuple[OrderLine, ...]
    changes: tuple[str, ...]
    refusals: tuple[str, ...]
    confidence: float | None
    risk_factor: str | None
    quantity: str | None
    size_reason: str


@dataclass(frozen=True)
class MoneyShown:
    """What came of both until `until`, which is the session's exit or the last close."""

    currency: str
    until: datetime
    through: datetime
    is_exit: bool
    pnl_stored: Decimal
    pnl_other: Decimal
    difference: Decimal
    difference_now: Decimal
    lines: pictures.TwoLines | None
    first_at: datetime


@dataclass(frozen=True)
class Answer:
    """A question as the page shows it. `is_old` while the market has gone on beyond what was looked at."""

    question: WhatIfView
    asked: str
    is_pending: bool
    is_failed: bool
    is_cancelled: bool
    is_reproduced: bool
    differences: tuple[Mapping[str, str], ...]
    sides: tuple[SideShown, ...]
    checks: tuple[CheckPair, ...]
    money: MoneyShown | None
    is_same: bool
    is_old: bool


@dataclass(frozen=True)
class Before:
    """An earlier question about the same decision."""

    id: UUID
    asked: str
    requested_by: str
    state: RunState
    difference: Decimal | None


@dataclass(frozen=True)
class WhatIfPanel:
    """The part of a why page. `offered` is None where nothing can be asked, and then `reason` says why."""

    decision_id: UUID | None
    order_id: UUID | None
    offered: Changeable | None
    reason: str
    answer: Answer | None
    before: tuple[Before, ...]
    can_ask: bool = False

    @property
    def risk_help(self) -> str:
        """What stands below the risk per trade."""
        is_own = self.offered is not None and self.offered.sizes_itself
        return "Only for later decisions: it sized its orders itself" if is_own else "Fraction of the capital"


def what_if_panel(
    decision_id: UUID | None, *, order_id: UUID | None = None, shown: UUID | None = None, can_ask: bool = True
) -> WhatIfPanel:
    """The panel of a decision; `shown` is the question whose answer is open. Raises NotFound where that is not about the decision."""
    if decision_id is None:
        reason = "A person sent this order: there is no decision of a strategy that could be made again."
        return WhatIfPanel(None, order_id, None, reason, None, ())
    offered = changeable(decision_id) if can_ask else None
    reason = "" if offered else _reason(decision_id, can_ask=can_ask)
    answer = what_if_answer(shown) if shown else None
    if answer is not None and answer.question.decision_id != decision_id:
        raise NotFound("That question is about another decision.", where="what_if")
    before = tuple(_before(item) for item in what_ifs(decision_id=decision_id, limit=SHOWN_BEFORE) if item.id != shown)
    return WhatIfPanel(decision_id, order_id, offered, reason, answer, before, can_ask)


def _reason(decision_id: UUID, *, can_ask: bool) -> str:
    """Why nothing can be asked."""
    if not can_ask:
        return "Asking needs the role trader."
    is_late = strategies.decision(decision_id).outcome is Outcome.LATE_BAR
    return LATE if is_late else "Only decisions at the simulated venue can be made again."


def what_if_answer(what_if_id: UUID) -> Answer:
    """A question with its answer; raises NotFound."""
    item = what_if(what_if_id)
    result = item.result
    stored, other, money = result.get("stored"), result.get("other"), result.get("money")
    sides = (_side("stored", "As it was", stored), _side("other", "As asked", other)) if stored and other else ()
    return Answer(
        question=item,
        asked=changes_in_words(item.changes),
        is_pending=not item.state.is_over,
        is_failed=item.state is RunState.FAILED,
        is_cancelled=item.state is RunState.CANCELLED,
        is_reproduced=bool(result.get("is_reproduced")),
        differences=tuple(result.get("differences", ())),
        sides=sides,
        checks=_pairs(stored["checks"], other["checks"]) if stored and other else (),
        money=_money(money) if money else None,
        is_same=bool(result.get("is_same")),
        is_old=_is_old(item, money),
    )


def _is_old(item: WhatIfView, money: Mapping[str, Any] | None) -> bool:
    """Whether bars have come since that could change what came of it: none can after the session's exit."""
    if money is None or money["exit_at"] is not None:
        return False
    met = orders.matched_through(strategies.decision(item.decision_id).account_id)
    return met is not None and met > item.through


def _side(name: str, title: str, side: Mapping[str, Any]) -> SideShown:
    return SideShown(
        name=name,
        title=title,
        outcome=side["outcome"],
        sentence=side["sentence"],
        orders=_orders(side),
        changes=tuple(side.get("changes", ())),
        refusals=tuple(side.get("refusals", ())),
        confidence=side["confidence"],
        risk_factor=side["risk_factor"],
        quantity=side["quantity"],
        size_reason=side["size_reason"],
    )


def _orders(side: Mapping[str, Any]) -> tuple[OrderLine, ...]:
    """The orders of a decision; answers from before they were all kept have the first one."""
    first = {"order": side["order"], "kind": "", "prices": (), "is_child": False, "ended": side["order_ended"], "fills": side["fills"]}
    return tuple(
        OrderLine(
            order=item["order"],
            kind=item["kind"],
            prices=tuple(item["prices"]),
            is_child=item["is_child"],
            ended=words(item["ended"]) if item["ended"] else "",
            fills=tuple(_fill(fill) for fill in item["fills"]),
        )
        for item in side.get("orders", (first,) if side["order"] else ())
    )


def _fill(fill: Mapping[str, str]) -> FillLine:
    return FillLine(datetime.fromisoformat(fill["at"]), Decimal(fill["quantity"]), Decimal(fill["price"]), Decimal(fill["fee"]))


def _pairs(stored: list[dict[str, Any]], other: list[dict[str, Any]]) -> tuple[CheckPair, ...]:
    left, right = {item["code"]: item for item in stored}, {item["code"]: item for item in other}
    codes = list(dict.fromkeys([*left, *right]))
    return tuple(CheckPair(code, left.get(code), right.get(code), left.get(code) != right.get(code)) for code in codes)


def _money(money: Mapping[str, Any]) -> MoneyShown:
    points = money["points"]
    return MoneyShown(
        currency=money["currency"],
        until=datetime.fromisoformat(money["until"]),
        through=datetime.fromisoformat(money["through"]),
        is_exit=money["exit_at"] is not None,
        pnl_stored=Decimal(money["pnl_stored"]),
        pnl_other=Decimal(money["pnl_other"]),
        difference=Decimal(money["difference"]),
        difference_now=Decimal(money["difference_now"]),
        lines=pictures.two_lines([float(item[1]) for item in points], [float(item[2]) for item in points]),
        first_at=datetime.fromisoformat(points[0][0]),
    )


def _before(item: WhatIfView) -> Before:
    money = item.result.get("money")
    return Before(item.id, changes_in_words(item.changes), item.requested_by, item.state, Decimal(money["difference"]) if money else None)
