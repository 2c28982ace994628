"""Shared by all tests."""

from __future__ import annotations

import pytest
from pytest_django import DjangoDbBlocker

from tests.emptying import remember_what_migrations_left


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, which every test leaves as the migrations have made it."""
    with django_db_blocker.unblock():
        remember_what_migrations_left()
