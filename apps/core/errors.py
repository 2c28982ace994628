"""The error hierarchy: every error says what happened, where, and what to do about it."""

from __future__ import annotations


class TradingError(Exception):
    """An error with a stable code, a plain sentence, the place it concerns and a hint.

    `retryable` tells a caller whether the same call may succeed later without a change.
    """

    code = "trading_error"
    http_status = 400
    retryable = False

    def __init__(self, message: str, *, where: str = "", hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        parts = [self.message]
        if self.where:
            parts.append(f"({self.where})")
        if self.hint:
            parts.append(self.hint)
        return " ".join(parts)


class InvalidInput(TradingError):
    """What the caller gave cannot be used."""

    code = "invalid_input"


class InexactValue(InvalidInput):
    """A decimal has no exact representation on the grid it is converted to."""

    code = "inexact_value"


class OutOfBounds(InvalidInput):
    """A value does not fit the bound that keeps int64 arithmetic exact."""

    code = "out_of_bounds"


class NotFound(TradingError):
    """The thing named does not exist (or is not visible to the caller)."""

    code = "not_found"
    http_status = 404


class Conflict(TradingError):
    """The state of the thing does not allow this now."""

    code = "conflict"
    http_status = 409


class Refused(TradingError):
    """A rule of the system (risk limit, halt, permission) says no."""

    code = "refused"
    http_status = 422


class Unavailable(TradingError):
    """Something outside (venue, network, Redis) does not answer now."""

    code = "unavailable"
    http_status = 503
    retryable = True


class OwnershipLost(TradingError):
    """A process found that another one holds the lease (fencing token is newer)."""

    code = "ownership_lost"
    http_status = 409


class Misconfigured(TradingError):
    """A setting is missing or contradicts another one."""

    code = "misconfigured"
    http_status = 500
