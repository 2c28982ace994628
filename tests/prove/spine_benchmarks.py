"""Figures with a bound: the bus and the candle store, measured by their benchmark scripts."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop
from tests.system import ROOT, clean_environment

EVENTS_PER_SECOND = 50_000
P50_MS = 0.5
ROWS_PER_SECOND = 300_000
READ_SECONDS = 0.5


def run_benchmark(name: str) -> str:
    """What the benchmark printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", name],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    return done.stdout + done.stderr


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise AssertionError(f"{pattern!r} is not in: {text[-400:]}")
    return float(found.group(1).replace(",", ""))


@proof(
    cap="spine",
    name="bus",
    line="Typed events through publish, consume, acknowledge; publish to handler",
    bound=">= 50,000/s; p50 < 0.5 ms at 1,000/s",
)
def bus(workshop: Workshop) -> Measured:
    workshop.quiet()
    text = run_benchmark("bus")
    rate = _number(r"median of \d+: raw [\d,]+ events/s, bus ([\d,]+)", text)
    raw = _number(r"median of \d+: raw ([\d,]+)", text)
    p50 = _number(r"median p50 at [\d,]+/s: raw [\d.]+ ms, bus ([\d.]+)", text)
    passed = rate >= EVENTS_PER_SECOND and p50 < P50_MS
    return Measured(f"{rate:,.0f}/s ({rate / raw:.2f} of raw Redis), p50 {p50:.3f} ms", passed, tuple(text.strip().splitlines()[-4:]))


@proof(
    cap="spine", name="candles", line="Candles in with conflicts resolved; 1 M candles out into numpy", bound=">= 300,000 rows/s; <= 0.5 s"
)
def candles(workshop: Workshop) -> Measured:
    workshop.quiet()
    text = run_benchmark("candles")
    new = _number(r"write: new candles\s+[\d.]+ s\s+([\d,]+) rows/s", text)
    corrected = _number(r"write: one in a hundred corrected\s+[\d.]+ s\s+([\d,]+) rows/s", text)
    read = _number(r"read: all candles\s+([\d.]+) s", text)
    passed = min(new, corrected) >= ROWS_PER_SECOND and read <= READ_SECONDS
    return Measured(f"new {new:,.0f}, corrected {corrected:,.0f} rows/s; read {read:.3f} s", passed, tuple(text.strip().splitlines()))
