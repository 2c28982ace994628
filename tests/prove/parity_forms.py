"""A strategy as arrays and as events, in paper by separate processes that are killed now and then, against the plain runs of the same minutes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.invariants import check_books, check_commands, settle
from tests.minute_series import FIRST_OPEN, MINUTE, Minutes, walk
from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop
from tests.system import RunningSystem, wait_until

BARS = 4_000
PLAYED_FROM = 500
"""Minutes before it are history: the sessions start there."""
KINDS = ("ema_cross", "vector:ema_cross")
VICTIMS = ("sessions", "executor", "sessions", "streams", "postgres", "sessions", "events", "redis")
_PARAMETERS = {
    "fast_bars": 5, "slow_bars": 13, "quantity": 4.0, "stop_loss_percent": 0.25, "take_profit_percent": 0.5, "trailing_stop_percent": 0.4,
}  # fmt: skip
_DONE = "SELECT k.bars_done FROM markets_venueclock k WHERE k.status <> 'ARCHIVED'"
_STATUS = "SELECT k.status FROM markets_venueclock k WHERE k.status <> 'ARCHIVED'"
_OPEN = """
from tests.prove.forms_world import open_forms_world
open_forms_world({path!r}, played_from={played_from}, parameters={parameters!r})
"""
_COMPARE = """
import json
from tests.prove.forms_world import compare_forms
print("RESULT " + json.dumps(compare_forms({parameters!r})))
"""


@proof(
    cap="engine",
    name="parity_forms",
    line="EMA cross with stop, target and trailing stop on minutes, as arrays and as events, processes killed: vector = event = paper",
    bound="0 differences to the unit in both forms over thousands of bars, orders in parts included; books exact",
)
def parity_forms(workshop: Workshop, *, bars: int = BARS, kills: int = 8, seed: int = 20260103) -> Measured:
    folder = workshop.folder("forms")
    path = write_minutes(folder / "minutes.csv", walk(bars, seed=seed))
    with RunningSystem(folder / "var") as system:
        began = time.monotonic()
        open_world(system, path)
        killed = play(system, bars=bars, kills=kills)
        seconds = time.monotonic() - began
        findings = [*check_books(system), *check_commands(system)]
        compared = compare(system)
    wrong = [f"{item.name}: {item.value}" for item in findings if not item.holds]
    return judged(compared, wrong, details=(f"{bars - PLAYED_FROM} bars in {seconds:.0f} s, {len(killed)} kills: {', '.join(killed)}",))


def judged(compared: dict[str, dict[str, Any]], wrong: list[str], *, details: tuple[str, ...]) -> Measured:
    """The forms agree where paper has the fills of both plain runs, and the twin repeats all of it."""
    said = [
        f"{kind}: {item['paper']} fills of {item['orders']} orders, {item['in_parts']} in parts,"
        f" {item['differences']} + {item['twin']} differences"
        for kind, item in compared.items()
    ]
    is_same = all(item["differences"] + item["twin"] == 0 < item["paper"] and item["in_parts"] > 0 for item in compared.values())
    shown = [line for item in compared.values() for line in item["shown"]]
    is_whole = is_same and len(compared) == len(KINDS) and not wrong
    return Measured(f"{'; '.join(said)}; {len(wrong)} wrong", is_whole, (*details, *wrong, *shown))


def write_minutes(path: Path, minutes: Minutes) -> Path:
    """The minutes as a file that the system imports."""
    opened = FIRST_OPEN + np.arange(len(minutes), dtype=np.int64) * MINUTE
    prices = np.stack([minutes.open, minutes.high, minutes.low, minutes.close], axis=1)
    lines = [
        f"{at // 1_000_000},{','.join(f'{units // 10}.{units % 10}' for units in row)},{volume / 1000:.3f}"
        for at, row, volume in zip(opened.tolist(), prices.tolist(), minutes.volume.tolist(), strict=True)
    ]
    path.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    return path


def open_world(system: RunningSystem, path: Path) -> None:
    """Start the system, and in it a replay of the minutes with a session of each form, in a hurry to the end."""
    system.start()
    wait_until(lambda: system.status_of("/healthz") == 200, within=180, what="the web server")
    system.log_in()
    done = system.manage("shell", "-c", _OPEN.format(path=str(path), played_from=PLAYED_FROM, parameters=_PARAMETERS))
    assert done.returncode == 0, done.stderr
    venue = system.value("SELECT venue_id::text FROM markets_venueclock WHERE status <> 'ARCHIVED'")
    wait_until(lambda: system.value(_STATUS) == "RUNNING", within=300, what="the clock")
    ends_at = system.value("SELECT ends_at FROM markets_venueclock WHERE status <> 'ARCHIVED'")
    system.command_clock(venue, {"action": "jump", "jump_to": ends_at.isoformat()})


def play(system: RunningSystem, *, bars: int, kills: int) -> list[str]:
    """Wait for the end, killing processes on the way at even distances of bars; returns the names of the killed."""
    total, killed = bars - PLAYED_FROM, list[str]()
    while (system.try_value(_STATUS) or "") != "ENDED" and (system.try_value(_DONE) or 0) < total - 2:
        done = system.try_value(_DONE) or 0
        if len(killed) < kills and done >= (len(killed) + 1) * total / (kills + 1):
            name = VICTIMS[len(killed) % len(VICTIMS)]
            try:
                system.kill(name)
            except LookupError:
                continue
            killed.append(name)
        time.sleep(0.25)
    settle(system, within=120)
    return killed


def compare(system: RunningSystem) -> dict[str, dict[str, Any]]:
    """Paper's rows against the plain runs, in a process beside the quiet system."""
    done = system.manage("shell", "-c", _COMPARE.format(parameters=_PARAMETERS), timeout=1800)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stdout[-2000:] + done.stderr[-2000:]
    found: dict[str, dict[str, Any]] = json.loads(lines[0].removeprefix("RESULT "))
    return found


def main() -> None:
    """The proof by itself, on a system in a folder of its own."""
    with Workshop() as workshop:
        print(parity_forms(workshop))


if __name__ == "__main__":
    main()
