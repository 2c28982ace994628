"""Work in processes beside the proof: programs whose output counts, tests whose counts count, commands on throw-away servers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from tests.prove.registry import Measured
from tests.system import ROOT, clean_environment
from trading_system.runtime.throwaway import start_throwaway_servers

COMPILED = {"TRADING_COMPILE_KERNELS": "1"}


@dataclass(frozen=True)
class Said:
    """How a program ended."""

    code: int
    out: str
    err: str
    seconds: float


def run_program(*arguments: str, timeout: float = 3600.0, **environment: str) -> Said:
    """Run Python with these arguments in the project's folder, with no settings but ours."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr, time.perf_counter() - began)


def run_tests(folder: Path, *paths: str) -> Measured:
    """Run tests on servers of their own: passed only when each ran and none failed or was skipped."""
    report = folder / "tests.xml"
    said = run_program("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *paths)
    suites = list(ElementTree.parse(report).getroot().iter("testsuite")) if report.exists() else []
    total, failed, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names) for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    details = tuple(line for line in said.out.splitlines() if line.startswith(("FAILED", "ERROR", "SKIPPED")))[:12]
    if not total:
        details = tuple((said.out + said.err).strip().splitlines()[-5:])
    seeds = tuple(line.strip() for line in said.out.splitlines() if line.startswith("seed "))
    value = f"{total - failed - skipped} of {total} passed"
    return Measured(value, said.code == 0 and total > 0 and failed == skipped == 0, (*details, *seeds))


@cache
def server_environment() -> dict[str, str]:
    """Where throw-away servers with all tables are; started at the first call, stopped when the proofs end. Their data directory has no
    compiled engine in it."""
    before = dict(os.environ)
    start_throwaway_servers(is_durable=True)
    environment = {name: value for name, value in os.environ.items() if before.get(name) != value}
    environment["DJANGO_SETTINGS_MODULE"] = "trading_system.settings.dev"
    migrated = run_program("manage.py", "migrate", "--verbosity", "0", **environment)
    assert migrated.code == 0, migrated.err
    return environment


def manage(*arguments: str, timeout: float = 3600.0, **environment: str) -> Said:
    """A management command on the throw-away servers, as a user gives it."""
    return run_program("manage.py", *arguments, timeout=timeout, **server_environment() | environment)


def on_servers(source: str) -> str:
    """Run some lines in Django's shell on the throw-away servers; the last line that they print."""
    said = manage("shell", "-v", "0", "-c", source)
    assert said.code == 0, said.err[-2000:]
    return said.out.strip().splitlines()[-1]


def write_bars(path: Path, count: int, seed: int) -> Path:
    """The series of the benchmarks as a file such as users have."""
    source = f"from tests.prove.bar_file import write; write({str(path)!r}, {count}, {seed})"
    said = run_program("-c", source)
    assert said.code == 0, said.err[-2000:]
    return path
