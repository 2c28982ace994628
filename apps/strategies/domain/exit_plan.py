"""How freqtrade's strategies leave a trade: a stop on the stake, a table of targets by age, a trailing stop with an offset."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.core.errors import InvalidInput
from apps.orders.domain.engine_codes import PPM

MOST_TARGETS = 64
_LARGEST_TARGET = 1000 * PPM
_LARGEST_LEVERAGE = 125_000
MINUTE_US = 60_000_000


@dataclass(frozen=True)
class ExitPlan:
    """All distances are millionths of the stake, so a leverage (in thousandths) divides them; profits are after fees.

    `targets` are pairs of minutes since the entry and the profit from which the trade is closed from then on; -1,000,000: at any price.
    With `is_trailing` the stop follows the best price at `stop_ppm`, beyond a profit of `near_from_ppm` at `near_ppm` (0 = no other distance),
    and with `is_near_only` not at all below that profit. `has_signal_exits` lets exit signals close trades, `closes_at_end` the last bar.
    `entry_minutes` is how long an entry at a limit price waits, `exit_minutes` how long an exit signal at a price of its own does.
    """

    stop_ppm: int
    targets: tuple[tuple[int, int], ...] = ()
    is_trailing: bool = False
    near_ppm: int = 0
    near_from_ppm: int = 0
    is_near_only: bool = False
    leverage: int = 1000
    has_signal_exits: bool = True
    closes_at_end: bool = True
    entry_minutes: int = 10
    exit_minutes: int = 30

    def check(self) -> None:
        """Raise InvalidInput naming the number that cannot be used."""
        for name, value, least, most in (
            ("stop_ppm", self.stop_ppm, 1, PPM - 1),
            ("near_ppm", self.near_ppm, 0, PPM - 1),
            ("near_from_ppm", self.near_from_ppm, 0, _LARGEST_TARGET),
            ("leverage", self.leverage, 1000, _LARGEST_LEVERAGE),
            ("entry_minutes", self.entry_minutes, 0, 1_000_000),
            ("exit_minutes", self.exit_minutes, 0, 1_000_000),
            ("targets", len(self.targets), 0, MOST_TARGETS),
        ):
            if not least <= value <= most:
                raise InvalidInput(f"{name} of an exit plan must be from {least} to {most}, got {value}.", where=name)
        for minutes, profit in self.targets:
            if minutes < 0 or not -PPM <= profit < _LARGEST_TARGET:
                raise InvalidInput(f"A target of {profit} ppm after {minutes} minutes cannot be used.", where="targets")
        if len({minutes for minutes, _ in self.targets}) < len(self.targets):
            raise InvalidInput("Two targets begin at the same minute.", where="targets")


def in_ppm(ratio: Decimal, *, name: str) -> int:
    """A ratio in whole millionths; raises InvalidInput where it is finer."""
    value = ratio * PPM
    if not value.is_finite() or value != value.to_integral_value():
        raise InvalidInput(f"{name} must have at most six decimals, got {ratio}.", where=name)
    return int(value)
