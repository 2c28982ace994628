"""What went wrong in a computation, as its row keeps it."""

from __future__ import annotations

import traceback
from pathlib import Path

from apps.backtests.services.watching import RunStalled
from apps.core.errors import TradingError

_APPS = Path(__file__).resolve().parents[2]


_STRATEGIES = "strategies/"


class ComputationFailed(TradingError):
    """Code raised what it did not mean to: a strategy's, or ours."""

    code = "computation_failed"


def as_told(error: Exception) -> TradingError:
    """Our own errors as they are; others with their kind and the innermost line of the apps' code that they came from."""
    if isinstance(error, RunStalled):
        return RunStalled()
    if isinstance(error, TradingError):
        return error
    if isinstance(error, MemoryError):
        return ComputationFailed("There was not enough memory.", where="memory", hint="Use fewer bars or instruments.")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_APPS)]
    where = f"{Path(frames[-1].filename).relative_to(_APPS)}, line {frames[-1].lineno}" if frames else ""
    is_of_strategy = where.startswith(_STRATEGIES)
    hint = "The strategy's code raised; correct it and run again." if is_of_strategy else "The log of the process has the details."
    return ComputationFailed(f"{type(error).__name__}: {error}", where=where, hint=hint)
