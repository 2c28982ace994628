"""Getting the engine ready: compiled once per version of its sources, read from the cache ever after."""

from __future__ import annotations

from collections.abc import Callable

from apps.backtests.domain.runners import modes
from apps.backtests.domain.states import RunState
from apps.backtests.models import BacktestRun, Sweep
from apps.core.kernel import load_kernels


def load_engine(on_compiled: Callable[[int, int], None] | None = None) -> int:
    """Load all runners with their kernels; how many kernels had to be compiled, about a minute if all. Quick when it was called before.

    `on_compiled` is called after each one that was compiled, with how many are ready and how many there are.
    """
    modes()
    return load_kernels(on_compiled)


def load_engine_told() -> int:
    """As `load_engine`, in a worker: whoever waits for a run or a sweep reads on its page what takes so long and how far it is."""
    compiled = load_engine(
        lambda ready, total: _tell_waiting(f"The engine is being compiled, {ready} of {total} parts. This happens once on a new version.")
    )
    if compiled:
        _tell_waiting("")
    return compiled


def _tell_waiting(message: str) -> None:
    for model in (BacktestRun, Sweep):
        model.objects.filter(state=RunState.QUEUED).update(message=message)
