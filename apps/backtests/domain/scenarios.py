"""The facts behind the stress tests: how prices moved in known crises, as paths to impose and as dates to look up.

Closes are those of the S&P 500 index as published (the history bundled with the system has those up to 2018):
- 2008: from 1,251.70 on 2008-09-12, the Friday before Lehman Brothers failed, to 752.44 on 2008-11-20: -39.9 % in 49 trading days.
- 2020: from 3,386.15 on 2020-02-19 to 2,237.40 on 2020-03-23: -33.9 % in 23 trading days.
- Flash crash of 2010-05-06 (open 1,164.38, low 1,065.79, close 1,128.15; CFTC and SEC, "Findings Regarding the Market Events of May 6, 2010"):
  down about 1.6 % by 14:30 New York time, another 7 % until about 14:45, most of that regained by 15:08.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from apps.backtests.domain.robustness import StressScenario
from apps.backtests.domain.stress_text import text_of_scenario
from apps.core.errors import InvalidInput

_AUTUMN_2008 = (
    1251.70, 1192.70, 1213.60, 1156.39, 1206.51, 1255.08, 1207.09, 1188.22, 1185.87, 1209.18, 1213.27, 1106.42, 1166.36, 1161.06, 1114.28,
    1099.23, 1056.89, 996.23, 984.94, 909.92, 899.22, 1003.35, 998.01, 907.84, 946.43, 940.55, 985.40, 955.05, 896.78, 908.11, 876.77,
    848.92, 940.51, 930.09, 954.09, 968.75, 966.30, 1005.75, 952.77, 904.88, 930.99, 919.21, 898.95, 852.30, 911.29, 873.29, 850.75,
    859.12, 806.58, 752.44,
)  # fmt: skip
_SPRING_2020 = (
    3386.15, 3373.23, 3337.75, 3225.89, 3128.21, 3116.39, 2978.76, 2954.22, 3090.23, 3003.37, 3130.12, 3023.94, 2972.37, 2746.56, 2882.23,
    2741.38, 2480.64, 2711.02, 2386.13, 2529.19, 2398.10, 2409.39, 2304.92, 2237.40,
)  # fmt: skip
_SESSION_MINUTES = 390
_FLASH_2010 = ((0, 1164.38), (300, 1146.0), (315, 1065.79), (338, 1120.0), (390, 1128.15))
"""Minutes since 09:30 in New York and the index."""


@dataclass(frozen=True)
class Knot:
    """At this share (0..1) of a scenario's time prices are this multiple of what they would have been."""

    at: float
    factor: float


@dataclass(frozen=True)
class Scenario:
    """A path of shocks: the multiple of the undisturbed price over the scenario's time, between knots at an even rate of return.

    `bars` is how many bars it lasts unless the caller says otherwise. Afterwards prices stay at the last multiple. `gap` moves the first
    open and all that follows; while it lasts, the bars' own moves are `volatility` times as large (as log returns) and their volumes are
    divided by `volume_divisor`.
    """

    code: str
    title: str
    source: str
    path: tuple[Knot, ...]
    bars: int
    gap: float = 0.0
    volatility: float = 1.0
    volume_divisor: float = 1.0

    def __post_init__(self) -> None:
        times = [knot.at for knot in self.path]
        if len(times) < 2 or times[0] != 0 or times[-1] != 1 or sorted(set(times)) != times:
            raise InvalidInput(f"The path of {self.code} must rise in time from 0 to 1.", where="path")
        if self.path[0].factor != 1 or not all(math.isfinite(knot.factor) and knot.factor > 0 for knot in self.path):
            raise InvalidInput(f"The path of {self.code} must begin at 1 and stay above 0.", where="path")
        if self.bars < 1:
            raise InvalidInput(f"{self.code} must last at least one bar.", where="bars")
        if not self.gap > -1 or not self.volatility >= 0 or not self.volume_divisor >= 1:
            raise InvalidInput(
                f"{self.code}: a gap is above -1, volatility not negative, and volumes are divided by 1 or more.", where="gap"
            )

    @property
    def worst_return(self) -> float:
        """The deepest point below the undisturbed price (-0.339 = 33.9 % down)."""
        return min(knot.factor for knot in self.path) * (1.0 + self.gap) - 1.0


def path_of_prices(prices: Sequence[float]) -> tuple[Knot, ...]:
    """Evenly spaced prices as multiples of the first."""
    last = len(prices) - 1
    return tuple(Knot(index / last, price / prices[0]) for index, price in enumerate(prices))


def user_scenario(asked: StressScenario, *, code: str) -> Scenario:
    """A crisis of one's own, a bar for each of its days; its source is the line that describes it."""
    days, factor = 0, 1.0
    knots = [Knot(0.0, 1.0)]
    for leg in asked.legs:
        days, factor = days + leg.days, factor * (1.0 + float(leg.change))
        knots.append(Knot(days / asked.days, factor))
    return Scenario(
        code,
        asked.title or text_of_scenario(StressScenario(legs=asked.legs)),
        text_of_scenario(asked),
        tuple(knots),
        asked.days,
        gap=float(asked.gap),
        volatility=float(asked.volatility_multiple),
        volume_divisor=float(asked.volume_divisor),
    )


SCENARIOS = {
    scenario.code: scenario
    for scenario in (
        Scenario(
            "crash_2008", "Autumn 2008", "S&P 500, closes 2008-09-12 to 2008-11-20", path_of_prices(_AUTUMN_2008), len(_AUTUMN_2008) - 1
        ),
        Scenario(
            "crash_2020", "Spring 2020", "S&P 500, closes 2020-02-19 to 2020-03-23", path_of_prices(_SPRING_2020), len(_SPRING_2020) - 1
        ),
        Scenario(
            "flash_crash", "Flash crash of 2010", "S&P 500, 2010-05-06",
            tuple(Knot(minute / _SESSION_MINUTES, price / _FLASH_2010[0][1]) for minute, price in _FLASH_2010), 1,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Episode:
    """A stretch of history to look up in stored data, first and last day included."""

    code: str
    title: str
    starts_on: date
    ends_on: date
    fact: str


EPISODES = {
    episode.code: episode
    for episode in (
        Episode("dot_com", "Dot-com fall", date(2000, 3, 24), date(2002, 10, 9), "S&P 500 -49.1 %: 1,527.46 to 776.76."),
        Episode("crisis_2008", "Financial crisis", date(2007, 10, 9), date(2009, 3, 9), "S&P 500 -56.8 %: 1,565.15 to 676.53."),
        Episode("autumn_2008", "Autumn 2008", date(2008, 9, 12), date(2008, 11, 20), "S&P 500 -39.9 %: 1,251.70 to 752.44."),
        Episode("flash_2010", "Flash crash", date(2010, 5, 6), date(2010, 5, 6), "S&P 500 1,065.79 at the lowest after 1,165.87."),
        Episode("summer_2011", "Summer 2011", date(2011, 7, 22), date(2011, 8, 8), "S&P 500 -16.8 %: 1,345.02 to 1,119.46."),
        Episode("august_2015", "August 2015", date(2015, 8, 17), date(2015, 8, 25), "S&P 500 -11.2 %: 2,102.44 to 1,867.61."),
        Episode("winter_2018", "Winter 2018", date(2018, 9, 20), date(2018, 12, 24), "S&P 500 -19.8 %: 2,930.75 to 2,351.10."),
        Episode("crash_2020", "Spring 2020", date(2020, 2, 19), date(2020, 3, 23), "S&P 500 -33.9 %: 3,386.15 to 2,237.40."),
    )
}
