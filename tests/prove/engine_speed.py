"""The proofs of the engine that have a bound of time or memory: each job in a fresh process, beside its floor, with nothing else running."""

from __future__ import annotations

import json
import re
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from tests.prove.beside import COMPILED, manage, run_program, server_environment, write_bars
from tests.prove.registry import Measured, proof
from tests.prove.spine_benchmarks import run_benchmark
from tests.prove.workshop import Workshop

COLD_SECONDS = 10.0
LARGEST_MB = 2_000
SPREAD = 1.5


@cache
def lines_of(job: str) -> tuple[dict[str, Any], ...]:
    """What the benchmark of a job measured: once on the pinned series, and on a fresh seed where the job has one."""
    said = run_program("-m", "tests.benchmarks.engine", "one", job, **COMPILED)
    assert said.code == 0, said.err[-2000:]
    return tuple({**line, "passed": line["passed"] in (True, "True")} for line in json.loads(said.out.splitlines()[-1]))


def measured(workshop: Workshop, job: str, name: str) -> Measured:
    """The lines of a job whose name is that; all have to be within their bounds."""
    workshop.quiet()
    lines = [line for line in lines_of(job) if line["job"] == name]
    assert lines, f"{job} has no line {name!r}: {[line['job'] for line in lines_of(job)]}"
    value = " / ".join(f"{line['steady'] * 1000:.2f}" for line in lines) + " ms"
    floors = [line["steady"] / line["floor"] for line in lines if line["floor"]]
    if floors:
        value += ", " + " / ".join(f"{ratio:.1f}" for ratio in floors) + " x floor"
    return Measured(value, all(line["passed"] for line in lines), (_cold(lines), *(line["note"] for line in lines)))


def _cold(lines: list[dict[str, Any]]) -> str:
    return "first run in the process " + " / ".join(f"{line['cold'] * 1000:.1f}" for line in lines) + " ms"


def _bounded(name: str, line: str, bound: str, job: str, benchmark: str) -> None:
    """Register a job of the benchmark as a proof."""

    @proof(cap="engine", name=name, line=line, bound=bound)
    def run(workshop: Workshop) -> Measured:
        return measured(workshop, job, benchmark)


_J1 = "10,049 trades, equity to the cent on the pinned series, as the floor on a fresh one"
_bounded("j1-open", "EMA cross, 1 M bars, all records, fill at the next open", f"<= 8 ms; {_J1}", "j1", "J1 next open")
_bounded("j1-close", "EMA cross, 1 M bars, all records, fill at the close", f"<= 8 ms; {_J1}", "j1", "J1 at close")
_bounded(
    "j2", "400 pairs x 100 k bars, metrics of each", "<= 150 ms, < 500 MB, summed equity as the floor", "j2", "J2 400 pairs x 100 k bars"
)
_bounded("j3-signal", "Brackets, 1 M bars, anchored to the signal's close", "<= 6 ms; 1,135 trades", "j3", "J3 anchored to the signal")
_bounded("j3-fill", "Brackets, 1 M bars, anchored to the fill", "<= 6 ms; 1,138 trades", "j3", "J3 anchored to the fill")
_bounded("j1-event", "EMA cross, 1 M bars, event strategy in Python", "<= 1 s; the same trades", "j1_event", "J1 event strategy in Python")
_bounded("j4-python", "1 M quotes, Python strategy, six checks", ">= 1 M/s; p50 < 15, p99 < 40 us", "j4", "J4 Python strategy, six checks")
_bounded("j4-compiled", "1 M quotes, compiled strategy", ">= 50 M/s; fills of the Python one", "j4", "J4 compiled strategy")


@proof(cap="engine", name="size", line="Ten times the bars", bound="time x 10 +- 10 %; 10 M bars < 2 GB")
def size(workshop: Workshop) -> Measured:
    found = measured(workshop, "size", "Size x 10")
    note = found.details[-1]
    ratio, memory = re.search(r"take ([\d.]+) times", note), re.search(r"; (\d+) MB", note)
    assert ratio is not None and memory is not None, note
    return Measured(
        f"x {ratio.group(1)}, {memory.group(1)} MB with making the series",
        found.passed and int(memory.group(1)) < LARGEST_MB,
        found.details,
    )


@proof(
    cap="engine",
    name="cold-backtest",
    line="`manage.py backtest` on 1 M bars of a file, a fresh process, scored walking forward as always",
    bound="<= 10 s after the command, kernels cached",
)
def cold_backtest(workshop: Workshop, *, count: int = 1_000_000) -> Measured:
    workshop.quiet()
    seed = secrets.randbits(32)
    path = write_bars(workshop.folder("cold") / "minutes.csv", count, seed)
    first, *later = (_backtest(path) for _ in range(4))
    seconds = sorted(taken for taken, _ in later)[1]
    results = {fills_hash for _, fills_hash in (first, *later)}
    value = f"{seconds:.2f} s ({', '.join(f'{taken:.2f}' for taken, _ in later)}); the very first, which compiles: {first[0]:.1f} s"
    return Measured(
        value, seconds <= COLD_SECONDS and len(results) == 1, (f"seed {seed}, {count:,} bars, {len(results)} hash of the fills",)
    )


def _backtest(path: Path) -> tuple[float, str]:
    server_environment()
    said = manage("backtest", "ema_cross", "--file", str(path), "--symbol", "SYN/USD", "--timeframe", "1m", "--json")
    assert said.code == 0, said.err[-2000:]
    return said.seconds, str(json.loads(said.out)["fills_hash"])


@proof(
    cap="engine",
    name="sweeps",
    line="A sweep of an event strategy by one Celery worker and by two, on two cores",
    bound=">= 1.5 times as fast",
)
def sweeps(workshop: Workshop) -> Measured:
    workshop.quiet()
    text = run_benchmark("sweeps")
    ratio = float(found.group(1)) if (found := re.search(r"two over one: ([\d.]+)", text)) else 0.0
    return Measured(f"x {ratio:.2f}", ratio >= SPREAD, tuple(text.strip().splitlines()[-6:]))
