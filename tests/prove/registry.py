"""What a proof is, and the table that `make prove` prints.

A proof stands for one line of what the system must show. It measures something and says whether that is within its bound; it never decides
that it need not run. A proof that raises counts as FAIL with the error as its value.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Measured:
    """What a proof found."""

    value: str
    passed: bool
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proof:
    cap: str
    name: str
    line: str
    bound: str
    run: Callable[[Any], Measured] | None


@dataclass
class Row:
    proof: Proof
    value: str
    verdict: str
    seconds: float
    details: tuple[str, ...] = field(default_factory=tuple)


_proofs: list[Proof] = []


def proof(*, cap: str, name: str, line: str, bound: str) -> Callable[[Callable[[Any], Measured]], Callable[[Any], Measured]]:
    """Register a check. They run in the order in which they are declared."""

    def register(function: Callable[[Any], Measured]) -> Callable[[Any], Measured]:
        _proofs.append(Proof(cap, name, line, bound, function))
        return function

    return register


def not_done(*, cap: str, name: str, line: str, bound: str) -> None:
    """A line that has no check yet: it stands in the table as NOT DONE."""
    _proofs.append(Proof(cap, name, line, bound, None))


def proofs(cap: str | None = None) -> list[Proof]:
    return [item for item in _proofs if cap in (None, item.cap)]


def run_proofs(items: list[Proof], workshop: Any) -> list[Row]:
    """Run them one after the other, printing each row as it is known."""
    rows = []
    for item in items:
        if item.run is None:
            row = Row(item, "-", "NOT DONE", 0.0)
        else:
            started = time.perf_counter()
            try:
                measured = item.run(workshop)
                row = Row(item, measured.value, "PASS" if measured.passed else "FAIL", 0.0, measured.details)
            except Exception as error:
                row = Row(item, f"{type(error).__name__}: {error}"[:160], "FAIL", 0.0, tuple(traceback.format_exc().splitlines()[-6:]))
            row.seconds = time.perf_counter() - started
        rows.append(row)
        print(format_row(row), flush=True)
        for detail in row.details:
            print(f"        {detail}", flush=True)
    return rows


def format_row(row: Row) -> str:
    return f"{row.verdict:<8} {row.proof.cap}/{row.proof.name:<24} {row.value:<58} bound: {row.proof.bound}  [{row.seconds:.0f} s]"


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| check | what it shows | value | bound | |", "|---|---|---|---|---|"]
    lines += [f"| {row.proof.name} | {row.proof.line} | {row.value} | {row.proof.bound} | {row.verdict} |" for row in rows]
    return "\n".join(lines)
