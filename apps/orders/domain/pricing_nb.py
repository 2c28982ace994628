"""Rounding, slippage and fees of the engine: scalars in, scalars out, nothing in favour of the trader.

Units and models: `trading_system/decisions/0010-the-engine.md`.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    BUY,
    I_FEE_CAP_ABOVE_MINIMUM,
    I_FEE_CAP_PPM,
    I_FEE_FLAT,
    I_FEE_MAKER_PPM,
    I_FEE_MINIMUM,
    I_FEE_PER_LOT_PPM,
    I_FEE_TAKER_PPM,
    I_HALF_SPREAD_PPM,
    I_IMPACT_PPM,
    I_SLIPPAGE,
    I_SLIPPAGE_PPM,
    I_TIER_1,
    I_TIERS,
    INT64_SAFE,
    PPM,
    RATE_ONE,
)
from apps.orders.domain.engine_numbers import SLIPPAGE_HALF_SPREAD, SLIPPAGE_NONE, SLIPPAGE_VOLUME_SHARE

_DIGIT_SAFE = 1 << 57
_LARGEST = 2.3e18
QUOTED = -2
"""In place of a volume: the price is a quote, which has the spread in it."""


@kernel("i8(i8, i8)", is_inlined=True)
def share_up(amount: int, ppm: int) -> int:
    """`ppm` millionths of a non-negative `amount`, rounded up. Split by 10^6, so that no intermediate exceeds the result + 10^12."""
    whole = amount // PPM
    rest = amount - whole * PPM
    return whole * ppm + (rest * ppm + PPM - 1) // PPM


@kernel("i8(i8, i8)", is_inlined=True)
def convert(amount: int, rate: int) -> int:
    """`amount` at a rate in billionths, rounded down: assets lose, debts grow."""
    if rate == RATE_ONE:
        return amount
    whole = amount // RATE_ONE
    rest = amount - whole * RATE_ONE
    units = rate // RATE_ONE
    part = rate - units * RATE_ONE
    return whole * rate + rest * units + (rest * part) // RATE_ONE


@kernel("i8(i8, i8, i8)", is_inlined=True)
def to_tick(price: int, tick: int, side: int) -> int:
    """`price` on the tick grid, against the trader: up for a buy, down for a sell."""
    if side == BUY:
        return ((price + tick - 1) // tick) * tick
    return (price // tick) * tick


@kernel("i8(i8, i8, i8)")
def relative_price(price: int, ppm: int, tick: int) -> int:
    """`price` x (1 + ppm / 10^6) to the nearest tick, half upwards; `ppm` may be negative. At most about 2^61, which no market reaches."""
    if float(price) * (1.0 + float(ppm) / PPM) > _LARGEST:
        return (INT64_SAFE // tick) * tick
    whole = price // PPM
    product = (price - whole * PPM) * ppm
    part = product // PPM
    rest = product - part * PPM
    floor = price + whole * ppm + part
    low = (floor // tick) * tick
    if 2 * (floor - low) * PPM + 2 * rest >= tick * PPM:
        return low + tick
    return low


@kernel("i8(i8, i8)")
def volume_share(lots: int, volume: int) -> int:
    """`lots` as a part of `volume` in millionths, rounded up, at most one. Digit by digit, so that nothing overflows; huge ones are halved first."""
    if lots >= volume:
        return PPM
    while volume > _DIGIT_SAFE:
        volume = volume // 2
        lots = lots // 2 + 1
    share = 0
    rest = lots
    for _ in range(6):
        rest *= 10
        share = share * 10 + rest // volume
        rest %= volume
    return share + 1 if rest > 0 else share


@kernel("i8(i8)")
def root_up(value: int) -> int:
    """The square root of a value up to 10^12, rounded up."""
    root = int(math.sqrt(value))
    while root * root > value:
        root -= 1
    while root * root < value:
        root += 1
    return root


@kernel("i8(i8[:, ::1], i8, i8, i8)", is_inlined=True)
def adverse_ppm(places: Any, place: int, lots: int, volume: int) -> int:
    """What taking liquidity costs beyond the price, in millionths. `volume` below 0 is not known: no impact; QUOTED: nor a spread."""
    model = places[place, I_SLIPPAGE]
    if model == SLIPPAGE_NONE:
        return 0
    ppm = 0 if volume == QUOTED else places[place, I_HALF_SPREAD_PPM]
    if model == SLIPPAGE_HALF_SPREAD:
        return ppm
    ppm += places[place, I_SLIPPAGE_PPM]
    if model < SLIPPAGE_VOLUME_SHARE or volume < 0:
        return ppm
    share = volume_share(lots, volume)
    if model == SLIPPAGE_VOLUME_SHARE:
        return ppm + share_up(places[place, I_IMPACT_PPM], share)
    return ppm + share_up(places[place, I_IMPACT_PPM], root_up(share * PPM))


@kernel("i8(i8[:, ::1], i8, i8, i8, i8, i8, i8)", is_inlined=True)
def taker_price(places: Any, place: int, price: int, side: int, lots: int, volume: int, tick: int) -> int:
    """What `lots` cost or bring when they take liquidity quoted at `price`."""
    ppm = adverse_ppm(places, place, lots, volume)
    if ppm == 0:
        return to_tick(price, tick, side)
    return to_tick(price + side * share_up(price, ppm), tick, side)


@kernel("i8(i8, i8)", is_inlined=True)
def per_lot_fee(lots: int, ppm: int) -> int:
    """`lots` at `ppm` millionths of a cash unit each, rounded up; whole units apart, so that no product exceeds the result + 10^6 lots."""
    units = ppm // PPM
    return lots * units + share_up(lots, ppm - units * PPM)


@kernel("i8(i8[:, ::1], i8, i8, i8, i8, i8)", is_inlined=True)
def fee(places: Any, place: int, value: int, lots: int, is_maker: int, traded: int) -> int:
    """The fee of a fill in cash units; `traded` is the value that the account has traded before, for tiers."""
    ppm = places[place, I_FEE_MAKER_PPM] if is_maker else places[place, I_FEE_TAKER_PPM]
    for tier in range(places[place, I_TIERS]):
        first = I_TIER_1 + 3 * tier
        if traded >= places[place, first]:
            ppm = places[place, first + 1] if is_maker else places[place, first + 2]
    per_lot = per_lot_fee(lots, places[place, I_FEE_PER_LOT_PPM])
    cost = places[place, I_FEE_FLAT] + share_up(value, ppm) + per_lot
    minimum = places[place, I_FEE_MINIMUM]
    cap_ppm = places[place, I_FEE_CAP_PPM]
    is_capped = cap_ppm > 0 and (places[place, I_FEE_CAP_ABOVE_MINIMUM] == 0 or per_lot > minimum)
    cost = max(cost, minimum)
    if is_capped:
        cost = min(cost, share_up(value, cap_ppm))
    return cost
