"""A paper run beside its repetition: every difference, with what it is a difference of.

Both runs are brought to the same plain rows first (`PaperRow`s are read from the database, a run's are made by `rows_of`), so that the
comparison itself is equality of values and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.backtests.domain.session_result import SessionDecision, SessionRun
from apps.core.vocabulary import Side
from apps.portfolio.domain.valuation import drawdown


class DifferenceKind(StrEnum):
    """What two runs differ in. Later kinds follow from earlier ones, so the first difference of the earliest bar is the cause."""

    DATA = "data"
    """The bars or features that the decision saw."""
    FORECAST = "forecast"
    SIGNAL = "signal"
    """What the strategy said, or what was held before."""
    SIZE = "size"
    RISK = "risk"
    """What the gate or the account's limits said."""
    DECISION = "decision"
    """The outcome or its sentence, though everything before agrees, or a bar that one run did not decide."""
    LATENCY = "latency"
    """The same order filled at another bar."""
    FILL = "fill"
    """Quantity, price or reason of a fill, or a fill that one run lacks."""
    FEE = "fee"
    BOOKS = "books"
    """Cash, equity or positions."""


@dataclass(frozen=True)
class DecisionRow:
    """What is compared of a decision, in the order of its making; `kind_of` says what each field is a part of."""

    session_id: UUID
    bar_at: datetime
    data_hash: str
    bars_used: int
    forecast_return: float | None
    forecast_refusal: str
    position: Decimal
    signal: dict[str, Any]
    risk_factor: Decimal | None
    risk_factor_reasons: tuple[str, ...]
    sizing: dict[str, Any]
    checks: tuple[dict[str, Any], ...]
    outcome: str
    sentence: str


_KINDS = {
    "data_hash": DifferenceKind.DATA,
    "bars_used": DifferenceKind.DATA,
    "forecast_return": DifferenceKind.FORECAST,
    "forecast_refusal": DifferenceKind.FORECAST,
    "position": DifferenceKind.SIGNAL,
    "signal": DifferenceKind.SIGNAL,
    "risk_factor": DifferenceKind.SIZE,
    "risk_factor_reasons": DifferenceKind.SIZE,
    "sizing": DifferenceKind.SIZE,
    "checks": DifferenceKind.RISK,
    "outcome": DifferenceKind.DECISION,
    "sentence": DifferenceKind.DECISION,
}


@dataclass(frozen=True)
class FillRow:
    """What is compared of a fill. `decided_at` is the bar that ordered it: with the session it names the order."""

    session_id: UUID
    decided_at: datetime
    filled_at: datetime
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    liquidity: str
    reason: str


@dataclass(frozen=True)
class EquityRow:
    """The account after a bar."""

    at: datetime
    cash: Decimal
    holdings_value: Decimal
    equity: Decimal
    drawdown: Decimal


@dataclass(frozen=True)
class PositionRow:
    """What is held, or was, of an instrument at the end."""

    instrument_id: UUID
    quantity: Decimal
    cost_basis: Decimal
    realised_pnl: Decimal


@dataclass(frozen=True)
class RunRows:
    """A run as it is compared."""

    decisions: tuple[DecisionRow, ...]
    fills: tuple[FillRow, ...]
    equity: tuple[EquityRow, ...]
    positions: tuple[PositionRow, ...]
    cash: Decimal


@dataclass(frozen=True)
class Difference:
    """One value that is not the same in both."""

    kind: DifferenceKind
    at: datetime | None
    session_id: UUID | None
    what: str
    paper: str
    backtest: str


def rows_of(run: SessionRun) -> RunRows:
    """A run in memory as it is compared."""
    ordered = {request.id: request.market_at for request in run.orders}
    return RunRows(
        decisions=tuple(_decision_row(item) for item in run.decisions),
        fills=tuple(
            FillRow(
                fill.session_id,
                ordered[fill.order_id],
                fill.at,
                fill.side,
                fill.quantity,
                fill.price,
                fill.fee,
                str(fill.liquidity),
                fill.reason,
            )
            for fill in run.fills
            if fill.session_id is not None
        ),
        equity=tuple(
            EquityRow(
                point.at,
                point.valuation.cash,
                point.valuation.holdings_value,
                point.valuation.equity,
                drawdown(peak=point.peak, equity=point.valuation.equity),
            )
            for point in run.equity
        ),
        positions=tuple(
            PositionRow(key, spec.quantity(holding.lots), spec.cash(holding.cost), spec.cash(holding.realised))
            for key, holding in run.holdings.items()
            for spec in (run.instruments[key],)
        ),
        cash=run.cash,
    )


