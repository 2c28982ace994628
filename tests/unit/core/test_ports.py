"""Ports are resolved by name, once, and a missing one says what to do."""

from __future__ import annotations

from typing import Protocol

import pytest

from apps.core import ports
from apps.core.errors import Misconfigured, TradingError, Unavailable


class Greeter(Protocol):
    def greet(self) -> str: ...


class PlainGreeter:
    def greet(self) -> str:
        return "hello"


@pytest.fixture(autouse=True)
def own_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_paths", {})
    monkeypatch.setattr(ports, "_instances", {})


def test_a_configured_port_is_made_once() -> None:
    ports.configure_ports({"Greeter": f"{__name__}.PlainGreeter"})
    assert ports.port(Greeter).greet() == "hello"
    assert ports.port(Greeter) is ports.port(Greeter)


def test_a_port_that_is_not_configured_says_where_to_add_it() -> None:
    with pytest.raises(Misconfigured, match=r"No implementation is configured for the port Greeter\. Add it to TRADING_PORTS"):
        ports.port(Greeter)


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = TradingError("It broke.", where="here", hint="Mend it.", code="broken")
    assert (str(error), error.code, error.retryable) == ("It broke. (here) Mend it.", "broken", False)
    assert Unavailable("x").retryable
