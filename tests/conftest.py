"""Shared by all tests."""

from __future__ import annotations

import pytest
from pytest_django import DjangoDbBlocker

from tests.emptying import remember_what_migrations_left
from tests.outside import CASES


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, which every test leaves as the migrations have made it."""
    with django_db_blocker.unblock():
        remember_what_migrations_left()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that has the outside judges beside it and skips a test has failed: there is nothing left to skip for."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and CASES.is_dir() and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line("\nSkipped tests fail this run, because the outside judges are there.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
