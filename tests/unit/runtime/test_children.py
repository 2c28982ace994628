from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from trading_system.runtime.children import run_as, spawn, wait_until

PARENT = """
import pathlib, signal, sys, time
from trading_system.runtime.children import spawn
child = spawn([sys.executable, "-c", "import time; time.sleep(600)"], environment={}, directory=pathlib.Path("/"))
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_child_dies_with_its_parent_however_that_dies() -> None:
    """Where the kernel offers it (Linux); elsewhere the next start ends what was left behind."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    has_died = wait_until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE, seconds=5)
    if not has_died:
        os.kill(child, signal.SIGKILL)
    assert has_died == (sys.platform == "linux")


def test_a_child_has_its_own_session_and_niceness(tmp_path: Path) -> None:
    child = spawn(["sleep", "60"], environment={"PATH": os.environ["PATH"]}, directory=tmp_path, niceness=7)
    try:
        assert wait_until(lambda: psutil.Process(child.pid).name() == "sleep", seconds=5)
        assert os.getsid(child.pid) == child.pid
        assert psutil.Process(child.pid).nice() == psutil.Process().nice() + 7
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def test_run_as_tells_what_a_program_said() -> None:
    code, said = run_as(
        ["sh", "-c", "echo out; echo err >&2; exit 3"], account=None, directory=Path("/"), environment={"PATH": os.environ["PATH"]}
    )
    assert (code, sorted(said.split())) == (3, ["err", "out"])
