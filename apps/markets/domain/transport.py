"""The transport of a replay: which command is legal in which state, and what it does. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from apps.core.errors import Conflict, InvalidInput
from apps.markets.domain.statuses import ClockStatus

SLOWEST, FASTEST = Decimal("0.1"), Decimal(1000)
MOST_STEPS = 10_000


class Command(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    STEP = "step"
    SPEED = "speed"
    JUMP = "jump"


@dataclass(frozen=True)
class Transport:
    """The part of a clock that commands change."""

    status: ClockStatus
    now_at: datetime
    ends_at: datetime | None
    bars_per_second: Decimal
    jump_to: datetime | None
    steps_requested: int

    @property
    def wants_bar(self) -> bool:
        """Whether another bar should be played at all."""
        if self.status is ClockStatus.RUNNING:
            return True
        return self.status is ClockStatus.PAUSED and (self.steps_requested > 0 or self.jump_to is not None)

    @property
    def is_hurrying(self) -> bool:
        """Whether the next bar comes without a pause: jumping, or stepping by hand."""
        return self.jump_to is not None or (self.status is ClockStatus.PAUSED and self.steps_requested > 0)

    def played(self, closed_at: datetime, *, is_last: bool) -> Transport:
        """After a bar: the time moves, a reached jump ends, a step is used up, the last bar ends the replay."""
        jump_to = None if self.jump_to is None or closed_at >= self.jump_to or is_last else self.jump_to
        steps = 0 if is_last or self.status is not ClockStatus.PAUSED or self.jump_to else max(0, self.steps_requested - 1)
        status = ClockStatus.ENDED if is_last else self.status
        return replace(self, status=status, now_at=closed_at, jump_to=jump_to, steps_requested=steps)


def command(
    transport: Transport,
    action: str,
    *,
    steps: int = 1,
    bars_per_second: Decimal | None = None,
    jump_to: datetime | None = None,
) -> Transport:
    """The transport after a command; raises Conflict where the state does not allow it, InvalidInput for values out of range."""
    chosen = _known(action)
    if transport.status is ClockStatus.ARCHIVED:
        raise Conflict("This replay is archived; a newer one took over.", where="venue", hint="Use the newest replay.")
    if chosen is Command.SPEED:
        return replace(transport, bars_per_second=_speed(bars_per_second))
    if transport.status is ClockStatus.ENDED:
        raise Conflict("The replay is at its end.", where="venue", hint="Restart it, or jump back: both open a fresh replay.")
    if transport.status is ClockStatus.PREPARING:
        raise Conflict("The replay has not started: models are still being trained.", where="venue", hint="Try again in a moment.")
    if chosen is Command.PAUSE:
        return replace(transport, status=ClockStatus.PAUSED, steps_requested=0, jump_to=None)
    if chosen is Command.RESUME:
        return replace(transport, status=ClockStatus.RUNNING, steps_requested=0)
    if chosen is Command.STEP:
        if not 1 <= steps <= MOST_STEPS:
            raise InvalidInput(f"Steps must be 1 to {MOST_STEPS}, got {steps}.", where="steps")
        return replace(
            transport, status=ClockStatus.PAUSED, steps_requested=min(transport.steps_requested + steps, MOST_STEPS), jump_to=None
        )
    return replace(transport, jump_to=_target(transport, jump_to))


def _known(action: str) -> Command:
    try:
        return Command(action)
    except ValueError:
        known = ", ".join(item.value for item in Command)
        raise InvalidInput(f"There is no transport command {action!r}.", where="action", hint=f"Commands: {known}.") from None


def _speed(bars_per_second: Decimal | None) -> Decimal:
    if bars_per_second is None or not bars_per_second.is_finite() or not SLOWEST <= bars_per_second <= FASTEST:
        raise InvalidInput(f"The speed must be {SLOWEST} to {FASTEST} bars a second, got {bars_per_second}.", where="bars_per_second")
    return bars_per_second


def _target(transport: Transport, jump_to: datetime | None) -> datetime:
    if jump_to is None or jump_to.tzinfo is None:
        raise InvalidInput("A jump needs a time with a time zone.", where="jump_to")
    if jump_to <= transport.now_at:
        raise Conflict(
            f"The replay is at {transport.now_at:%Y-%m-%d}, which is not before {jump_to:%Y-%m-%d}.",
            where="jump_to",
            hint="To go back, open a replay that starts there; this one is kept.",
        )
    return jump_to
