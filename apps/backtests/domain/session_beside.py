"""What happened to an account beside the decisions of its sessions: taken as it was when a run of them is repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side
from apps.orders.domain.instants import microseconds
from apps.orders.domain.profiles import EngineProfile


@dataclass(frozen=True)
class GivenTrade:
    """A fill at a close of an order that no session wanted: a person's, or a halt's exit. With a session it corrects what that one holds."""

    at: datetime
    instrument: InstrumentSpec
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    session_id: UUID | None = None


@dataclass(frozen=True)
class Beside:
    """By the close of a bar in microseconds: what was traded there, which sessions' orders were taken back after it, and how many orders
    that add exposure people sent after it; by session and bar the reason of the halt that its decision met.
    """

    trades: Mapping[int, tuple[GivenTrade, ...]] = field(default_factory=dict)
    cancels: Mapping[int, tuple[UUID, ...]] = field(default_factory=dict)
    entries: Mapping[int, int] = field(default_factory=dict)
    halts: Mapping[tuple[UUID, datetime], str] = field(default_factory=dict)
    profiles: Mapping[int, EngineProfile] = field(default_factory=dict)
    """Other rules and costs of the venue, by the close after which they are in force."""

    def with_trades(self, trades: Iterable[GivenTrade]) -> Beside:
        """The same with further trades, after those that are there."""
        merged = dict(self.trades)
        for trade in trades:
            key = microseconds(trade.at)
            merged[key] = (*merged.get(key, ()), trade)
        return replace(self, trades=merged)


NOTHING_BESIDE = Beside()
