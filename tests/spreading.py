"""Pytest plugin: with `-n auto`, as `make test` runs it, the files of tests are spread over the cores.

A file runs on one worker, in its own order, because its tests share what is dear to set up; the pages share a site, so they count as one file.
The whole system runs first, beside tests that only wait for the database, and what is short comes last, so that the workers end together.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

MOST_WORKERS = 4
"""The longest file takes about a fifth of one core's time for everything; more workers would wait for it."""
_FIRST = "tests/prove/"
_ONE_SITE = "tests/e2e/"


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Hands whole files to workers, as they become free.

    It knows a test by its file and its place among all: workers may name one differently, after a value that each has drawn for itself.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False
        self._names: dict[str, str] = {}

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        places = [f"{_file(name)}::{place}" for place, name in enumerate(collection)]
        self._names.update(zip(places, collection, strict=True))
        super().add_node_collection(node, places)

    def remove_node(self, node: Any) -> str | None:
        """The name of the test that the node died in, if it did. That one has failed; only what was to follow it is given to others."""
        for unit in self.assigned_work[node].values():
            for place, is_done in unit.items():
                if not is_done:
                    unit[place] = True
                    super().remove_node(node)
                    return self._names[place]
        return super().remove_node(node)  # type: ignore[no-any-return]

    def _split_scope(self, nodeid: str) -> str:
        return _ONE_SITE if nodeid.startswith(_ONE_SITE) else _file(nodeid)


def _file(name: str) -> str:
    return name.partition("::")[0]


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