def _decision_row(item: SessionDecision) -> DecisionRow:
    factor, sizing, verdict = item.risk_factor, item.sizing, item.verdict
    return DecisionRow(
        session_id=item.session_id,
        bar_at=item.bar_at,
        data_hash=item.data_hash,
        bars_used=item.bars_used,
        forecast_return=item.forecast_return,
        forecast_refusal=item.forecast_refusal.reason if item.forecast_refusal else "",
        position=item.position,
        signal=item.signal.as_dict() if item.signal else {},
        risk_factor=factor.value if factor else None,
        risk_factor_reasons=factor.reasons if factor else (),
        sizing={"quantity": str(sizing.quantity), "reason": sizing.reason, "inputs": sizing.inputs} if sizing else {},
        checks=tuple(check.as_dict() for check in verdict.checks) if verdict else (),
        outcome=str(item.outcome),
        sentence=item.sentence,
    )


def compare(paper: RunRows, backtest: RunRows) -> list[Difference]:
    """Every difference, the earliest bar first; empty when the two are the same to the unit."""
    found = [*_compare_decisions(paper.decisions, backtest.decisions), *_compare_fills(paper.fills, backtest.fills)]
    found += _compare_books(paper, backtest)
    order = list(DifferenceKind)
    return sorted(found, key=lambda item: (item.at is None, item.at.timestamp() if item.at else 0.0, order.index(item.kind)))


def _compare_decisions(paper: Sequence[DecisionRow], backtest: Sequence[DecisionRow]) -> Iterable[Difference]:
    left = {(row.bar_at, row.session_id): row for row in paper}
    right = {(row.bar_at, row.session_id): row for row in backtest}
    for key in left.keys() | right.keys():
        first, second = left.get(key), right.get(key)
        if first is None or second is None:
            yield Difference(DifferenceKind.DECISION, key[0], key[1], "decision", _there(first), _there(second))
        elif first != second:
            yield from fields_that_differ(first, second)


def fields_that_differ(first: DecisionRow, second: DecisionRow) -> Iterable[Difference]:
    """The fields of one decision that are not the same in both, in the order in which they follow from each other."""
    for name, kind in _KINDS.items():
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            yield Difference(kind, first.bar_at, first.session_id, name, str(one), str(other))


def _compare_fills(paper: Sequence[FillRow], backtest: Sequence[FillRow]) -> Iterable[Difference]:
    left, right = _by_order(paper), _by_order(backtest)
    for key in left.keys() | right.keys():
        first, second = left.get(key, []), right.get(key, [])
        if len(first) != len(second):
            yield Difference(DifferenceKind.FILL, key[1], key[0], "fills", str(len(first)), str(len(second)))
            continue
        for one, other in zip(first, second, strict=True):
            if one != other:
                yield _fill_difference(one, other)


def _by_order(rows: Sequence[FillRow]) -> dict[tuple[UUID, datetime], list[FillRow]]:
    found: dict[tuple[UUID, datetime], list[FillRow]] = {}
    for row in rows:
        found.setdefault((row.session_id, row.decided_at), []).append(row)
    return found


def _fill_difference(one: FillRow, other: FillRow) -> Difference:
    """The first field that differs decides what kind it is."""
    names = [item.name for item in fields(FillRow) if getattr(one, item.name) != getattr(other, item.name)]
    kind = DifferenceKind.FILL
    if names == ["fee"]:
        kind = DifferenceKind.FEE
    elif "filled_at" in names:
        kind = DifferenceKind.LATENCY
    texts = [", ".join(f"{name} {getattr(row, name)}" for name in names) for row in (one, other)]
    return Difference(kind, one.decided_at, one.session_id, "fill", texts[0], texts[1])


def _compare_books(paper: RunRows, backtest: RunRows) -> Iterable[Difference]:
    if paper.cash != backtest.cash:
        yield Difference(DifferenceKind.BOOKS, None, None, "cash", str(paper.cash), str(backtest.cash))
    left, right = {row.at: row for row in paper.equity}, {row.at: row for row in backtest.equity}
    for at in left.keys() | right.keys():
        if left.get(at) != right.get(at):
            yield Difference(DifferenceKind.BOOKS, at, None, "equity", str(left.get(at)), str(right.get(at)))
    held, repeated = {row.instrument_id: row for row in paper.positions}, {row.instrument_id: row for row in backtest.positions}
    for key in held.keys() | repeated.keys():
        if held.get(key) != repeated.get(key):
            yield Difference(DifferenceKind.BOOKS, None, None, f"position {key}", str(held.get(key)), str(repeated.get(key)))


def _there(row: DecisionRow | None) -> str:
    return "none" if row is None else row.outcome
