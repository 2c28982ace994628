"""What happened to an account beside the decisions of its sessions: taken as it was when a run of them is repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side
from apps.orders.domain.profiles import EngineProfile


@dataclass(frozen=True)
class GivenTrade:
    """A fill at a close of an order that no session wanted: a person's, or a halt's exit."""

    at: datetime
    instrument: InstrumentSpec
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal


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


NOTHING_BESIDE = Beside()
