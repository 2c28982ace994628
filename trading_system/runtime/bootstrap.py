"""What a fresh database needs before the system can trade: an administrator, limits, a world. Run again, it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from apps.access import services as access
from apps.core.vocabulary import Timeframe, TradingMode
from apps.markets import selectors as markets
from apps.risk import services as risk
from apps.strategies import services as strategies


@dataclass(frozen=True)
class FirstWorld:
    """Which world to open when none is active; without an exchange, the replay."""

    exchange: str
    symbol: str
    timeframe: Timeframe
    mode: TradingMode


@dataclass(frozen=True)
class Installation:
    """Who may log in, and how."""

    username: str
    password: str | None
    """Only when the user was created by this call."""
    login_path: str


def bootstrap(world: FirstWorld) -> Installation:
    """Make what is missing. Raises TradingError with a plain sentence when the world cannot be opened."""
    username, password = access.ensure_first_admin()
    risk.seed_default_limits()
    if world.exchange:
        strategies.open_live_world(exchange=world.exchange, symbol=world.symbol, timeframe=world.timeframe, mode=world.mode)
    elif markets.active_venue() is None:
        strategies.open_replay_world(starts_at=None, reason="first start", actor="up")
    return Installation(username, password, access.issue_login_link(username))
