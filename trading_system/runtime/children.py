"""Starting programs as children that do not outlive us."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Output = int | IO[bytes]


@dataclass(frozen=True)
class Account:
    """An operating-system user that a program runs as."""

    name: str
    uid: int
    gid: int


def account_named(name: str) -> Account | None:
    """The user of that name, if this machine has one."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    output: Output = subprocess.DEVNULL,
    errors: Output = subprocess.STDOUT,
    account: Account | None = None,
    niceness: int = 0,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, standard output to `output`, errors there too unless `errors` says otherwise.

    Where the kernel can (Linux), it gets `death_signal` when we die, however we die. Call from the main thread only: the kernel
    watches the thread that started the child.
    """
    return subprocess.Popen(
        list(command),
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
        preexec_fn=_prepare(os.getpid(), death_signal, niceness),  # noqa: PLW1509 - does three system calls, takes no lock
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def run_as(command: Sequence[str], *, account: Account | None, directory: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a short program to its end as `account`; returns its exit code and what it said."""
    finished = subprocess.run(
        list(command),
        check=False,
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=120,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    return finished.returncode, finished.stdout


def wait_until(condition: Callable[[], bool], *, seconds: float, step: float = 0.05) -> bool:
    """Poll `condition` until it holds; False when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True


def _prepare(parent: int, death_signal: signal.Signals, niceness: int) -> Callable[[], None]:
    def prepare() -> None:
        if niceness:
            os.nice(niceness)
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:
                os._exit(1)

    return prepare
