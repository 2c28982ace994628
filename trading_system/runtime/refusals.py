"""Why the system does not start: one plain sentence and what to do about it."""

from __future__ import annotations

from apps.core.errors import TradingError


class StartRefused(TradingError):
    """The system (or one of its servers) cannot start as asked; shown without a traceback, exit code 2."""

    code = "start_refused"
    http_status = 503
