"""Shared by all tests."""

from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

_TRUNCATE_TRIGGERS = """
    SELECT trigger.tgrelid::regclass::text, trigger.tgname FROM pg_trigger trigger
    WHERE NOT trigger.tgisinternal AND trigger.tgtype & 32 <> 0
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Transactional tests empty their tables by TRUNCATE, which append-only tables refuse: in the test database they do not."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(_TRUNCATE_TRIGGERS)
        for table, trigger in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{trigger}"')
