"""What a run is asked to withstand beside its result: crises put into its bars, scenarios of one's own, and re-runs by chance.

Nothing of it changes the run itself: records, figures and fingerprint are those of the run without it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from apps.backtests.domain.config_part import ConfigPart
from apps.core.errors import InvalidInput

MOST_RERUNS = 500
"""Of each kind."""
MOST_SCENARIOS = 10
MOST_DAYS = 260
"""Trading days that a scenario lasts: a year."""
LONGEST_TITLE = 60
LARGEST_CHANGE = Decimal(10)
LARGEST_MULTIPLE = Decimal(100)
LARGEST_SWING = Decimal(10)
LARGEST_DIVISOR = Decimal(1_000_000)
LATEST_START = Decimal("0.9")


class Crises(StrEnum):
    """Whether the known crises are put into the bars: where it does not take long, however long it takes, or not at all."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class StressLeg(ConfigPart, frozen=True, kw_only=True):
    """A move on top of what the bars did: -0.2 is 20 % down, at an even rate over so many trading days; 0 adds nothing."""

    change: Decimal
    days: int = 1


class StressScenario(ConfigPart, frozen=True, kw_only=True):
    """A crisis of one's own. It begins at `begins_at`, or right behind an entry of the run's second half.

    `gap` moves the first open. While the legs last, every move of the bars is `volatility_multiple` times as large and volumes are divided by
    `volume_divisor`. Spread, slippage and impact are `slippage_multiple` times those of the run, in the whole of it: the engine's costs do not change
    within a run.
    """

    legs: tuple[StressLeg, ...]
    title: str = ""
    gap: Decimal = Decimal(0)
    slippage_multiple: Decimal = Decimal(1)
    volume_divisor: Decimal = Decimal(1)
    volatility_multiple: Decimal = Decimal(1)
    begins_at: datetime | None = None

    @property
    def days(self) -> int:
        return sum(leg.days for leg in self.legs)


class Reruns(ConfigPart, frozen=True, kw_only=True):
    """How often the run is made again by chance, `count` times for each kind; 0 is not at all.

    Random starts: trading begins anywhere in the first `latest_start` of the bars (0.5 is half; 0 leaves the kind out). Random costs: fees and
    slippage are multiplied, each for itself, by `lowest_costs` to `highest_costs` (both 1 leave the kind out). The seed is the run's.
    """

    count: int = 0
    latest_start: Decimal = Decimal("0.5")
    lowest_costs: Decimal = Decimal("0.5")
    highest_costs: Decimal = Decimal(2)

    @property
    def has_starts(self) -> bool:
        return self.count > 0 and self.latest_start > 0

    @property
    def has_costs(self) -> bool:
        return self.count > 0 and not self.lowest_costs == self.highest_costs == 1


class Robustness(ConfigPart, frozen=True, kw_only=True):
    """What a run is asked to withstand."""

    crises: Crises = Crises.AUTO
    scenarios: tuple[StressScenario, ...] = ()
    reruns: Reruns = Reruns()


def check_robustness(asked: Robustness) -> None:
    """Raise InvalidInput, naming the field, for what cannot be computed or means nothing."""
    _check_reruns(asked.reruns)
    if len(asked.scenarios) > MOST_SCENARIOS:
        raise InvalidInput(f"At most {MOST_SCENARIOS} scenarios, got {len(asked.scenarios)}.", where="robustness.scenarios")
    for number, scenario in enumerate(asked.scenarios, start=1):
        _check_scenario(scenario, number)


def _check_reruns(reruns: Reruns) -> None:
    where = "robustness.reruns"
    if not 0 <= reruns.count <= MOST_RERUNS:
        raise InvalidInput(f"The run can be made again 0 to {MOST_RERUNS} times, got {reruns.count}.", where=f"{where}.count")
    _require(reruns.latest_start, Decimal(0), LATEST_START, "The share of the bars that a start is drawn from", f"{where}.latest_start")
    _require(reruns.lowest_costs, Decimal(0), LARGEST_MULTIPLE, "The lowest multiple of costs", f"{where}.lowest_costs")
    _require(reruns.highest_costs, Decimal(0), LARGEST_MULTIPLE, "The highest multiple of costs", f"{where}.highest_costs")
    if reruns.lowest_costs > reruns.highest_costs:
        raise InvalidInput(
            f"The lowest multiple of costs, {reruns.lowest_costs}, is above the highest, {reruns.highest_costs}.",
            where=f"{where}.lowest_costs",
        )
    if reruns.count and not (reruns.has_starts or reruns.has_costs):
        raise InvalidInput(
            f"{reruns.count} re-runs were asked for, but neither the start nor the costs may differ.",
            where=f"{where}.count",
            hint="Let the start be drawn from a share of the bars, or the costs from more than one multiple.",
        )


def _check_scenario(scenario: StressScenario, number: int) -> None:
    where, name = "robustness.scenarios", f"Scenario {number}"
    if not scenario.legs:
        raise InvalidInput(
            f"{name} does not say how prices move.", where=where, hint="Such as -20% in 3 days then flat 5 days; flat 10 days adds no move."
        )
    if any(leg.days < 1 for leg in scenario.legs) or not scenario.days <= MOST_DAYS:
        raise InvalidInput(f"{name}: each move lasts at least a day, all of them at most {MOST_DAYS} days.", where=where)
    for leg in scenario.legs:
        _require_move(leg.change, f"{name}: a move", where)
    _require_move(scenario.gap, f"{name}: the gap", where)
    _require(scenario.slippage_multiple, Decimal(0), LARGEST_MULTIPLE, f"{name}: the multiple of slippage", where)
    _require(scenario.volume_divisor, Decimal(1), LARGEST_DIVISOR, f"{name}: the divisor of volumes", where)
    _require(scenario.volatility_multiple, Decimal(0), LARGEST_SWING, f"{name}: the multiple of volatility", where)
    if len(scenario.title) > LONGEST_TITLE or not scenario.title.isprintable():
        raise InvalidInput(f"{name}: a name has at most {LONGEST_TITLE} letters on one line.", where=where)


def _require_move(change: Decimal, what: str, where: str) -> None:
    if not change.is_finite() or not -1 < change <= LARGEST_CHANGE:
        raise InvalidInput(
            f"{what} is above -100 % (everything lost) and at most {LARGEST_CHANGE * 100} %, got {_percent(change)}.", where=where
        )


def _require(value: Decimal, lowest: Decimal, highest: Decimal, what: str, where: str) -> None:
    if not value.is_finite() or not lowest <= value <= highest:
        raise InvalidInput(f"{what} must be from {lowest} to {highest}, got {value}.", where=where)


def _percent(change: Decimal) -> str:
    return f"{change * 100:f} %" if change.is_finite() else str(change)
