"""The transport of a replay, used over the REST interface on the running system."""

from __future__ import annotations

import time

from tests.invariants import check_books, resume, settle
from tests.prove.registry import Measured, proof
from tests.prove.spine import DECISIONS
from tests.prove.workshop import Workshop
from tests.system import wait_until


@proof(
    cap="spine",
    name="transport",
    line="Transport by the API: pause, step, speed, jump to September 2008, then back",
    bound="each does what it says; after a jump it goes on; back opens a fresh account and keeps the old",
)
def transport(workshop: Workshop) -> Measured:
    system = workshop.system
    venue = system.value("SELECT venue_id::text FROM markets_venueclock WHERE status <> 'ARCHIVED'")

    def done() -> int:
        return int(system.value("SELECT bars_done FROM markets_venueclock WHERE venue_id = %s", [venue]))

    results = {}
    system.command_clock(venue, {"action": "pause"})
    settle(system)
    paused = done()
    time.sleep(2.5)
    results["paused stands still"] = done() == paused
    system.command_clock(venue, {"action": "step", "steps": 3})
    wait_until(lambda: done() == paused + 3, within=20, what="three steps")
    time.sleep(1.5)
    results["three steps are three bars"] = done() == paused + 3
    system.command_clock(venue, {"action": "resume"})
    before, began = done(), time.monotonic()
    system.command_clock(venue, {"action": "jump", "jump_to": "2008-09-15T00:00:00Z"})
    wait_until(
        lambda: system.value("SELECT jump_to IS NULL FROM markets_venueclock WHERE venue_id = %s", [venue]), within=600, what="the jump"
    )
    rate = (done() - before) / (time.monotonic() - began)
    arrived = done()
    wait_until(lambda: done() > arrived + 2, within=15, what="bars after the jump")
    results["arrived in September 2008"] = (
        str(system.value("SELECT now_at FROM markets_venueclock WHERE venue_id = %s", [venue])) >= "2008-09-15"
    )
    settle(system)
    results["books exact"] = all(item.holds for item in check_books(system))
    resume(system)
    decisions = system.value(DECISIONS)
    system.command_clock(venue, {"action": "jump", "jump_to": "2005-06-01T00:00:00Z"})
    wait_until(lambda: system.try_value("SELECT count(*) FROM portfolio_account") == 2, within=60, what="a fresh account")
    wait_until(lambda: (system.try_value(DECISIONS) or 0) > decisions + 7, within=90, what="decisions of the fresh run")
    results["old account kept"] = system.value("SELECT count(*) FROM portfolio_account WHERE closed_at IS NOT NULL") == 1
    results["old decisions kept"] = system.value(DECISIONS) > decisions
    wrong = [name for name, holds in results.items() if not holds]
    return Measured(f"{len(results) - len(wrong)} of {len(results)} as said; jump at {rate:.0f} bars/s", not wrong, tuple(wrong))
