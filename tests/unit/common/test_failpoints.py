"""Failpoints are nothing unless armed, and act on the hit that counts."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from apps.common.failpoints import EXIT_CODE, InjectedFault, arm_failpoints, failpoint


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm_failpoints("")


def test_nothing_happens_unless_the_name_is_armed() -> None:
    failpoint("a")
    arm_failpoints("b=raise")
    failpoint("a")
    with pytest.raises(InjectedFault, match="Failpoint b"):
        failpoint("b")


def test_the_hit_that_counts_raises_and_no_other() -> None:
    arm_failpoints("a:3=raise, b=raise")
    failpoint("a")
    failpoint("a")
    with pytest.raises(InjectedFault, match="Failpoint a"):
        failpoint("a")
    failpoint("a")
    with pytest.raises(InjectedFault, match="Failpoint b"):
        failpoint("b")


def test_by_default_the_process_ends_at_once() -> None:
    child = os.fork()
    if child == 0:
        try:
            arm_failpoints("a")
            failpoint("a")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == EXIT_CODE
