"""Paper trading by separate processes, killed now and then, against the backtest of the same bars."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass

from tests.invariants import check_books, check_commands, settle
from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop
from tests.system import RunningSystem, wait_until

FIRST, LAST = "1999-01-04", "2018-12-31"
SYMBOLS = ("SP500", "NASDAQ")
VICTIMS = ("executor", "sessions", "streams", "postgres", "trainer", "events", "redis", "worker")
"""Killed one after the other, evenly over the whole replay."""
_NOW = "SELECT k.now_at::date::text FROM markets_venueclock k WHERE k.status <> 'ARCHIVED'"
_DONE = "SELECT k.bars_done FROM markets_venueclock k WHERE k.status <> 'ARCHIVED'"
_SUMMARY = re.compile(r"(\d+) decisions, (\d+) fills, (\d+) values of equity repeated in ([\d.]+) s: (\d+) differences")
_OPEN = """
from datetime import datetime
from decimal import Decimal
from apps.strategies import services
from apps.strategies.domain.catalog import session_kinds
plans = [
    services.SessionPlan(services.ensure_strategy(name=f"Parity {{kind}}", kind=kind), symbol, Decimal(12000), Decimal("0.02"))
    for kind in session_kinds() for symbol in {symbols}
]
services.open_replay_world(starts_at=datetime.fromisoformat("{first}T00:00:00+00:00"), reason="parity", actor="prove", plans=plans)
print(len(plans), "sessions")
"""


@dataclass(frozen=True)
class Repeated:
    """What the command said: how much was repeated, how long it took, how many differences, and the first of them."""

    decisions: int
    fills: int
    values: int
    seconds: float
    differences: int
    shown: tuple[str, ...]


@proof(
    cap="engine",
    name="parity",
    line="Paper on replay, S&P 500 and NASDAQ 1999-2018, every built-in strategy, processes killed: the backtest does the same",
    bound="0 differences to the unit, with recorded forecasts and with models trained anew; books exact",
)
def parity(workshop: Workshop, *, until: str = LAST, kills: int = 16) -> Measured:
    with RunningSystem(workshop.folder("parity")) as system:
        began = time.monotonic()
        open_world(system, until=until)
        killed = play(system, until=until, kills=kills)
        bars, seconds = int(system.value(_DONE)), time.monotonic() - began
        findings = [*check_books(system), *check_commands(system)]
        recorded, retrained = repeat(system), repeat(system, "--retrain")
    wrong = [f"{item.name}: {item.value}" for item in findings if not item.holds]
    value = (
        f"{recorded.decisions} decisions, {recorded.fills} fills, {recorded.values} values:"
        f" {recorded.differences} and {retrained.differences} differences; {len(wrong)} wrong"
    )
    details = (
        f"{bars} bars in {seconds:.0f} s ({bars / seconds:.1f}/s), {len(killed)} kills: {', '.join(killed)}",
        f"repeated in {recorded.seconds:.1f} s, with training in {retrained.seconds:.1f} s",
        *wrong,
        *recorded.shown,
        *retrained.shown,
    )
    return Measured(value, recorded.differences == retrained.differences == 0 < recorded.fills and not wrong, details)


def open_world(system: RunningSystem, *, until: str) -> None:
    """Start the system, and in it a replay from the first bar with a session of every strategy on every symbol, in a hurry until a date."""
    system.start()
    wait_until(lambda: system.status_of("/healthz") == 200, within=180, what="the web server")
    system.log_in()
    done = system.manage("shell", "-c", _OPEN.format(symbols=SYMBOLS, first=FIRST))
    assert done.returncode == 0, done.stderr
    venue = "SELECT venue_id::text FROM markets_venueclock WHERE status <> 'ARCHIVED'"
    wait_until(
        lambda: system.value("SELECT status FROM markets_venueclock WHERE status <> 'ARCHIVED'") == "RUNNING",
        within=300,
        what="the first models",
    )
    system.command_clock(system.value(venue), {"action": "jump", "jump_to": f"{until}T23:59:59Z"})


def play(system: RunningSystem, *, until: str, kills: int) -> list[str]:
    """Wait for the date, killing processes on the way at even distances of bars; returns the names of the killed."""
    total = 5031 if until == LAST else max(1, _bars_until(until))
    killed: list[str] = []
    while (system.try_value(_NOW) or "") < until:
        done = system.try_value(_DONE) or 0
        if len(killed) < kills and done >= (len(killed) + 1) * total / (kills + 1):
            name = VICTIMS[len(killed) % len(VICTIMS)]
            with suppress(LookupError):
                system.kill(name)
                killed.append(name)
        time.sleep(0.25)
    settle(system, within=120)
    return killed


def _bars_until(until: str) -> int:
    """Trading days from the first bar, roughly."""
    years = int(until[:4]) - int(FIRST[:4]) + (int(until[5:7]) - 1) / 12
    return int(years * 252)


def repeat(system: RunningSystem, *arguments: str) -> Repeated:
    """Run the command beside the quiet system."""
    done = system.manage("repeat_paper", *arguments, timeout=1800)
    found = _SUMMARY.search(done.stdout)
    assert found is not None, json.dumps([done.stdout[-2000:], done.stderr[-2000:]])
    decisions, fills, points, seconds, differences = found.groups()
    shown = tuple(line[:200] for line in done.stdout.splitlines()[:-1])
    return Repeated(int(decisions), int(fills), int(points), float(seconds), int(differences), shown)


def main() -> None:
    """The proof by itself, on a system in a folder of its own."""
    with Workshop() as workshop:
        print(parity(workshop))


if __name__ == "__main__":
    main()
