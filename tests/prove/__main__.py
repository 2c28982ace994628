"""`python -m tests.prove [--cap spine] [--only NAME ...]`: run the proofs and print the table."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from tests.prove.registry import proofs, run_proofs, table
from tests.prove.workshop import Workshop

MODULES = (
    "spine", "spine_pages", "spine_log", "spine_refusals", "spine_transport",
    "engine", "engine_runs", "parity", "parity_forms",
    "spine_benchmarks", "engine_speed",
)  # fmt: skip
"""In the order in which their proofs run: the benchmarks last, when nothing else runs."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the proofs and print each with value, bound and verdict.")
    parser.add_argument("--cap", default=None, help="only the proofs of one capability, such as spine")
    parser.add_argument("--only", nargs="*", default=None, help="only the proofs with these names")
    options = parser.parse_args()
    for name in MODULES:
        import_module(f"tests.prove.{name}")
    chosen = [item for item in proofs(options.cap) if options.only is None or item.name in options.only]
    if not chosen:
        print("No proof fits; known: " + ", ".join(item.name for item in proofs()))
        return 2
    with Workshop() as workshop:
        rows = run_proofs(chosen, workshop)
    print()
    print(table(rows))
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in ("PASS", "FAIL", "NOT DONE")}
    print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return 0 if counts["FAIL"] == counts["NOT DONE"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
