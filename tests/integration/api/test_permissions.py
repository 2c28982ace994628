"""Every address, every method, every role and nobody."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from apps.access.contracts import Role
from apps.common.throttling import WindowThrottle
from tests.factories.trading_world import World
from tests.integration.api.conftest import ClientOf
from trading_system.api import OLDER_VIEWS, VIEWS

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PUBLIC = {"auth/token", "auth/refresh", "auth/logout"}
ONLY_WRITTEN = {
    "orders/cancel-all",
    "orders/<uuid:order_id>/cancel",
    "risk/halts/<uuid:halt_id>/reset",
    "sessions/<uuid:session_id>/start",
    "sessions/<uuid:session_id>/stop",
    "strategies/<uuid:strategy_id>/parameters",
    "trading/start",
    "trading/stop",
    "trade/execute",
    "models/start-training",
    "backtests/<uuid:run_id>/cancel",
    "backtests/<uuid:run_id>/repeat",
    "sweeps/<uuid:sweep_id>/cancel",
    "what-ifs/<uuid:what_if_id>/cancel",
}
WRITES = {
    ("POST", "venues/<uuid:venue_id>/clock"): Role.TRADER,
    ("POST", "training"): Role.TRADER,
    ("PUT", "risk/limits"): Role.RISK,
    ("POST", "risk/halts"): Role.TRADER,
    ("POST", "risk/halts/<uuid:halt_id>/reset"): Role.RISK,
    ("POST", "orders"): Role.TRADER,
    ("POST", "orders/cancel-all"): Role.TRADER,
    ("PATCH", "orders/<uuid:order_id>"): Role.TRADER,
    ("DELETE", "orders/<uuid:order_id>"): Role.TRADER,
    ("POST", "orders/<uuid:order_id>/cancel"): Role.TRADER,
    ("PUT", "strategies/<uuid:strategy_id>/parameters"): Role.TRADER,
    ("PUT", "strategy/config"): Role.TRADER,
    ("POST", "sessions"): Role.TRADER,
    ("POST", "sessions/<uuid:session_id>/start"): Role.TRADER,
    ("POST", "sessions/<uuid:session_id>/stop"): Role.TRADER,
    ("POST", "trading/start"): Role.TRADER,
    ("POST", "trading/stop"): Role.TRADER,
    ("POST", "trade/execute"): Role.TRADER,
    ("POST", "models/start-training"): Role.TRADER,
    ("POST", "backtests"): Role.TRADER,
    ("DELETE", "backtests/<uuid:run_id>"): Role.TRADER,
    ("POST", "backtests/<uuid:run_id>/cancel"): Role.TRADER,
    ("POST", "backtests/<uuid:run_id>/repeat"): Role.TRADER,
    ("POST", "sweeps"): Role.TRADER,
    ("DELETE", "sweeps/<uuid:sweep_id>"): Role.TRADER,
    ("POST", "sweeps/<uuid:sweep_id>/cancel"): Role.TRADER,
    ("POST", "sweeps/<uuid:sweep_id>/points"): Role.TRADER,
    ("POST", "what-ifs"): Role.TRADER,
    ("POST", "what-ifs/<uuid:what_if_id>/cancel"): Role.TRADER,
    ("POST", "parity"): Role.TRADER,
}
ADDRESSES = [("api/v1/", route) for route in VIEWS] + [("api/", route) for route in OLDER_VIEWS]


def needed(method: str, route: str) -> Role | None:
    """The role that a method of an address needs; None when the address does not know the method."""
    if method == "GET":
        return None if route in ONLY_WRITTEN else Role.VIEWER
    return WRITES.get((method, route))


@pytest.mark.parametrize("role", [None, *Role])
def test_each_role_may_do_what_it_may_and_nothing_else(
    client_of: ClientOf, market: World, role: Role | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WindowThrottle, "limit", 10_000)
    client = client_of(role)
    wrong = []
    for prefix, route in ADDRESSES:
        if route in PUBLIC:
            continue
        for method in METHODS:
            address = f"/{prefix}" + re.sub(r"<uuid:\w+>", str(uuid4()), route) + "/"
            status = client.generic(method, address, "{}" if method in {"POST", "PUT"} else "", "application/json").status_code
            need = needed(method, route)
            if need is None:
                expected = status == 405
            elif role is None:
                expected = status == 401
            elif role.rank < need.rank:
                expected = status == 403
            else:
                expected = status not in {401, 403, 405} and status < 500
            if not expected:
                wrong.append((method, address, status))
    assert wrong == []


def test_every_write_is_in_the_matrix() -> None:
    found = {
        (method, route)
        for views in (VIEWS, OLDER_VIEWS)
        for route, view in views.items()
        if route not in PUBLIC
        for method in ("POST", "PUT", "PATCH", "DELETE")
        if method.lower() in view.http_method_names and hasattr(view, method.lower())
    }
    assert found == set(WRITES)


@pytest.mark.django_db
@pytest.mark.parametrize("route", sorted(PUBLIC))
def test_log_in_addresses_are_open_to_all_and_tell_what_they_need(client_of: ClientOf, route: str) -> None:
    assert client_of(None).post(f"/api/v1/{route}/", {}).status_code == 400


def test_deactivated_user_is_out_at_once(client_of: ClientOf) -> None:
    client = client_of(Role.ADMIN)
    assert client.get("/api/v1/auth/me/").status_code == 200
    from_session = client.get("/api/v1/auth/me/").wsgi_request.user
    from_session.is_active = False
    from_session.save()
    assert client.get("/api/v1/auth/me/").status_code == 401
