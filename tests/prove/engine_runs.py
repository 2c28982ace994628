"""The proofs of the engine that make whole runs by the command and by workers: bad input, the same result every time, a killed worker."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from tests.prove.beside import Said, manage, on_servers, run_tests, write_bars
from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop
from tests.system import RunningSystem, wait_until

BARS = 3_000
_SPOILED = 1_000
"""The line of the file that is spoiled."""


@dataclass(frozen=True)
class Spoiled:
    """One kind of bad input: a column of one bar with another value (or the bar swapped with the next), options, and what must be told."""

    kind: str
    told: str
    column: int | None = None
    value: str = ""
    swaps: bool = False
    options: tuple[str, ...] = ()


KINDS = (
    Spoiled("unsorted bars", "opens before the bar that came before it", swaps=True),
    Spoiled("NaN", "not a number", 4, "nan"),
    Spoiled("an empty price", "not a number", 4, ""),
    Spoiled("zero price", "zero or negative", 3, "0"),
    Spoiled("negative price", "zero or negative", 3, "-5.00"),
    Spoiled("high below low", "high is below the low", 2, "0.01"),
    Spoiled("step violation", "no step of 0.01", 2, "99999.999", options=("--tick", "0.01", "--price-scale", "3")),
    Spoiled("overflow-sized notional", "more than SYN/USD can be reckoned with", options=("--capital", "99999999999999999")),
    Spoiled("a word for a price", "A number cannot be read", 4, "abc"),
)
_STATE = """
import json
from apps.backtests.models import BacktestRun, RecordPart
rows = list(BacktestRun.objects.order_by("created_at").values_list("state", "fills_hash", "error"))
half = RecordPart.objects.filter(run__state="FAILED").count() + sum(1 for state, hash_, _ in rows if state == "FAILED" and hash_)
print(json.dumps({"failed": sum(row[0] == "FAILED" and bool(row[2]) for row in rows), "half": half}))
"""


def spoil(path: Path, folder: Path, kind: Spoiled) -> Path:
    """A copy of the file with one bad line."""
    lines = path.read_text().splitlines()
    if kind.swaps:
        lines[_SPOILED], lines[_SPOILED + 1] = lines[_SPOILED + 1], lines[_SPOILED]
    if kind.column is not None:
        cells = lines[_SPOILED].split(",")
        cells[kind.column] = kind.value
        lines[_SPOILED] = ",".join(cells)
    target = folder / f"{kind.kind}.csv"
    target.write_text("\n".join(lines) + "\n")
    return target


def backtest(path: Path, *options: str, **environment: str) -> Said:
    """The command on a file of minute bars."""
    return manage("backtest", "ema_cross", "--file", str(path), "--symbol", "SYN/USD", "--timeframe", "1m", *options, **environment)


@proof(
    cap="engine",
    name="bad-input",
    line="Unsorted bars, NaN, zero price, step violation, overflow, a strategy that raises, an endless loop of orders",
    bound="a clear sentence each, run FAILED, nothing half-written",
)
def bad_input(workshop: Workshop) -> Measured:
    folder = workshop.folder("bad")
    path = write_bars(folder / "good.csv", BARS, secrets.randbits(32))
    before = json.loads(on_servers(_STATE))
    wrong = []
    for kind in KINDS:
        said = backtest(spoil(path, folder, kind), *kind.options)
        sentence = said.err.strip().splitlines()[-1] if said.err.strip() else ""
        if said.code == 0 or kind.told not in sentence or "Traceback" in said.err:
            wrong.append(f"{kind.kind}: {sentence[:200] or said.out[-200:]}")
    after = json.loads(on_servers(_STATE))
    tests = run_tests(folder, "tests/integration/backtests/test_bad_strategies.py", "tests/unit/backtests/test_engine_bounds.py")
    failed, half = after["failed"] - before["failed"], after["half"]
    value = f"{len(KINDS) - len(wrong)} of {len(KINDS)} kinds told, {failed} runs failed, {half} half-written; strategies and bounds {tests.value}"
    return Measured(value, not wrong and failed == len(KINDS) and half == 0 and tests.passed, (*wrong, *tests.details))


@proof(
    cap="engine",
    name="same-hash",
    line="The same inputs again, in another process, compiled and plain, as vector and as event strategy",
    bound="one hash of the fills for each form, another for other bars",
)
def same_hash(workshop: Workshop) -> Measured:
    folder = workshop.folder("same")
    seeds = [secrets.randbits(32) for _ in range(2)]
    paths = [write_bars(folder / f"bars{number}.csv", 20_000, seed) for number, seed in enumerate(seeds)]
    found: dict[str, set[str]] = {}
    for mode in ("vector", "event"):
        for path in paths:
            for compiled in ("later", "later", "0"):
                said = backtest(path, "--plain", "--json", "--mode", mode, TRADING_COMPILE_KERNELS=compiled)
                assert said.code == 0, said.err[-2000:]
                result = json.loads(said.out)
                assert result["records"]["fills"] > 0
                found.setdefault(f"{mode} {path.stem}", set()).add(result["fills_hash"])
    hashes = {item for group in found.values() for item in group}
    is_same = all(len(group) == 1 for group in found.values()) and len(found) == 4
    shown = {name: "/".join(sorted(value[:8] for value in group)) for name, group in found.items()}
    return Measured(f"{len(hashes)} hashes in 12 runs: {shown}", is_same and len(hashes) in (2, 4), (f"seeds {seeds}",))


_ASK = """
from datetime import UTC, datetime
from decimal import Decimal
from apps.backtests import selectors, services
from apps.backtests.contracts import RunConfig, RunMode
from apps.core.vocabulary import Timeframe
from apps.markets import selectors as markets
venue = markets.active_venue()
spec = markets.instrument_by_symbol(venue.id, "SP500")
config = RunConfig(
    strategy="momentum", timeframe=Timeframe.D1, mode=RunMode.SESSION, instrument_ids=(spec.id,), capital=Decimal(100_000),
    end=datetime(2002, 12, 31, tzinfo=UTC),
)
run_id = services.request_run(config, "prove", is_queued={is_queued})
if not {is_queued}:
    services.execute_run(run_id)
