"""`python -m tests.benchmarks [NAME ...]`: run the benchmarks (all without a name) on throw-away servers with durable writes, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from trading_system.runtime.throwaway import start_throwaway_servers

NAMES = ("bus", "candles", "matching", "forecasts")


def main() -> int:
    wanted = sys.argv[1:] or list(NAMES)
    unknown = sorted(set(wanted) - set(NAMES))
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(NAMES)}.")
        return 2
    start_throwaway_servers(is_durable=True)
    failed = 0
    for name in wanted:
        print(f"== {name}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], cwd=Path(__file__).parents[2], check=False).returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
