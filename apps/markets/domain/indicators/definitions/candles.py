"""Candle patterns: 100 for a pattern that speaks for a rise, -100 for a fall, 0 for none.

Long, short, near and the like are measured against the bars before, with TA-Lib's standard settings: a body is long when it is longer than the mean
body of the 10 bars before it, a shadow very short below a tenth of their mean range, near within a fifth of the mean range of 5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import absolute, delay, larger, positive, sma, smaller
from apps.markets.domain.indicators.registry import Choice, Definition, Number, Parameter, indicator

KIND = "candle"
_TOUCHING = Choice(("weak", "none"))
"""Whether a body that reaches an end of the other exactly counts 80 (as in TA-Lib since 0.6) or not at all (as before)."""
_USUAL_BARS = 10
_NEAR_BARS = 5


def _yes(*tests: Node) -> Node:
    """1 where every test is 1."""
    return reduce(lambda first, second: first * second, tests)


def _either(first: Node, second: Node) -> Node:
    """1 where one of the tests is 1."""
    return larger(first, second)


def _above(first: Node, second: Node) -> Node:
    return positive(first - second)


def _not_above(first: Node, second: Node) -> Node:
    return 1.0 - positive(first - second)


class Candle:
    """The bar of `ago` bars before this one: its parts, and what is usual at that time."""

    def __init__(self, bars: Bars, ago: int = 0) -> None:
        self._ago = ago
        top, bottom = larger(bars.open, bars.close), smaller(bars.open, bars.close)
        whole, body = bars.high - bars.low, absolute(bars.close - bars.open)
        self._whole, self._body, self._shadows = whole, body, (bars.high - top) + (bottom - bars.low)
        self.open, self.high, self.low, self.close = (self._then(price) for price in (bars.open, bars.high, bars.low, bars.close))
        self.top, self.bottom, self.body = self._then(top), self._then(bottom), self._then(body)
        self.upper, self.lower = self.high - self.top, self.bottom - self.low
        self.is_white = _not_above(self.open, self.close)
        self.is_black = 1.0 - self.is_white
        self.colour = 2.0 * self.is_white - 1.0

    def _then(self, source: Node) -> Node:
        return delay(source, self._ago) if self._ago else source

    def _usual(self, source: Node, length: int) -> Node:
        return delay(sma(source, length), self._ago + 1)

    @property
    def is_long(self) -> Node:
        return _above(self.body, self._usual(self._body, _USUAL_BARS))

    @property
    def is_short(self) -> Node:
        """Shorter than usual (a body of the usual length is neither long nor short)."""
        return _above(self._usual(self._body, _USUAL_BARS), self.body)

    @property
    def is_doji(self) -> Node:
        return _not_above(self.body, self._usual(self._whole, _USUAL_BARS) * 0.1)

    @property
    def no_upper(self) -> Node:
        return _above(self._usual(self._whole, _USUAL_BARS) * 0.1, self.upper)

    @property
    def no_lower(self) -> Node:
        return _above(self._usual(self._whole, _USUAL_BARS) * 0.1, self.lower)

    @property
    def has_upper(self) -> Node:
        return _above(self.upper, self._usual(self._whole, _USUAL_BARS) * 0.1)

    @property
    def has_lower(self) -> Node:
        return _above(self.lower, self._usual(self._whole, _USUAL_BARS) * 0.1)

    @property
    def short_shadows(self) -> Node:
        usual = self._usual(self._shadows, _USUAL_BARS) * 0.5
        return _yes(_above(usual, self.upper), _above(usual, self.lower))

    @property
    def near(self) -> Node:
        return self._usual(self._whole, _NEAR_BARS) * 0.2

    @property
    def far(self) -> Node:
        return self._usual(self._whole, _NEAR_BARS) * 0.6

    @property
    def equal(self) -> Node:
        return self._usual(self._whole, _NEAR_BARS) * 0.05


def _gap_up(later: Candle, earlier: Candle) -> Node:
    return _above(later.bottom, earlier.top)


def _gap_down(later: Candle, earlier: Candle) -> Node:
    return _above(earlier.bottom, later.top)


def _candle(name: str, description: str, **parameters: Parameter) -> Callable[[Definition], Definition]:
    return indicator(f"candle_{name}", KIND, description, **parameters)


@_candle("doji", "Doji: hardly any body. Always 100.")
def _doji(bars: Bars) -> Node:
    return 100.0 * Candle(bars).is_doji


@_candle("dragonfly_doji", "Doji with a lower shadow only. Always 100.")
def _dragonfly_doji(bars: Bars) -> Node:
    this = Candle(bars)
    return 100.0 * _yes(this.is_doji, this.no_upper, this.has_lower)


@_candle("gravestone_doji", "Doji with an upper shadow only. Always 100.")
def _gravestone_doji(bars: Bars) -> Node:
    this = Candle(bars)
    return 100.0 * _yes(this.is_doji, this.no_lower, this.has_upper)


@_candle("long_legged_doji", "Doji with a shadow longer than its body. Always 100.")
def _long_legged_doji(bars: Bars) -> Node:
    this = Candle(bars)
    return 100.0 * _yes(this.is_doji, _either(_above(this.lower, this.body), _above(this.upper, this.body)))


@_candle("marubozu", "Long body with hardly any shadow; the sign is the body's.")
def _marubozu(bars: Bars) -> Node:
    this = Candle(bars)
    return 100.0 * this.colour * _yes(this.is_long, this.no_upper, this.no_lower)


@_candle("closing_marubozu", "Long body without a shadow on the side of the close; the sign is the body's.")
def _closing_marubozu(bars: Bars) -> Node:
    this = Candle(bars)
    bare = _either(_yes(this.is_white, this.no_upper), _yes(this.is_black, this.no_lower))
    return 100.0 * this.colour * _yes(this.is_long, bare)


@_candle("belt_hold", "Long body without a shadow on the side of the open; the sign is the body's.")
def _belt_hold(bars: Bars) -> Node:
    this = Candle(bars)
    bare = _either(_yes(this.is_white, this.no_lower), _yes(this.is_black, this.no_upper))
    return 100.0 * this.colour * _yes(this.is_long, bare)


@_candle("long_line", "Long body with short shadows; the sign is the body's.")
def _long_line(bars: Bars) -> Node:
    this = Candle(bars)
    return 100.0 * this.colour * _yes(this.is_long, this.short_shadows)


@_candle("short_line", "Short body with short shadows; the sign is the body's.")
def _short_line(bars: Bars) -> Node:
    this = Candle(bars)
    return 100.0 * this.colour * _yes(this.is_short, this.short_shadows)


@_candle("spinning_top", "Short body with two shadows longer than it; the sign is the body's.")
def _spinning_top(bars: Bars) -> Node:
    this = Candle(bars)
    return 100.0 * this.colour * _yes(this.is_short, _above(this.upper, this.body), _above(this.lower, this.body))


@_candle("high_wave", "Short body with two shadows longer than twice the body; the sign is the body's.")
def _high_wave(bars: Bars) -> Node:
    this = Candle(bars)
    twice = 2.0 * this.body
    return 100.0 * this.colour * _yes(this.is_short, _above(this.upper, twice), _above(this.lower, twice))


@_candle("hammer", "Short body over a long lower shadow, no higher than near the low before: 100.")
def _hammer(bars: Bars) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    placed = _not_above(this.bottom, before.low + before.near)
    return 100.0 * _yes(this.is_short, _above(this.lower, this.body), this.no_upper, placed)


@_candle("hanging_man", "Short body over a long lower shadow, no lower than near the high before: -100.")
def _hanging_man(bars: Bars) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    placed = _not_above(before.high - before.near, this.bottom)
    return -100.0 * _yes(this.is_short, _above(this.lower, this.body), this.no_upper, placed)


@_candle("inverted_hammer", "Short body under a long upper shadow, below the body before: 100.")
def _inverted_hammer(bars: Bars) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    return 100.0 * _yes(this.is_short, _above(this.upper, this.body), this.no_lower, _gap_down(this, before))


@_candle("shooting_star", "Short body under a long upper shadow, above the body before: -100.")
def _shooting_star(bars: Bars) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    return -100.0 * _yes(this.is_short, _above(this.upper, this.body), this.no_lower, _gap_up(this, before))


@_candle(
    "engulfing",
    "A body round the body of the other colour before; where one end only touches, `touching` says what it counts.",
    touching=_TOUCHING,
)
def _engulfing(bars: Bars, touching: str) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    apart = absolute(this.colour - before.colour) * 0.5
    round_it = _yes(apart, _not_above(before.top, this.top), _not_above(this.bottom, before.bottom))
    beyond_top, beyond_bottom = _above(this.top, before.top), _above(before.bottom, this.bottom)
    return this.colour * round_it * _weight(_either(beyond_top, beyond_bottom), _yes(beyond_top, beyond_bottom), touching)


def _weight(weakly: Node, strictly: Node, touching: str) -> Node:
    """100 where the pattern holds strictly; 80 where it holds weakly, if that counts."""
    return 80.0 * weakly + 20.0 * strictly if touching == "weak" else 100.0 * strictly


def _inside(later: Candle, earlier: Candle, touching: str) -> Node:
    """100 for a body inside the earlier one; where it touches an end, `touching` says what it counts."""
    within = _yes(_not_above(later.top, earlier.top), _not_above(earlier.bottom, later.bottom))
    strictly = _yes(_above(earlier.top, later.top), _above(later.bottom, earlier.bottom))
    return _weight(within, strictly, touching)


@_candle("harami", "A body no longer than usual inside the long one before, against its colour.", touching=_TOUCHING)
def _harami(bars: Bars, touching: str) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    return -1.0 * before.colour * _yes(before.is_long, 1.0 - this.is_long) * _inside(this, before, touching)


@_candle("harami_cross", "A doji inside the long body before, against its colour.", touching=_TOUCHING)
def _harami_cross(bars: Bars, touching: str) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    return -1.0 * before.colour * _yes(before.is_long, this.is_doji) * _inside(this, before, touching)


@_candle("doji_star", "A doji that gaps away from a long body in its direction: against that body's colour.")
def _doji_star(bars: Bars) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    away = _either(_yes(before.is_white, _gap_up(this, before)), _yes(before.is_black, _gap_down(this, before)))
    return -100.0 * before.colour * _yes(before.is_long, this.is_doji, away)


@_candle("piercing", "After a long black body a long white one that opens below its low and closes above its middle: 100.")
def _piercing(bars: Bars) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    long_pair = _yes(before.is_black, before.is_long, this.is_white, this.is_long)
    return 100.0 * _yes(
        long_pair,
        _above(before.low, this.open),
        _above(before.open, this.close),
        _above(this.close, before.close + before.body * 0.5),
    )


@_candle(
    "dark_cloud",
    "After a long white body a black one that opens above its high and closes `depth` into it: -100.",
    depth=Number(0.5, 0.0, 1.0),
)
def _dark_cloud(bars: Bars, depth: float) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    return -100.0 * _yes(
        before.is_white,
        before.is_long,
        this.is_black,
        _above(this.open, before.high),
        _above(this.close, before.open),
        _above(before.close - before.body * depth, this.close),
    )


def _star(bars: Bars, depth: float, *, is_rising: bool, with_doji: bool) -> Node:
    """A long body, a small one gapped away from it, a third of the other colour that comes back `depth` into the first."""
    first, star, last = Candle(bars, 2), Candle(bars, 1), Candle(bars)
    small = star.is_doji if with_doji else 1.0 - star.is_long
    shape = _yes(first.is_long, small, last.is_long)
    if is_rising:
        turned = _yes(first.is_black, _gap_down(star, first), last.is_white, _above(last.close, first.close + first.body * depth))
        return 100.0 * _yes(shape, turned)
    turned = _yes(first.is_white, _gap_up(star, first), last.is_black, _above(first.close - first.body * depth, last.close))
    return -100.0 * _yes(shape, turned)


_DEPTH = Number(0.3, 0.0, 1.0)


@_candle("morning_star", "Long black body, small body below it, white body back into the first by `depth`: 100.", depth=_DEPTH)
def _morning_star(bars: Bars, depth: float) -> Node:
    return _star(bars, depth, is_rising=True, with_doji=False)


@_candle("morning_doji_star", "Long black body, doji below it, white body back into the first by `depth`: 100.", depth=_DEPTH)
def _morning_doji_star(bars: Bars, depth: float) -> Node:
    return _star(bars, depth, is_rising=True, with_doji=True)


@_candle("evening_star", "Long white body, small body above it, black body back into the first by `depth`: -100.", depth=_DEPTH)
def _evening_star(bars: Bars, depth: float) -> Node:
    return _star(bars, depth, is_rising=False, with_doji=False)


@_candle("evening_doji_star", "Long white body, doji above it, black body back into the first by `depth`: -100.", depth=_DEPTH)
def _evening_doji_star(bars: Bars, depth: float) -> Node:
    return _star(bars, depth, is_rising=False, with_doji=True)


@_candle("three_inside", "A small body inside a long one, then a close beyond the long one's open: against the long one's colour.")
def _three_inside(bars: Bars) -> Node:
    first, second, last = Candle(bars, 2), Candle(bars, 1), Candle(bars)
    inside = _yes(first.is_long, 1.0 - second.is_long, _above(first.top, second.top), _above(second.bottom, first.bottom))
    fell = _yes(first.is_white, last.is_black, _above(first.open, last.close))
    rose = _yes(first.is_black, last.is_white, _above(last.close, first.open))
    return -100.0 * first.colour * _yes(inside, _either(fell, rose))


@_candle("three_outside", "A body round the one before, then a close farther on in its direction: with that body's colour.")
def _three_outside(bars: Bars) -> Node:
    first, second, last = Candle(bars, 2), Candle(bars, 1), Candle(bars)
    apart = absolute(second.colour - first.colour) * 0.5
    round_it = _yes(apart, _above(second.top, first.top), _above(first.bottom, second.bottom))
    onward = _either(
        _yes(second.is_white, _above(last.close, second.close)),
        _yes(second.is_black, _above(second.close, last.close)),
    )
    return 100.0 * second.colour * _yes(round_it, onward)


@_candle(
    "three_white_soldiers",
    "Three white bodies with hardly any upper shadow, each opening in or near the one before and closing higher: 100.",
)
def _three_white_soldiers(bars: Bars) -> Node:
    first, second, last = Candle(bars, 2), Candle(bars, 1), Candle(bars)

    def advances(later: Candle, earlier: Candle) -> Node:
        return _yes(
            _above(later.close, earlier.close),
            _above(later.open, earlier.open),
            _not_above(later.open, earlier.close + earlier.near),
            _above(later.body, earlier.body - earlier.far),
        )

    bare = _yes(*(part for each in (first, second, last) for part in (each.is_white, each.no_upper)))
    return 100.0 * _yes(bare, advances(second, first), advances(last, second), last.is_long)


@_candle(
    "three_black_crows",
    "After a white body three black ones with hardly any lower shadow, each opening in the one before and closing lower: -100.",
)
def _three_black_crows(bars: Bars) -> Node:
    white, first, second, last = (Candle(bars, ago) for ago in (3, 2, 1, 0))

    def declines(later: Candle, earlier: Candle) -> Node:
        return _yes(_above(earlier.open, later.open), _above(later.open, earlier.close), _above(earlier.close, later.close))

    bare = _yes(*(part for each in (first, second, last) for part in (each.is_black, each.no_lower)))
    return -100.0 * _yes(white.is_white, bare, _above(white.high, first.close), declines(second, first), declines(last, second))


@_candle("matching_low", "Two black bodies with about the same close: 100.")
def _matching_low(bars: Bars) -> Node:
    this, before = Candle(bars), Candle(bars, 1)
    same = _yes(
        _not_above(this.close, before.close + before.equal),
        _not_above(before.close - before.equal, this.close),
    )
    return 100.0 * _yes(before.is_black, this.is_black, same)
