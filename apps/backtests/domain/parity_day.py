"""Paper and its repetition compared day by day: every difference has one class, and what follows from another one has the class of its cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import TypeVar
from uuid import UUID

from apps.backtests.domain.session_parity import DecisionRow, Difference, DifferenceKind, EquityRow, FillRow, RunRows, fields_that_differ
from apps.backtests.domain.session_result import SessionRun
from apps.core.vocabulary import OrderType, Side

ZERO = Decimal(0)
T = TypeVar("T")
OrderKey = tuple[UUID, datetime]
"""Session and bar decided on: what names an order in both."""


class ParityClass(StrEnum):
    """What paper and its repetition differ in."""

    DATA = "data"
    """The bars have changed since."""
    FORECAST = "forecast"
    SIGNAL = "signal"
    """What the strategy said, or what was held before."""
    SIZE = "size"
    RISK = "risk"
    """What the gate said."""
    DECISION = "decision"
    """Outcome or sentence, though everything before agrees."""
    LATENCY = "latency"
    """The same order filled on another bar."""
    FILL = "fill"
    """Price, quantity or reason of a fill."""
    FEE = "fee"
    MISSING = "missing"
    """Paper lacks it."""
    EXTRA = "extra"
    """Only paper has it."""
    BOOKS = "books"
    """The account is worth another amount, though everything else of the day agrees."""


_CLASSES = {
    DifferenceKind.DATA: ParityClass.DATA,
    DifferenceKind.FORECAST: ParityClass.FORECAST,
    DifferenceKind.SIGNAL: ParityClass.SIGNAL,
    DifferenceKind.SIZE: ParityClass.SIZE,
    DifferenceKind.RISK: ParityClass.RISK,
    DifferenceKind.DECISION: ParityClass.DECISION,
}
_NONE = "none"
DEFAULT_TOLERANCE_BPS = Decimal(1)
"""What a day may differ by where nobody has said otherwise: a hundredth of a percent of the equity."""


@dataclass(frozen=True)
class OrderRow:
    """What is compared of an order. Orders of a group share what is left, so that their quantity (None) only follows from fills."""

    session_id: UUID
    decided_at: datetime
    side: Side
    quantity: Decimal | None
    order_type: OrderType


@dataclass(frozen=True)
class Found:
    """One difference. `amount` is what it is worth in money, without a sign; `decided_at` names the decision that it belongs to."""

    kind: ParityClass
    at: datetime
    session_id: UUID | None
    decided_at: datetime | None
    what: str
    paper: str
    backtest: str
    amount: Decimal = ZERO


@dataclass
class DayParity:
    """A day of the venue's clock. `equity` is paper's at its start, `drift` how much more the repetition made in it than paper."""

    day: date
    decisions: int = 0
    orders: int = 0
    fills: int = 0
    equity: Decimal = ZERO
    drift: Decimal = ZERO
    found: list[Found] = field(default_factory=list)

    @property
    def has_happened(self) -> bool:
        """Whether there was anything to compare: on the day of its opening an account only has a value."""
        return bool(self.decisions or self.orders or self.fills or self.found)

    @property
    def deviation(self) -> Decimal:
        """What the differences are worth: the drift, or if that is more their amounts together."""
        return max(abs(self.drift), sum((item.amount for item in self.found), ZERO))

    @property
    def deviation_bps(self) -> Decimal:
        """The deviation in basis points of the equity; of one unit of currency where the equity is not above zero."""
        return self.deviation * 10_000 / (self.equity if self.equity > 0 else Decimal(1))


@dataclass(frozen=True)
class Compared:
    """Both runs as they are compared."""

    paper: RunRows
    backtest: RunRows
    paper_orders: Sequence[OrderRow]
    backtest_orders: Sequence[OrderRow]


def orders_of(run: SessionRun) -> list[OrderRow]:
    """The orders of a run in memory that its sessions' decisions wanted."""
    wanted = {order_id for item in run.decisions for order_id in item.order_ids}
    return [
        OrderRow(item.origin_id, item.market_at, item.side, None if item.group_id else item.quantity, item.order_type)
        for item in run.orders
        if item.id in wanted and item.origin_id is not None
    ]


