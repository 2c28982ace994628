"""Runs the executor of one account in a forked child, so that a failpoint can end a whole process without ending the test."""

from __future__ import annotations

import os
import time
import traceback
from uuid import UUID

from django.db import connections

from apps.common.failpoints import arm_failpoints
from apps.core.ports import port
from apps.orders.ports import AccountDirectory
from apps.orders.selectors import unsent_intents
from apps.orders.services.executing import AccountExecutor, enforce_halts
from apps.orders.services.ownership import Ownership

SETTLE_SECONDS = 20.0


def run_executor_in_child(account_id: UUID, *, failpoints: str = "") -> int:
    """Let a fresh executor process work until there is nothing left to do, or until a failpoint ends it. Returns its exit status."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            arm_failpoints(failpoints)
            _work_until_settled(account_id)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _work_until_settled(account_id: UUID) -> None:
    account = port(AccountDirectory).account(account_id)
    ownership = Ownership.take(account_id)
    assert ownership is not None, "the lease of the dead process was not released"
    executor = AccountExecutor(account, ownership)
    deadline = time.monotonic() + SETTLE_SECONDS
    while executor.step() or enforce_halts() or unsent_intents(account.venue_id):
        assert time.monotonic() < deadline, "the executor does not settle"
        time.sleep(0.02)
    ownership.give_back()
    connections.close_all()
