"""What went wrong in a computation, as its row keeps it."""

from __future__ import annotations

import traceback
from pathlib import Path

from apps.backtests.services.watching import RunStalled
from apps.core.errors import TradingError

_APPS = Path(__file__).resolve().parents[2]


class StrategyFailed(TradingError):
    """The strategy's own code raised."""

    code = "strategy_failed"


def as_told(error: Exception) -> TradingError:
    """Our own errors as they are; others with their kind and the innermost line of the apps' code that they came from."""
    if isinstance(error, RunStalled):
        return RunStalled()
    if isinstance(error, TradingError):
        return error
    if isinstance(error, MemoryError):
        return StrategyFailed("There was not enough memory.", where="memory", hint="Use fewer bars or instruments.")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_APPS)]
    where = f"{Path(frames[-1].filename).relative_to(_APPS)}, line {frames[-1].lineno}" if frames else ""
    return StrategyFailed(f"{type(error).__name__}: {error}", where=where, hint="The strategy's code raised; correct it and run again.")