def compare_days(runs: Compared, bar_has_changed: Callable[[UUID, datetime], bool]) -> list[DayParity]:
    """Every day on which something happened, the earliest first. `bar_has_changed` says whether a session's bar is another one by now."""
    days: dict[date, DayParity] = {}

    def on(at: datetime) -> DayParity:
        return days.setdefault(at.astimezone(UTC).date(), DayParity(at.astimezone(UTC).date()))

    for decision in runs.paper.decisions:
        on(decision.bar_at).decisions += 1
    for order in runs.paper_orders:
        on(order.decided_at).orders += 1
    for fill in runs.paper.fills:
        on(fill.filled_at).fills += 1
    for item in _InOrder(runs, bar_has_changed).found():
        on(item.at).found.append(item)
    _books(runs.paper.equity, runs.backtest.equity, on)
    return [days[key] for key in sorted(days) if days[key].has_happened]


class _InOrder:
    """Goes through both runs close by close, fills before decisions before orders, and remembers what each difference came from.

    An order and its fills follow from their decision; a session that holds something else follows from what it traded otherwise; a check or
    a factor on another amount of money follows from the newest difference, where the account is worth something else in the repetition.
    """

    def __init__(self, runs: Compared, bar_has_changed: Callable[[UUID, datetime], bool]) -> None:
        self._bar_has_changed = bar_has_changed
        self._causes: dict[OrderKey, ParityClass] = {}
        self._traded: dict[UUID, ParityClass] = {}
        self._newest: ParityClass | None = None
        left, right = {row.at: row for row in runs.paper.equity}, {row.at: row for row in runs.backtest.equity}
        self._other_money = {at for at, row in left.items() if right.get(at) != row}
        self._decisions = _paired(runs.paper.decisions, runs.backtest.decisions, lambda row: (row.session_id, row.bar_at))
        self._orders = _paired(runs.paper_orders, runs.backtest_orders, lambda row: (row.session_id, row.decided_at))
        self._fills = _paired(runs.paper.fills, runs.backtest.fills, lambda row: (row.session_id, row.decided_at))

    def found(self) -> Iterable[Found]:
        steps: list[tuple[datetime, int, UUID, int]] = [
            *((min(row.filled_at for row in pair[1:] if row), 0, pair[0][0], place) for place, pair in enumerate(self._fills)),
            *((pair[0][1], 1, pair[0][0], place) for place, pair in enumerate(self._decisions)),
            *((pair[0][1], 2, pair[0][0], place) for place, pair in enumerate(self._orders)),
        ]
        for _, step, _, place in sorted(steps):
            made = (
                self._fill(*self._fills[place])
                if step == 0
                else self._decision(*self._decisions[place])
                if step == 1
                else self._order(*self._orders[place])
            )
            if made is not None:
                self._newest = made.kind
                yield made

    def _decision(self, key: OrderKey, first: DecisionRow | None, second: DecisionRow | None) -> Found | None:
        if first is None or second is None:
            kind = self._causes[key] = ParityClass.MISSING if first is None else ParityClass.EXTRA
            return Found(kind, key[1], key[0], key[1], "decision", _outcome(first), _outcome(second))
        if first == second:
            return None
        cause, *others = fields_that_differ(first, second)
        kind = self._causes[key] = self._kind_of_decision(key, cause)
        what = cause.what.replace("_", " ")
        if others:
            what += " (then " + ", ".join(item.what.replace("_", " ") for item in others) + ")"
        return Found(kind, key[1], key[0], key[1], what, cause.paper, cause.backtest)

    def _kind_of_decision(self, key: OrderKey, cause: Difference) -> ParityClass:
        """The first field that differs is the cause, unless it is what an earlier difference has led to."""
        kind = _CLASSES[cause.kind]
        if cause.what == "position":
            return self._traded.get(key[0], kind)
        if kind in (ParityClass.RISK, ParityClass.SIZE) and key[1] in self._other_money and self._newest is not None:
            return self._newest
        return kind

    def _order(self, key: OrderKey, first: OrderRow | None, second: OrderRow | None) -> Found | None:
        if first == second or key in self._causes:
            return None
        if first is None or second is None:
            kind = ParityClass.MISSING if first is None else ParityClass.EXTRA
        else:
            kind = ParityClass.SIGNAL if first.side is not second.side else ParityClass.SIZE
        self._causes[key] = kind
        return Found(kind, key[1], key[0], key[1], "order", _order(first), _order(second))

    def _fill(self, key: OrderKey, one: FillRow | None, other: FillRow | None) -> Found | None:
        if one == other:
            return None
        kind = self._causes.get(key) or _kind_of_fill(one, other, self._bar_has_changed)
        self._traded[key[0]] = kind
        at = one.filled_at if one else other.filled_at if other else key[1]
        return Found(kind, at, key[0], key[1], "fill", *_texts(one, other), abs(_cash(one) - _cash(other)))


