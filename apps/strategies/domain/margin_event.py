"""What an event strategy is told when its account is called for margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class MarginCallEvent:
    """At a close the account's equity is below the level at which it is called, and was not at the close before. Amounts are in its currency."""

    at: int
    """Microseconds since 1970 UTC."""
    equity: Decimal
    required: Decimal
    """Equity from which on the call is cured, at the present positions and prices."""

    @property
    def missing(self) -> Decimal:
        """What would cure it."""
        return self.required - self.equity

    @property
    def stored(self) -> dict[str, str]:
        """As a decision keeps it; its time is that of the bar."""
        return {"equity": str(self.equity), "required": str(self.required)}


def call_from_stored(stored: Mapping[str, str] | None, at: int) -> MarginCallEvent | None:
    """What `stored` wrote, of the bar that closed at this time; None without one."""
    return None if stored is None else MarginCallEvent(at, Decimal(stored["equity"]), Decimal(stored["required"]))
