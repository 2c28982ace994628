"""What volume says about prices."""

from __future__ import annotations

from apps.markets.domain.indicators.definitions.parts import (
    balance_volume,
    direction,
    middle_price,
    money_flow_share,
    rate_of_change,
    typical_price,
)
from apps.markets.domain.indicators.graph import Bars, Node
from apps.markets.domain.indicators.nodes import (
    absolute,
    at_least,
    ceiling,
    change,
    decayed_sum,
    ema,
    highest,
    known,
    lowest,
    movement,
    positive,
    profile,
    ratio,
    sma,
    total,
)
from apps.markets.domain.indicators.profile_nb import AREA_HIGH, AREA_LOW, BUSIEST, BUSIEST_VOLUME
from apps.markets.domain.indicators.registry import Choice, Number, Whole, indicator

KIND = "volume"


@indicator(
    "obv", KIND, "On-balance volume: the sum of the volume of rising bars less that of falling ones; begins with the first bar's volume."
)
def _obv(bars: Bars) -> Node:
    return decayed_sum(balance_volume(bars))


@indicator("smoothed_obv", KIND, "Simple average of the on-balance volume.", length=Whole(20))
def _smoothed_obv(bars: Bars, length: int) -> Node:
    return sma(decayed_sum(balance_volume(bars)), length)


def _accumulation(bars: Bars) -> Node:
    return decayed_sum(money_flow_share(bars) * bars.volume)


@indicator("ad", KIND, "Accumulation and distribution: the sum of the volume weighted by where the close lies in the bar.")
def _ad(bars: Bars) -> Node:
    return _accumulation(bars)


@indicator(
    "ad_oscillator", KIND, "Chaikin's oscillator: fast EMA - slow EMA of accumulation and distribution.", fast=Whole(3), slow=Whole(10)
)
def _ad_oscillator(bars: Bars, fast: int, slow: int) -> Node:
    line = _accumulation(bars)
    return ema(line, fast) - ema(line, slow)


@indicator("cmf", KIND, "Chaikin's money flow: volume weighted by where the close lies in the bar, over volume, -1 to 1.", length=Whole(20))
def _cmf(bars: Bars, length: int) -> Node:
    return ratio(total(money_flow_share(bars) * bars.volume, length), total(bars.volume, length))


@indicator(
    "mfi",
    KIND,
    "Money flow index, 0 to 100: the turnover of rising bars (by the typical price) as a share of both; 50 where nothing moved.",
    length=Whole(14),
)
def _mfi(bars: Bars, length: int) -> Node:
    turnover = typical_price(bars) * bars.volume
    way = direction(typical_price(bars))
    gain, loss = total(at_least(way, 0.0) * turnover, length), total(at_least(-1.0 * way, 0.0) * turnover, length)
    return 100.0 * ratio(gain, gain + loss, 0.5)


@indicator("ease_of_movement", KIND, "Ease of movement: the way of the middle price per volume and range, volume counted in `scale`; 0 at the first bar.", length=Whole(14), scale=Number(10_000.0, 1.0, 1e12))  # fmt: skip
def _ease_of_movement(bars: Bars, length: int, scale: float) -> Node:
    way = known(change(middle_price(bars)), 0.0)
    return sma(ratio(way * (bars.high - bars.low) * scale, bars.volume), length)


@indicator("force_index", KIND, "Elder's force index: the EMA of the change times the volume.", length=Whole(13))
def _force_index(bars: Bars, length: int) -> Node:
    return ema(change(bars.close) * bars.volume, length)


@indicator(
    "kvo",
    KIND,
    "Klinger's volume oscillator: fast EMA - slow EMA of the volume force, and the signal EMA.",
    fast=Whole(34),
    slow=Whole(55),
    signal=Whole(13),
)
def _kvo(bars: Bars, fast: int, slow: int, signal: int) -> dict[str, Node]:
    span = bars.high - bars.low
    trend = 2.0 * positive(change(typical_price(bars))) - 1.0
    force = bars.volume * absolute(ratio(span, movement(span, trend), 1.0) - 1.0) * trend * 200.0
    line = ema(force, fast) - ema(force, slow)
    return {"kvo": line, "signal": ema(line, signal)}


def _weighted_by_volume(price: Node, volume: Node, length: int) -> Node:
    """The plain average plus the volume's pull away from it, so that no volume at all leaves the average."""
    mean = sma(price, length)
    pull = sma(price * volume, length) - mean * sma(volume, length)
    return mean + ratio(pull, sma(volume, length))


@indicator(
    "vwap",
    KIND,
    "Volume-weighted average of the last bars' prices (typical: high, low, close; average: all four); their plain average where there was no volume.",
    length=Whole(50),
    price=Choice(("typical", "average")),
)
def _vwap(bars: Bars, length: int, price: str) -> Node:
    one = typical_price(bars) if price == "typical" else (bars.open + bars.high + bars.low + bars.close) * 0.25
    return _weighted_by_volume(one, bars.volume, length)


@indicator("vwma", KIND, "Volume-weighted average of the last closes; the simple average where there was no volume.", length=Whole(20))
def _vwma(bars: Bars, length: int) -> Node:
    return _weighted_by_volume(bars.close, bars.volume, length)


@indicator("anchored_vwap", KIND, "Volume-weighted average price (typical price) since the first bar given.")
def _anchored_vwap(bars: Bars) -> Node:
    return ratio(decayed_sum(typical_price(bars) * bars.volume), decayed_sum(bars.volume))


@indicator("pvt", KIND, "Price-volume trend: the sum of the volume times the close's return.")
def _pvt(bars: Bars) -> Node:
    return decayed_sum(known(rate_of_change(bars.close), 0.0) * bars.volume)


@indicator("relative_volume", KIND, "Volume over its simple average, this bar included; 1 where there was none.", length=Whole(20))
def _relative_volume(bars: Bars, length: int) -> Node:
    return ratio(bars.volume, sma(bars.volume, length), 1.0)


def _profile(bars: Bars, weight: Node, length: int, step: float, share: float) -> dict[str, Node]:
    buckets = ceiling(bars.close / step)

    def answer(which: int) -> Node:
        return profile(buckets, weight, length, share, which)

    return {
        "busiest": answer(BUSIEST) * step,
        "busiest_volume": answer(BUSIEST_VOLUME),
        "area_high": answer(AREA_HIGH) * step,
        "area_low": answer(AREA_LOW) * step,
        "high": highest(buckets, length) * step,
        "low": lowest(buckets, length) * step,
    }


@indicator(
    "volume_profile", KIND, "Volume by price over the last bars, each bar's volume at its close rounded up to `step`: the price with most volume "
    "(of equals the nearest to the middle), its volume, the range of prices and the area round it with `share` of the volume.",
    length=Whole(20, most=5_000), step=Number(0.05, 1e-9, 1e9), share=Number(0.7, 0.0, 1.0),
)  # fmt: skip
def _volume_profile(bars: Bars, length: int, step: float, share: float) -> dict[str, Node]:
    return _profile(bars, bars.volume, length, step, share)


@indicator(
    "time_profile", KIND, "Bars by price: the volume profile with every bar counting 1.",
    length=Whole(20, most=5_000), step=Number(0.05, 1e-9, 1e9), share=Number(0.7, 0.0, 1.0),
)  # fmt: skip
def _time_profile(bars: Bars, length: int, step: float, share: float) -> dict[str, Node]:
    return _profile(bars, bars.close * 0.0 + 1.0, length, step, share)
