from __future__ import annotations

import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from trading_system.runtime import checks
from trading_system.runtime.secrets import stand_in_for_missing_secret


def ids(messages: list[CheckMessage]) -> list[str]:
    assert all(message.hint for message in messages), "every message has a hint"
    return [str(message.id) for message in messages]


def test_the_settings_of_the_tests_pass_and_our_checks_are_registered() -> None:
    assert ids(run_checks(tags=["trading_system"])) == []
    with override_settings(RISK_PER_TRADE=Decimal(3)):
        assert ids(run_checks(tags=["trading_system"])) == ["ts.E005"]


def test_a_missing_secret_key() -> None:
    with override_settings(SECRET_KEY=stand_in_for_missing_secret()):
        assert ids(checks.check_secret_key(None)) == ["ts.E001"]


@pytest.mark.parametrize("key", ["short", "a" * 80, "change-me-" + secrets.token_urlsafe(64)])
def test_a_weak_secret_key_outside_the_tests(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "trading_system.settings.production")
    with override_settings(SECRET_KEY=key):
        assert ids(checks.check_secret_key(None)) == ["ts.E002"]


def test_a_random_secret_key_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "trading_system.settings.production")
    with override_settings(SECRET_KEY="kE7" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"):
        assert ids(checks.check_secret_key(None)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"TRADING_MODE": "paper"}, []),
        ({"TRADING_MODE": "dream"}, ["ts.E003"]),
        ({"TRADING_MODE": "live"}, ["ts.E004"]),
        ({"TRADING_MODE": "live", "LIVE_TRADING_ENABLED": True}, []),
        ({"TRADING_MODE": "paper", "LIVE_TRADING_ENABLED": True}, ["ts.W001"]),
        ({"LIVE_TRADING_AUTO_EXECUTE": True, "LIVE_TRADING_CONFIRMATION_REQUIRED": True}, ["ts.W002"]),
    ],
)
def test_contradictions_about_the_mode(changes: dict[str, Any], expected: list[str]) -> None:
    with override_settings(**changes):
        assert ids(checks.check_trading_mode(None)) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INITIAL_CAPITAL", Decimal(0)),
        ("INITIAL_CAPITAL", Decimal("NaN")),
        ("INITIAL_CAPITAL", Decimal("Infinity")),
        ("RISK_PER_TRADE", Decimal(2)),
        ("RISK_PER_TRADE", Decimal(-1)),
        ("LIVE_TRADING_MAX_DRAWDOWN", Decimal(0)),
        ("LIVE_TRADING_MAX_TRADES_PER_DAY", -1),
        ("LIVE_TRADING_MIN_SIGNAL_CONFIDENCE", Decimal("1.1")),
    ],
)
def test_numbers_that_make_no_sense(name: str, value: object) -> None:
    with override_settings(**{name: value}):
        assert ids(checks.check_numbers(None)) == ["ts.E005"]


@pytest.mark.parametrize(("name", "value"), [("LIVE_TRADING_MAX_TRADES_PER_DAY", 0), ("LIVE_TRADING_MIN_SIGNAL_CONFIDENCE", Decimal(0))])
def test_zero_where_zero_is_meant(name: str, value: object) -> None:
    with override_settings(**{name: value}):
        assert ids(checks.check_numbers(None)) == []


@pytest.mark.parametrize("path", ["apps.nowhere.Thing", "apps.core.errors.NoSuchThing", "nonsense"])
def test_a_port_that_cannot_be_imported(path: str) -> None:
    with override_settings(TRADING_PORTS={"FillSink": path}):
        assert ids(checks.check_ports(None)) == ["ts.E006"]


def test_a_data_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert ids(checks.check_data_directory(None, data_dir=tmp_path / "file" / "var")) == ["ts.E007"]
    assert ids(checks.check_data_directory(None, data_dir=tmp_path / "new" / "var")) == []


def test_another_database_than_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert ids(checks.check_database(None)) == ["ts.E008"]