print(run_id, selectors.run(run_id).fills_hash)
"""
_RUN = "SELECT {} FROM backtests_backtestrun WHERE id = '{}'"


@proof(
    cap="engine",
    name="crash-resume",
    line="kill -9 of the computing process in the middle of a run, in the running system",
    bound="the run is made again to its end, the same fills, one set of records",
)
def crash_resume(workshop: Workshop) -> Measured:
    with RunningSystem(workshop.folder("crash") / "var") as system:
        system.start()
        wait_until(lambda: system.try_value("SELECT count(*) FROM strategies_decision"), within=180, what="a decision")
        _, expected = _ask(system, is_queued=False)
        run_id, _ = _ask(system, is_queued=True)
        progress = _RUN.format("state = 'RUNNING' AND progress_done > 0", run_id)
        wait_until(lambda: system.try_value(progress), within=300, what="progress", every=0.02)
        system.kill("trainer")
        killed = time.monotonic()
        done_before_kill = system.value(_RUN.format("progress_done", run_id))
        wait_until(lambda: system.try_value(_RUN.format("state IN ('DONE', 'FAILED')", run_id)), within=300, what="the end", every=0.5)
        seconds = time.monotonic() - killed
        state, attempt, found = system.query(_RUN.format("state, attempt, fills_hash", run_id))[0]
        doubled = system.value(f"SELECT count(*) - count(DISTINCT (kind, first_row)) FROM backtests_recordpart WHERE run_id = '{run_id}'")
    value = f"{state} in attempt {attempt}, {seconds:.0f} s after the kill, fills {'the same' if found == expected else 'DIFFERENT'}"
    details = (f"killed at bar {done_before_kill}", f"hash {found}", f"{doubled} records doubled")
    return Measured(value, state == "DONE" and attempt >= 2 and found == expected != "" and doubled == 0, details)


def _ask(system: RunningSystem, *, is_queued: bool) -> tuple[str, str]:
    done = system.manage("shell", "-v", "0", "-c", _ASK.format(is_queued=is_queued))
    assert done.returncode == 0, done.stderr[-2000:]
    run_id, _, fills_hash = done.stdout.strip().splitlines()[-1].partition(" ")
    return run_id, fills_hash.strip()
