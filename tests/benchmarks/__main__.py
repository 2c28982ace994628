"""`make bench`: every benchmark in a process of its own, on throw-away servers; `python -m tests.benchmarks candles bus` runs some."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from trading_system.runtime.throwaway import start_throwaway_servers

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS: dict[str, list[list[str]]] = {}
COMPILED = {"TRADING_COMPILE_KERNELS": "1"}


def main(wanted: list[str]) -> int:
    """Run them one after another; 1 when any ended badly."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    unknown = set(wanted) - set(names)
    if unknown:
        print(f"There is no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names)}.")
        return 2
    start_throwaway_servers(is_durable=True)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "trading_system.settings.dev"}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
    codes = [_run(name, arguments, environment) for name in wanted or names for arguments in ARGUMENTS.get(name, [[]])]
    return 1 if any(codes) else 0


def _run(name: str, arguments: list[str], environment: dict[str, str]) -> int:
    print(f"\n== {name} {' '.join(arguments)}".rstrip(), flush=True)
    compiled = COMPILED if "kernel" in arguments else {}
    return subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments], cwd=ROOT, env=environment | compiled, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
