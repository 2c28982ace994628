"""Order against bar: the one matching function of backtest and paper trading, in kernel form (int64 in, int64 out, no floats).

Units: prices in price units of the instrument, quantities in lots, cash in cash units, times in microseconds since 1970 UTC,
costs in parts per million. `tick` is the tick in price units. Every price bound below 2**61 (`InstrumentSpec.check_bounds`).

Rules, worst case for the trader where a bar leaves a choice:
- An order trades only in a bar that closed after it was accepted; orders decided on a bar meet the next one.
- MARKET: at the open, against the trader by `adverse_ppm` (rounded up) and then to the tick. Always TAKER.
- LIMIT: at the open (rounded to the tick against the trader, never beyond the limit) when the market opens beyond the limit; else at the
  limit when the bar trades strictly *through* it. A bar that only touches the limit fills nothing: others were before us in the queue.
- STOP: reaching the stop triggers it (a touch is enough). When the bar opens at or beyond the stop, it fills at the open, else at the stop,
  in both cases against the trader by `adverse_ppm` and to the tick.
- A price that would leave [tick, max_price] fills nothing (OUT_OF_BOUNDS).
- The fee is `fee_ppm` of the traded value, rounded up to the cash unit.
- DAY: an order that has not filled expires in the bar that closes at or after `day_ends_at`; a bar that opens at or after it fills nothing.
- A fill takes the whole remaining quantity.

`match_order` is the scalar function; `match_orders` runs it over preallocated arrays.
"""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel

BUY = 1
SELL = -1

MARKET = 0
LIMIT = 1
STOP = 2

NOTHING = 0
FILLED = 1
EXPIRED = 2

NO_REASON = 0
NOT_YET = 1
NOT_REACHED = 2
TOUCHED_ONLY = 3
OUT_OF_BOUNDS = 4
DAY_OVER = 5
# From here on the reason of a fill.
MARKET_AT_OPEN = 10
LIMIT_CROSSED = 11
LIMIT_GAPPED = 12
STOP_TRIGGERED = 13
STOP_GAPPED = 14

NEVER = 0
"""`day_ends_at` of an order that is good till cancelled."""

PPM = 1_000_000

# Columns of the arrays of match_orders.
O_SIDE, O_TYPE, O_LOTS, O_LIMIT, O_STOP, O_ACCEPTED_AT, O_DAY_ENDS_AT, O_BAR = range(8)
B_OPENED_AT, B_CLOSED_AT, B_OPEN, B_HIGH, B_LOW = range(5)
R_STATUS, R_REASON, R_PRICE, R_LOTS, R_FEE = range(5)


@kernel
def share_up(amount: int, ppm: int) -> int:
    """`ppm` millionths of a non-negative `amount`, rounded up. Split by 10^6, so that no intermediate exceeds amount + 10^12."""
    whole = amount // PPM
    rest = amount - whole * PPM
    return whole * ppm + (rest * ppm + PPM - 1) // PPM


@kernel
def to_tick(price: int, tick: int, side: int) -> int:
    """`price` on the tick grid, against the trader: up for a buy, down for a sell."""
    if side == BUY:
        return ((price + tick - 1) // tick) * tick
    return (price // tick) * tick


@kernel
def taker_price(price: int, side: int, adverse_ppm: int, tick: int) -> int:
    """What taking liquidity at a quoted `price` costs or brings."""
    return to_tick(price + side * share_up(price, adverse_ppm), tick, side)


@kernel
def fill_price(  # noqa: PLR0917 - a kernel takes scalars
    side: int, order_type: int, limit: int, stop: int, bar_open: int, high: int, low: int, tick: int, adverse_ppm: int
) -> Any:
    """(reason, price) of the trade in this bar, or (why not, 0)."""
    if order_type == MARKET:
        return MARKET_AT_OPEN, taker_price(bar_open, side, adverse_ppm, tick)
    if order_type == LIMIT:
        if side * (limit - bar_open) > 0:
            return LIMIT_GAPPED, to_tick(bar_open, tick, side)
        beyond = limit - low if side == BUY else high - limit
        if beyond > 0:
            return LIMIT_CROSSED, limit
        return (TOUCHED_ONLY if beyond == 0 else NOT_REACHED), 0
    if side * (bar_open - stop) >= 0:
        return STOP_GAPPED, taker_price(bar_open, side, adverse_ppm, tick)
    beyond = high - stop if side == BUY else stop - low
    if beyond >= 0:
        return STOP_TRIGGERED, taker_price(stop, side, adverse_ppm, tick)
    return NOT_REACHED, 0


@kernel
def match_order(  # noqa: PLR0917 - a kernel takes scalars
    side: int,
    order_type: int,
    lots: int,
    limit: int,
    stop: int,
    accepted_at: int,
    day_ends_at: int,
    opened_at: int,
    closed_at: int,
    bar_open: int,
    high: int,
    low: int,
    tick: int,
    max_price: int,
    cash_per_price_lot: int,
    adverse_ppm: int,
    fee_ppm: int,
) -> Any:
    """(status, reason, price, lots, fee) of one order against one bar; see the module's rules. FILLED alone has a price and a fee."""
    if closed_at <= accepted_at:
        return NOTHING, NOT_YET, 0, 0, 0
    if day_ends_at != NEVER and opened_at >= day_ends_at:
        return EXPIRED, DAY_OVER, 0, 0, 0
    reason, price = fill_price(side, order_type, limit, stop, bar_open, high, low, tick, adverse_ppm)
    if reason >= MARKET_AT_OPEN:
        if tick <= price <= max_price:
            return FILLED, reason, price, lots, share_up(price * lots * cash_per_price_lot, fee_ppm)
        reason = OUT_OF_BOUNDS
    if day_ends_at != NEVER and closed_at >= day_ends_at:
        return EXPIRED, DAY_OVER, 0, 0, 0
    return NOTHING, reason, 0, 0, 0


@kernel
def match_orders(  # noqa: PLR0917 - a kernel takes scalars
    orders: Any, bars: Any, records: Any, tick: int, max_price: int, cash_per_price_lot: int, adverse_ppm: int, fee_ppm: int
) -> int:
    """Match each row of `orders` (int64, columns O_*) against the bar it names, into the same row of `records` (columns R_*).

    Returns how many filled. Rows do not see each other. Arrays are the caller's; nothing is allocated.
    """
    filled = 0
    for index in range(orders.shape[0]):
        bar = orders[index, O_BAR]
        status, reason, price, lots, fee = match_order(
            orders[index, O_SIDE],
            orders[index, O_TYPE],
            orders[index, O_LOTS],
            orders[index, O_LIMIT],
            orders[index, O_STOP],
            orders[index, O_ACCEPTED_AT],
            orders[index, O_DAY_ENDS_AT],
            bars[bar, B_OPENED_AT],
            bars[bar, B_CLOSED_AT],
            bars[bar, B_OPEN],
            bars[bar, B_HIGH],
            bars[bar, B_LOW],
            tick,
            max_price,
            cash_per_price_lot,
            adverse_ppm,
            fee_ppm,
        )
        records[index, R_STATUS] = status
        records[index, R_REASON] = reason
        records[index, R_PRICE] = price
        records[index, R_LOTS] = lots
        records[index, R_FEE] = fee
        if status == FILLED:
            filled += 1
    return filled
