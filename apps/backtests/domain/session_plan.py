"""What a run of sessions begins with: an account, and the sessions that trade on it, as paper's rows would have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.vocabulary import TradingMode
from apps.orders.domain.profiles import EngineProfile
from apps.risk.domain.factor import DEFAULT_RULES, FactorRule
from apps.risk.domain.facts import Limits
from apps.strategies.domain.catalog import AnyStrategy


@dataclass(frozen=True)
class AccountPlan:
    """An account, opened with its capital at a time of the market. Bars that closed by then are history: nothing is decided on them.

    `profile` says by whose rules the venue fills its orders and what it charges.
    """

    id: UUID
    currency: str
    capital: Decimal
    opened_at: datetime
    profile: EngineProfile
    mode: TradingMode = TradingMode.PAPER
    factor_rules: tuple[FactorRule, ...] = DEFAULT_RULES


@dataclass(frozen=True)
class SessionPlan:
    """A strategy on one instrument with some capital of the account; `limits` are those in force for its orders.

    It decides on bars that close after `starts_after` (None: after the account's opening) and until `ends_at` (None: to the last). Sessions
    decide a bar in the order in which they are given, as paper's do in the order of their creation.
    """

    id: UUID
    strategy: AnyStrategy
    instrument_id: UUID
    capital: Decimal
    risk_per_trade: Decimal
    limits: Limits
    max_positions: int = 10
    starts_after: datetime | None = None
    ends_at: datetime | None = None
    parameters_since: Mapping[datetime, AnyStrategy] = field(default_factory=dict)
    """Strategies with other parameters, by the close of the first bar that was decided with them."""
    limits_since: Mapping[datetime, Limits] = field(default_factory=dict)
    """Limits that were other than before, by the close of the first bar that was decided under them; `limits` are the first."""
    stops_since: datetime | None = None
    """The first bar that was decided after the session had been told to stop."""
    keeps_positions: bool = False
    """Whether it keeps what it holds when it stops."""
