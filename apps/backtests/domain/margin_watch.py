"""Telling an event strategy of a margin call while it runs. A strategy that does not listen costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from apps.orders.domain.margin_calls import Amount, call_ppm, is_called, required_of
from apps.orders.domain.profiles import EngineProfile
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.domain.margin_event import MarginCallEvent

Told = TypeVar("Told")
Account = Callable[[], tuple[int, int]]
"""Equity and gross exposure at the present closes, in cash units."""


class MarginWatch:
    """Whether the account stands called, from close to close. `ppm` is the level."""

    def __init__(self, ppm: int, unit: Decimal) -> None:
        self.ppm, self._unit = ppm, unit
        self._is_called = False

    def look(self, at: int, equity: Amount, exposure: Amount) -> MarginCallEvent | None:
        """The call where it begins at this close; amounts in units."""
        was_called, self._is_called = self._is_called, is_called(equity, exposure, self.ppm)
        if was_called or not self._is_called:
            return None
        return MarginCallEvent(at, equity * self._unit, required_of(exposure * self._unit, self.ppm))


def hears_calls(strategy: EventStrategy) -> bool:
    """Whether it has something to do with a call."""
    return type(strategy).on_margin_call is not EventStrategy.on_margin_call


def watches(strategies: Sequence[EventStrategy], profile: EngineProfile) -> bool:
    """Whether there may be a call, and a strategy that listens."""
    return call_ppm(profile) > 0 and any(hears_calls(strategy) for strategy in strategies)


def told_first(
    strategy: EventStrategy,
    profile: EngineProfile,
    unit: Decimal,
    *,
    now: Callable[[], int],
    account: Account,
    tell: Callable[[Told], None],
) -> Callable[[Told], None]:
    """`tell` with the call of its moment told before, where the strategy listens; else `tell` itself."""
    if not watches([strategy], profile):
        return tell
    watch = MarginWatch(call_ppm(profile), unit)

    def with_call(event: Told) -> None:
        call = watch.look(now(), *account())
        if call is not None:
            strategy.on_margin_call(call)
        tell(event)

    return with_call
