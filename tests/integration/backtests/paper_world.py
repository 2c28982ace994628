"""A paper account with a few weeks behind it, and ways to change its history behind its back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.orders.models import Fill
from apps.portfolio import selectors as portfolio
from apps.strategies.models import Decision
from tests.world import World

CRISIS = datetime(2007, 6, 1, tzinfo=UTC)


def open_world(bars: int, *, train: bool = False) -> World:
    world = World(starts_at=CRISIS, train=train)
    world.step(bars)
    return world


def account_of_world() -> UUID:
    account_id = portfolio.default_account_id()
    assert account_id is not None
    return account_id


def wall() -> datetime:
    """Halts and limits are told from decisions by the clock of the wall."""
    return datetime.now(UTC)


def entry() -> Decision:
    """The first decision that opened a position."""
    return Decision.objects.filter(outcome="TRADE", position_before=0).order_by("id")[0]


def fill_of(decision: Decision) -> Fill:
    """The fill of the decision's order."""
    assert decision.order_id is not None
    return Fill.objects.get(order_id=decision.order_id)


def tamper(sql: str, values: list[Any]) -> None:
    """Change rows as nobody may: with every trigger off."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            cursor.execute(sql, values)
            assert cursor.rowcount == 1, cursor.rowcount
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
