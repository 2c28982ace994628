from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from trading_system.runtime.children import wait_until

START = """
import os, signal, sys
from trading_system.runtime.throwaway import start_throwaway_servers
start_throwaway_servers()
print(os.environ["DB_HOST"], flush=True)
import psutil
print(*[child.pid for child in psutil.Process().children()], flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


def run(environment: dict[str, str], how: str) -> tuple[Path, list[int]]:
    """The servers' folder and the pids of the servers of a process that has ended."""
    finished = subprocess.run([sys.executable, "-c", START, how], env=environment, check=False, capture_output=True, text=True, timeout=90)
    folder, pids = finished.stdout.splitlines()
    return Path(folder).parent, [int(pid) for pid in pids.split()]


def _all_gone(pids: list[int]) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


def test_servers_and_folder_go_with_the_process(plain_environment: dict[str, str]) -> None:
    folder, pids = run(plain_environment, "ended")
    assert len(pids) == 2
    assert _all_gone(pids) and not folder.exists()


def test_the_next_run_sweeps_up_after_a_killed_one(plain_environment: dict[str, str]) -> None:
    folder, pids = run(plain_environment, "killed")
    assert wait_until(lambda: _all_gone(pids), seconds=10)
    assert folder.exists()
    run(plain_environment, "ended")
    assert not folder.exists()
