"""Users of every role, clients that are logged in, a small market, and a fresh throttle for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from rest_framework.test import APIClient

from apps.access.contracts import Role
from apps.access.models import User
from apps.common import throttling
from apps.portfolio.models import Account
from apps.risk.services import seed_default_limits
from tests.factories.trading_world import World, add_bar, open_world

PASSWORD = "correct horse battery"


class ClientOf(Protocol):
    def __call__(self, role: Role | None) -> APIClient: ...


def user_of(role: Role) -> User:
    user, _ = User.objects.get_or_create(username=f"{role}-user", defaults={"role": role})
    if not user.password:
        user.set_password(PASSWORD)
        user.save()
    return user


@pytest.fixture(autouse=True)
def fresh_throttle() -> Iterator[None]:
    """No request of another test counts."""
    shared = throttling.shared_window()._redis
    for key in shared.scan_iter(f"{throttling.KEY_PREFIX}*"):
        shared.delete(key)
    yield


@pytest.fixture
def client_of(db: None) -> ClientOf:
    """A client logged in with a role, or not at all."""

    def build(role: Role | None) -> APIClient:
        client = APIClient()
        if role is not None:
            client.force_login(user_of(role))
        return client

    return build


@pytest.fixture
def viewer(client_of: ClientOf) -> APIClient:
    return client_of(Role.VIEWER)


@pytest.fixture
def trader(client_of: ClientOf) -> APIClient:
    return client_of(Role.TRADER)


@pytest.fixture
def risk_officer(client_of: ClientOf) -> APIClient:
    return client_of(Role.RISK)


@pytest.fixture
def market(db: None) -> World:
    """Three instruments with three bars, a default account, the limits that ship."""
    return open_market()


def open_market() -> World:
    seed_default_limits()
    world = open_world(symbols=3)
    Account.objects.filter(id=world.account_id).update(is_default=True)
    for close in ("101", "102"):
        add_bar(world, "100", "103", "99", close)
    return world
