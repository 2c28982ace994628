"""Pytest plugin: with `-n auto`, as `make test` runs it, the files of tests are spread over the cores.

A file runs on one worker, in its own order, because its tests share what is dear to set up; the pages share a site, so they count as one file.
The whole system runs first, beside tests that only wait for the database, and what is short comes last, so that the workers end together.
"""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

MOST_WORKERS = 4
"""The longest file takes about a fifth of one core's time for everything; more workers would wait for it."""
_FIRST = "tests/prove/"
_ONE_SITE = "tests/e2e/"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Hands whole files to workers, as they become free."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return _ONE_SITE if nodeid.startswith(_ONE_SITE) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker for each core; on a single core none, then the tests run in the process itself."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS) if cores > 1 else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


@pytest.hookimpl
def pytest_make_parametrize_id(val: object) -> str | None:
    """Workers must agree on the names of tests, so an id that each of them made up is not part of one."""
    return _UUID.sub("an-id", val) if isinstance(val, str) and _UUID.search(val) else None
