"""Make or refresh .venv: `python3 trading_system/deploy/setup_environment.py run|dev`. Standard library only; says one sentence when it cannot.

`dev` holds everything that `run` holds and more, so a .venv that was set up for tests stays complete when the system is started from it.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the sentence is for people who start this with an older Python
    sys.exit(
        "Python 3.11 or newer is needed, this is %d.%d. Install it, or name another one: make run PYTHON=python3.12" % sys.version_info[:2]  # noqa: UP031
    )

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
REQUIREMENTS = ROOT / "requirements"
LOCKS = {"run": ("base.txt",), "dev": ("base.txt", "dev.txt")}


def main(wanted: str) -> None:
    """Leave a .venv that holds at least what `wanted` needs, exactly as locked."""
    current = _stamp()
    if not _works():
        _create()
        current = {}
    kind = "dev" if current.get("kind") == "dev" else wanted
    if current != _expected(kind):
        _install(kind)
        _make_importable()
        STAMP.write_text(json.dumps(_expected(kind)))


def _expected(kind: str) -> dict[str, str]:
    digest = hashlib.sha256()
    for name in LOCKS[kind]:
        digest.update((REQUIREMENTS / name).read_bytes())
    return {"kind": kind, "locks": digest.hexdigest(), "root": str(ROOT)}


def _stamp() -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp


def _python() -> str:
    return str(VENV / "bin" / "python")


def _works() -> bool:
    """Whether .venv has a Python that starts and is new enough (it may have been moved or its Python removed)."""
    try:
        check = subprocess.run([_python(), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False, capture_output=True)
    except OSError:
        return False
    return check.returncode == 0


def _create() -> None:
    if VENV.exists():
        shutil.rmtree(VENV)
    _say("Creating .venv")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False, capture_output=True, text=True)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            "This Python cannot create environments (on Debian and Ubuntu: apt-get install python3-venv).\n" + made.stdout + made.stderr
        )


def _install(kind: str) -> None:
    """uv from its hash-locked wheel, then exactly what the lock says."""
    lock = REQUIREMENTS / LOCKS[kind][-1]
    _say(f"Installing {lock.name}")
    _run(
        [
            _python(),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            str(REQUIREMENTS / "bootstrap.txt"),
        ],
        "uv could not be installed; is a package registry reachable?",
    )
    environment = {"UV_NO_PROGRESS": "1", "VIRTUAL_ENV": str(VENV)}
    uv = [_python(), "-m", "uv", "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", _python(), str(lock)]
    _run(uv, "The packages could not be installed; is a package registry reachable?", environment)


def _make_importable() -> None:
    """Let every program in .venv import the project from any working directory."""
    for packages in (VENV / "lib").glob("python*/site-packages"):
        (packages / "trading_system.pth").write_text(f"{ROOT}\n")


def _run(command: list[str], failure: str, environment: dict[str, str] | None = None) -> None:
    finished = subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, **(environment or {})})
    if finished.returncode != 0:
        sys.exit(failure)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