def first_divergence(runs: Compared, after: datetime | None) -> list[tuple[FillRow | None, FillRow | None]]:
    """The earliest fills after a time that differ and have moved the account away from its repetition: pairs of paper's and the other.

    A fill whose row alone was changed is not among them: the account's values then say that it was booked as it is repeated.
    """
    left, right = {row.at: row for row in runs.paper.equity}, {row.at: row for row in runs.backtest.equity}
    pairs: dict[datetime, list[tuple[FillRow | None, FillRow | None]]] = defaultdict(list)
    for _, one, other in _paired(runs.paper.fills, runs.backtest.fills, lambda row: (row.session_id, row.decided_at)):
        at = min(row.filled_at for row in (one, other) if row is not None)
        if one != other and (after is None or at > after) and left.get(at) != right.get(at):
            pairs[at].append((one, other))
    return pairs[min(pairs)] if pairs else []


def _paired(paper: Sequence[T], backtest: Sequence[T], key: Callable[[T], OrderKey]) -> list[tuple[OrderKey, T | None, T | None]]:
    """What belongs to the same decision in both, side by side: the first ones, the second ones, and so on."""
    left, right = _by_key(paper, key), _by_key(backtest, key)
    return [(name, *pair) for name in left.keys() | right.keys() for pair in zip_longest(left.get(name, ()), right.get(name, ()))]


def _by_key(rows: Sequence[T], key: Callable[[T], OrderKey]) -> Mapping[OrderKey, list[T]]:
    found: dict[OrderKey, list[T]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def _kind_of_fill(one: FillRow | None, other: FillRow | None, bar_has_changed: Callable[[UUID, datetime], bool]) -> ParityClass:
    bars = {(row.session_id, row.filled_at) for row in (one, other) if row is not None}
    if any(bar_has_changed(*bar) for bar in bars):
        return ParityClass.DATA
    if one is None or other is None:
        return ParityClass.MISSING if one is None else ParityClass.EXTRA
    names = _names(one, other)
    if names == ["fee"]:
        return ParityClass.FEE
    return ParityClass.LATENCY if "filled_at" in names else ParityClass.FILL


def _books(paper: Sequence[EquityRow], backtest: Sequence[EquityRow], on: Callable[[datetime], DayParity]) -> None:
    """Compare what each close brought, so that a difference of one day is not one of every day after it."""
    right = {row.at: row for row in backtest}
    previous: EquityRow | None = None
    for row in paper:
        day, other = on(row.at), right.get(row.at)
        if previous is not None:
            day.equity = day.equity or previous.equity
        before = right.get(previous.at) if previous is not None else None
        if other is None or (previous is not None and before is None):
            day.found.append(Found(ParityClass.EXTRA, row.at, None, None, "value of the account", str(row.equity), _NONE))
        elif previous is not None and before is not None:
            day.drift += (other.equity - before.equity) - (row.equity - previous.equity)
        day.equity = day.equity or row.equity
        previous = row
    known = {row.at for row in paper}
    for at in sorted(right.keys() - known):
        on(at).found.append(Found(ParityClass.MISSING, at, None, None, "value of the account", _NONE, str(right[at].equity)))
    for day in {id(item): item for item in (on(row.at) for row in paper)}.values():
        if day.drift and not day.found:
            last = max(row.at for row in paper if row.at.astimezone(UTC).date() == day.day)
            change = f"{day.drift:+f} more in the day"
            day.found.append(Found(ParityClass.BOOKS, last, None, None, "value of the account", "as it was", change, abs(day.drift)))


def _names(one: FillRow, other: FillRow) -> list[str]:
    return [name for name in FillRow.__dataclass_fields__ if getattr(one, name) != getattr(other, name)]


def _texts(one: FillRow | None, other: FillRow | None) -> tuple[str, str]:
    if one is None or other is None:
        return _fill(one), _fill(other)
    names = _names(one, other)
    first, second = (", ".join(f"{name.replace('_', ' ')} {getattr(row, name)}" for name in names) for row in (one, other))
    return first, second


def _fill(row: FillRow | None) -> str:
    return _NONE if row is None else f"{row.side} {row.quantity:f} at {row.price:f}, fee {row.fee:f}, {row.filled_at:%Y-%m-%d %H:%M}"


def _order(row: OrderRow | None) -> str:
    if row is None:
        return _NONE
    return f"{row.order_type} {row.side}" + (f" {row.quantity:f}" if row.quantity is not None else "")


def _outcome(row: DecisionRow | None) -> str:
    return _NONE if row is None else row.outcome


def _cash(row: FillRow | None) -> Decimal:
    """What a fill takes out of the account; multipliers are left out, for it is a measure and not a booking."""
    return ZERO if row is None else row.side.sign * row.price * row.quantity + row.fee
