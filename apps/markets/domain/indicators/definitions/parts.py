"""What several definitions share: prices of a bar, its range, the usual averages by name."""

from __future__ import annotations

from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import (
    absolute,
    at_least,
    at_most,
    change,
    delay,
    ema,
    known,
    larger,
    positive,
    ratio,
    sma,
    smaller,
    total,
    wilder,
)
from apps.markets.domain.indicators.registry import Choice

AVERAGES = {"simple": sma, "exponential": ema, "wilder": wilder}
WILDER_FIRST = Choice(("wilder", "simple", "exponential"))
SIMPLE_FIRST = Choice(("simple", "exponential", "wilder"))
EXPONENTIAL_FIRST = Choice(("exponential", "simple", "wilder"))


def middle_price(bars: Bars) -> Node:
    return (bars.high + bars.low) * 0.5


def typical_price(bars: Bars) -> Node:
    return (bars.high + bars.low + bars.close) / 3.0


def true_range(bars: Bars) -> Node:
    """From the farther of low and close before to the farther of high and close before; needs a bar before."""
    before = delay(bars.close, 1)
    return larger(bars.high, before) - smaller(bars.low, before)


def rate_of_change(source: Node, bars: int = 1) -> Node:
    """Change over `bars` bars as a share of the older value; 0 where that is 0."""
    before = delay(source, bars)
    return ratio(source - before, before)


def relative_strength(source: Node, length: int, average: str = "wilder") -> Node:
    """Gains as a share of gains and losses, 0 to 100; 50 where nothing moved."""
    move = change(source)
    gain, loss = AVERAGES[average](at_least(move, 0.0), length), AVERAGES[average](at_least(-1.0 * move, 0.0), length)
    return 100.0 * ratio(gain, gain + loss, 0.5)


def share_of_range(source: Node, low: Node, high: Node, otherwise: float) -> Node:
    """Where the source lies between low and high, 0 to 100."""
    return 100.0 * ratio(source - low, high - low, otherwise / 100.0)


def money_flow_share(bars: Bars) -> Node:
    """Where the close lies in the bar, -1 (low) to 1 (high); 0 for a bar without range."""
    return ratio((bars.close - bars.low) - (bars.high - bars.close), bars.high - bars.low)


def direction(source: Node) -> Node:
    """1 up, -1 down, 0 unchanged since the bar before."""
    move = change(source)
    return positive(move) - positive(-1.0 * move)


def balance_volume(bars: Bars) -> Node:
    """Volume with the sign of the close's move; the first bar counts as up."""
    return known(direction(bars.close), 1.0) * bars.volume


def efficiency(source: Node, length: int) -> Node:
    """The way made good as a share of the way travelled, 0 to 1; 1 where nothing moved."""
    travelled = total(absolute(change(source)), length)
    return at_most(ratio(absolute(change(source, length)), travelled, 1.0), 1.0)


def chande_momentum(source: Node, length: int) -> Node:
    """(gains - losses) / (gains + losses) by Wilder's averages, -100 to 100; 0 where nothing moved."""
    move = change(source)
    gain = wilder(at_least(move, 0.0), length)
    loss = wilder(at_least(-1.0 * move, 0.0), length)
    return 100.0 * ratio(gain - loss, gain + loss)
