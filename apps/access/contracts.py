"""What other apps may know of access: roles, and the error of a locked log-in. No Django here."""

from __future__ import annotations

from enum import StrEnum

from apps.core.errors import TradingError


class Role(StrEnum):
    """What a person may do; each includes the ones before it."""

    VIEWER = "viewer"
    TRADER = "trader"
    RISK = "risk"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class LogInLocked(TradingError):
    """Too many failed log-ins of this name from this address; `retry_after` seconds are left."""

    code = "locked_out"
    http_status = 429
    retryable = True

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(
            "Too many failed log-ins.",
            where="username",
            hint=f"Wait {retry_after} seconds and try again.",
        )
        self.retry_after = retry_after


class TokenRefused(TradingError):
    """A token that cannot be used (any more)."""

    code = "token_not_valid"
    http_status = 401

    def __init__(self, message: str) -> None:
        super().__init__(message, where="refresh", hint="Log in again.")
