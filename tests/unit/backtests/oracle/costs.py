"""Rounding, slippage and fees."""

from __future__ import annotations

from math import isqrt

from apps.orders.domain.engine_codes import BUY, PPM, RATE_ONE, SlippageModel
from tests.unit.backtests.oracle.model import Instrument, Tier


def divide_up(amount: int, divisor: int) -> int:
    return -(-amount // divisor)


def share_up(amount: int, ppm: int) -> int:
    return divide_up(amount * ppm, PPM)


def share_down(amount: int, ppm: int) -> int:
    return amount * ppm // PPM


def convert_down(amount: int, rate: int) -> int:
    """An asset is rounded down, a debt (negative) away from zero: both are the floor."""
    return amount * rate // RATE_ONE


def convert_up(amount: int, rate: int) -> int:
    """What is needed, owed or set aside."""
    return divide_up(amount * rate, RATE_ONE)


def to_tick(price: int, tick: int, side: int) -> int:
    """On the tick, against the trader: up for a buy, down for a sell."""
    return divide_up(price, tick) * tick if side == BUY else price // tick * tick


def nearest_tick(numerator: int, denominator: int, tick: int) -> int:
    """numerator/denominator on the tick grid, half away from zero."""
    magnitude = (2 * abs(numerator) + denominator * tick) // (2 * denominator * tick) * tick
    return magnitude if numerator >= 0 else -magnitude


def _square_root_up(value: int) -> int:
    root = isqrt(value)
    return root if root * root == value else root + 1


def impact_ppm(instrument: Instrument, lots: int, volume: int) -> int:
    """Market impact by the share of the event's volume, rounded up, at most all of it; none where the volume is not known (below 0)."""
    if instrument.slippage not in {SlippageModel.VOLUME_SHARE, SlippageModel.SQUARE_ROOT, SlippageModel.FITTED}:
        return 0
    if volume < 0:
        return 0
    share = PPM if lots >= volume else divide_up(lots * PPM, volume)
    if instrument.slippage is SlippageModel.VOLUME_SHARE:
        return share_up(instrument.impact_ppm, share)
    # sqrt(share/10^6) in millionths is sqrt(share x 10^6).
    return share_up(instrument.impact_ppm, _square_root_up(share * PPM))


def adverse_ppm(instrument: Instrument, lots: int, volume: int, *, has_spread: bool) -> int:
    """What taking costs; `has_spread` where the price already holds the spread (quotes, depth)."""
    if instrument.slippage is SlippageModel.NONE:
        return 0
    spread = 0 if has_spread else instrument.half_spread_ppm
    if instrument.slippage is SlippageModel.HALF_SPREAD:
        return spread
    return spread + instrument.slippage_ppm + impact_ppm(instrument, lots, volume)


def taker_price(instrument: Instrument, price: int, side: int, lots: int, volume: int, *, has_spread: bool) -> int:
    adverse = share_up(price, adverse_ppm(instrument, lots, volume, has_spread=has_spread))
    return to_tick(price + side * adverse, instrument.tick, side)


def fee(instrument: Instrument, value: int, lots: int, *, is_maker: bool, traded_value: int) -> int:
    """Flat + share of the value + per lot, at least the minimum, then at most the cap."""
    rates = Tier(0, instrument.fee_maker_ppm, instrument.fee_taker_ppm)
    for tier in instrument.tiers:
        if traded_value >= tier.from_value:
            rates = tier
    per_lot = share_up(lots, instrument.fee_per_lot_ppm)
    amount = instrument.fee_flat + share_up(value, rates.maker_ppm if is_maker else rates.taker_ppm) + per_lot
    amount = max(amount, instrument.fee_minimum)
    if instrument.fee_cap_ppm and not (instrument.fee_cap_above_minimum and per_lot <= instrument.fee_minimum):
        amount = min(amount, share_up(value, instrument.fee_cap_ppm))
    return amount
