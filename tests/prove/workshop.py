"""Where proofs are made: a fresh clone in an empty folder, started with the README's command, kept between the proofs that share it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.system import ROOT, RunningSystem, clean_environment, wait_until

FIRST_FILL = "SELECT count(*) FROM orders_fill"
NEWEST_DECISION = "SELECT id::text FROM strategies_decision ORDER BY id DESC LIMIT 1"


@dataclass
class StartTimes:
    """Seconds after the command."""

    page: float
    decision_page: float
    filled_order: float


class Workshop:
    """Makes the clone once, starts it once, and cleans up at the end."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="proof of the spine "))
        self._folder.chmod(0o711)
        self._system: RunningSystem | None = None
        self.start_times: StartTimes | None = None
        self.peak_memory: dict[str, int] = {}

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._system is not None:
            self._system.__exit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def system(self) -> RunningSystem:
        """The running system of the fresh clone; started at the first use, with its start timed."""
        if self._system is None:
            self._system = self._start_fresh_clone()
        return self._system

    def quiet(self) -> None:
        """Stop the running system, so that a measurement has the machine to itself."""
        if self._system is not None:
            self._system.__exit__(None, None, None)
            self._system = None

    def fresh_clone(self, name: str) -> Path:
        """A clone of HEAD in an empty folder (whose path has spaces), environment made by `make setup`."""
        target = self._folder / name
        subprocess.run(["git", "clone", "-q", str(ROOT), str(target)], check=True)
        subprocess.run(["make", "setup"], cwd=target, env=clean_environment(), check=True, capture_output=True, timeout=600)
        return target

    def folder(self, name: str) -> Path:
        path = self._folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _start_fresh_clone(self) -> RunningSystem:
        checkout = self.fresh_clone("a clone")
        system = RunningSystem(checkout / "var", checkout=checkout, python=checkout / ".venv" / "bin" / "python", use_make=True)
        self._system = system
        system.start()
        wait_until(lambda: system.status_of("/healthz") == 200, within=120, what="the web server")
        page = system.seconds
        system.log_in()
        wait_until(lambda: self._decision_page_opens(system), within=180, what="a decision page")
        decision_page = system.seconds
        wait_until(lambda: system.try_value(FIRST_FILL), within=300, what="a filled order")
        self.start_times = StartTimes(page, decision_page, system.seconds)
        return system

    @staticmethod
    def _decision_page_opens(system: RunningSystem) -> bool:
        newest = system.try_value(NEWEST_DECISION) if (system.data_dir / "run" / "servers.env").exists() else None
        return bool(newest) and system.status_of(f"/decisions/{newest}/") == 200
