"""Getting the engine ready: compiled once per version of its sources, read from the cache ever after."""

from __future__ import annotations

from collections.abc import Callable

from apps.backtests.domain.runners import modes
from apps.core.kernel import load_kernels


def load_engine(on_compiled: Callable[[int, int], None] | None = None) -> int:
    """Load all runners with their kernels; how many kernels had to be compiled, about a minute if all. Quick when it was called before.

    `on_compiled` is called after each one that was compiled, with how many are ready and how many there are.
    """
    modes()
    return load_kernels(on_compiled)
