"""Loading the engine with a person waiting: where it has to be compiled first, they are told what takes so long and how far it is."""

from __future__ import annotations

import sys

from apps.backtests.services.warming import load_engine

_STEPS = 10


def load_engine_aloud() -> int:
    """Load the engine, writing progress to standard error where it must be compiled; how many kernels were."""
    is_terminal = sys.stderr.isatty()
    said: list[int] = []

    def tell(ready: int, total: int) -> None:
        if not said:
            sys.stderr.write("Compiling the engine once, about a minute. Later runs start at once.\n")
        step = _STEPS * ready // max(total, 1)
        if is_terminal:
            sys.stderr.write(f"\r{ready} of {total} parts ")
        elif step not in said:
            sys.stderr.write(f"{ready} of {total} parts\n")
        said.append(step)
        sys.stderr.flush()

    compiled = load_engine(tell)
    if compiled and is_terminal:
        sys.stderr.write("\r" + " " * 40 + "\r")
    return compiled
