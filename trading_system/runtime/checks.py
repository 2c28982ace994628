"""Misconfiguration, found before it costs money: numbered errors and warnings with a hint each (`manage.py check`, and at every start)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from apps.core.vocabulary import TradingMode
from trading_system.runtime.secrets import is_missing_secret
from trading_system.settings.environment import DATA_DIR

_SHORTEST_SECRET = 50
_FEWEST_CHARACTERS = 12
_PLACEHOLDERS = ("change", "secret", "example", "insecure", "default", "password")


@dataclass(frozen=True)
class NumberRule:
    """A setting that must be a number above `above` and at most `at_most`."""

    name: str
    above: Decimal
    at_most: Decimal
    meaning: str
    may_equal_lower: bool = False

    def allows(self, value: Decimal) -> bool:
        if not value.is_finite() or value > self.at_most:
            return False
        return value >= self.above if self.may_equal_lower else value > self.above


NUMBER_RULES = (
    NumberRule("INITIAL_CAPITAL", Decimal(0), Decimal("1e12"), "an amount of money above 0 and up to 1e12"),
    NumberRule("RISK_PER_TRADE", Decimal(0), Decimal("0.5"), "a fraction above 0 and up to 0.5 (0.02 is 2 %)"),
    NumberRule("LIVE_TRADING_MAX_DRAWDOWN", Decimal(0), Decimal(1), "a fraction above 0 and up to 1 (0.10 is 10 %)"),
    NumberRule("LIVE_TRADING_MAX_TRADES_PER_DAY", Decimal(0), Decimal(1_000_000), "a whole number from 0 to 1000000", may_equal_lower=True),
    NumberRule("LIVE_TRADING_MIN_SIGNAL_CONFIDENCE", Decimal(0), Decimal(1), "a fraction from 0 to 1", may_equal_lower=True),
)


def check_secret_key(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ts.E001 missing, ts.E002 weak. The settings of the test suite protect nothing and are left alone."""
    key = settings.SECRET_KEY
    if is_missing_secret(key):
        return [
            Error("SECRET_KEY is not set.", hint="Set a random text of at least 50 characters in the environment or .env.", id="ts.E001")
        ]
    is_for_tests = os.environ.get("DJANGO_SETTINGS_MODULE", "").endswith(".test")
    if not is_for_tests and is_weak_secret(key):
        return [
            Error(
                "SECRET_KEY is too easy to guess.",
                hint="Use 50 or more random characters: python -c 'import secrets; print(secrets.token_urlsafe(64))'",
                id="ts.E002",
            )
        ]
    return []


def is_weak_secret(key: str) -> bool:
    """Short, repetitive, or a placeholder that somebody forgot to replace."""
    is_placeholder = any(word in key.lower() for word in _PLACEHOLDERS)
    return len(key) < _SHORTEST_SECRET or len(set(key)) < _FEWEST_CHARACTERS or is_placeholder


def check_trading_mode(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ts.E003 unknown mode, ts.E004 live without its switch, ts.W001 the switch without live, ts.W002 automatic and to be confirmed."""
    found: list[CheckMessage] = []
    if settings.TRADING_MODE not in list(TradingMode):
        hint = f"Use one of: {', '.join(TradingMode)}."
        found.append(Error(f"TRADING_MODE is {settings.TRADING_MODE!r}, which is no mode.", hint=hint, id="ts.E003"))
    is_live = settings.TRADING_MODE == TradingMode.LIVE
    if is_live and not settings.LIVE_TRADING_ENABLED:
        hint = "Set LIVE_TRADING_ENABLED=true as well, or TRADING_MODE=paper."
        found.append(Error("TRADING_MODE is live but LIVE_TRADING_ENABLED is not set.", hint=hint, id="ts.E004"))
    if settings.LIVE_TRADING_ENABLED and not is_live:
        hint = "Unset LIVE_TRADING_ENABLED while trading on paper: one switch fewer between a mistake and real money."
        found.append(Warning("LIVE_TRADING_ENABLED is set although TRADING_MODE is paper.", hint=hint, id="ts.W001"))
    if settings.LIVE_TRADING_AUTO_EXECUTE and settings.LIVE_TRADING_CONFIRMATION_REQUIRED:
        hint = "Confirmation wins: orders wait for a person. Unset one of the two."
        found.append(
            Warning("LIVE_TRADING_AUTO_EXECUTE and LIVE_TRADING_CONFIRMATION_REQUIRED contradict each other.", hint=hint, id="ts.W002")
        )
    return found


def check_numbers(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ts.E005: a number that makes no sense."""
    return [
        Error(f"{rule.name} is {getattr(settings, rule.name)}, which makes no sense.", hint=f"Give {rule.meaning}.", id="ts.E005")
        for rule in NUMBER_RULES
        if not rule.allows(Decimal(getattr(settings, rule.name)))
    ]


def check_ports(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ts.E006: an implementation in TRADING_PORTS that cannot be imported."""
    found: list[CheckMessage] = []
    for name, path in settings.TRADING_PORTS.items():
        module_name, _dot, attribute = path.rpartition(".")
        try:
            getattr(import_module(module_name), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            hint = f"Name an importable class in TRADING_PORTS (trading_system/settings/trading.py): {error}."
            found.append(Error(f"The port {name} is to be implemented by {path}, which cannot be imported.", hint=hint, id="ts.E006"))
    return found


def check_data_directory(app_configs: Sequence[AppConfig] | None, data_dir: Path = DATA_DIR, **_: Any) -> list[CheckMessage]:
    """ts.E007: the data directory exists but cannot be written, or cannot be made."""
    present = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    if present.is_dir() and os.access(present, os.W_OK | os.X_OK):
        return []
    hint = "Change its owner, or name another one in TRADING_DATA_DIR."
    return [Error(f"The data directory {data_dir} cannot be written.", hint=hint, id="ts.E007")]


def check_database(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ts.E008: only PostgreSQL has what the system relies on (NOTIFY, advisory locks, partitions)."""
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine == "django.db.backends.postgresql":
        return []
    return [Error(f"The database engine is {engine}.", hint="Use PostgreSQL 14 or newer (DATABASE_URL=postgres://...).", id="ts.E008")]


CHECKS = (check_secret_key, check_trading_mode, check_numbers, check_ports, check_data_directory, check_database)


def register_all() -> None:
    """Called when Django starts."""
    for check in CHECKS:
        register(check, "trading_system")
