"""The envelope of an instrument: prices and time within which no order can act, none expires and nothing is liquidated.

Drivers skip the step while bars stay strictly inside, so every change of an order or position must end with `refresh`.
"""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_ACTIVE,
    A_CASH,
    A_CURRENCIES,
    A_IS_CASH_ONLY,
    BUY,
    I_CASH_PER_PRICE_LOT,
    I_HIGH_BOUND,
    I_LOW_BOUND,
    I_MAINTENANCE_PPM,
    I_POSITION,
    I_TIME_BOUND,
    I_TRAIL_RULE,
    NEVER,
    O_BEST,
    O_EXPIRES_AT,
    O_FLAGS,
    O_LIMIT,
    O_PLACE,
    O_SIDE,
    O_STATE,
    O_STOP,
    O_TIF,
    O_TYPE,
    PPM,
    SEEN,
    TRIGGERED,
    UNBOUNDED,
)
from apps.orders.domain.engine_numbers import FREQTRADE, IOC, LIMIT, OPEN, STOP_LIMIT, TRAILING

_SLACK = 1e-9


@kernel("void(i8[:, ::1], i8[::1], i8[::1])", is_inlined=True)
def compact(book: Any, active: Any, account: Any) -> None:
    """Drop ended orders from the active list, keeping the order of the rest."""
    kept = 0
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if book[row, O_STATE] == OPEN:
            active[kept] = row
            kept += 1
    account[A_ACTIVE] = kept


@kernel("void(i8[:, ::1], i8[::1], i8)")
def add_liquidation(places: Any, account: Any, place: int) -> None:
    """Narrow the envelope to where the account might be liquidated; with several positions or currencies there is no envelope at all."""
    for other in range(places.shape[0]):
        if other != place and places[other, I_POSITION] != 0:
            places[place, I_LOW_BOUND] = UNBOUNDED
            return
    if account[A_CURRENCIES] > 1:
        places[place, I_LOW_BOUND] = UNBOUNDED
        return
    cash = float(account[A_CASH])
    lots = places[place, I_POSITION]
    per_price = float(abs(lots)) * float(places[place, I_CASH_PER_PRICE_LOT])
    share = float(places[place, I_MAINTENANCE_PPM]) / PPM
    if lots > 0:
        if cash < 0.0:
            bound = -cash / (per_price * max(1.0 - share, _SLACK))
            places[place, I_LOW_BOUND] = max(places[place, I_LOW_BOUND], int(min(bound * (1.0 + _SLACK) + 2.0, 4e18)))
    else:
        bound = cash / (per_price * (1.0 + share))
        places[place, I_HIGH_BOUND] = min(places[place, I_HIGH_BOUND], int(max(bound * (1.0 - _SLACK) - 2.0, 0.0)))


@kernel("void(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8)")
def refresh(book: Any, active: Any, places: Any, account: Any, place: int) -> None:
    """Work the instrument's envelope out anew."""
    low_bound, high_bound, time_bound = -1, UNBOUNDED, UNBOUNDED
    for index in range(account[A_ACTIVE]):
        row = active[index]
        if book[row, O_STATE] != OPEN or book[row, O_PLACE] != place:
            continue
        if book[row, O_EXPIRES_AT] != NEVER:
            time_bound = min(time_bound, book[row, O_EXPIRES_AT])
        order_type, flags, is_buy = book[row, O_TYPE], book[row, O_FLAGS], book[row, O_SIDE] == BUY
        if flags & SEEN == 0 or book[row, O_TIF] >= IOC or order_type < LIMIT or order_type > TRAILING:
            low_bound = UNBOUNDED
            break
        if order_type == TRAILING:
            if places[place, I_TRAIL_RULE] == FREQTRADE:
                low_bound = UNBOUNDED
                break
            if is_buy:
                high_bound, low_bound = min(high_bound, book[row, O_STOP]), max(low_bound, book[row, O_BEST] - 1)
            else:
                low_bound, high_bound = max(low_bound, book[row, O_STOP]), min(high_bound, book[row, O_BEST] + 1)
        elif order_type == LIMIT or (order_type == STOP_LIMIT and flags & TRIGGERED):
            if is_buy:
                low_bound = max(low_bound, book[row, O_LIMIT])
            else:
                high_bound = min(high_bound, book[row, O_LIMIT])
        elif is_buy:
            high_bound = min(high_bound, book[row, O_STOP])
        else:
            low_bound = max(low_bound, book[row, O_STOP])
    places[place, I_LOW_BOUND] = low_bound
    places[place, I_HIGH_BOUND] = high_bound
    places[place, I_TIME_BOUND] = time_bound
    if account[A_IS_CASH_ONLY] == 0 and places[place, I_POSITION] != 0:
        add_liquidation(places, account, place)


@kernel("void(i8[:, ::1], i8[::1], i8)", is_inlined=True)
def widen_others(places: Any, account: Any, place: int) -> None:
    """Money has moved: until they are stepped, the other instruments of a margin account have no envelope."""
    if account[A_IS_CASH_ONLY] == 0:
        for other in range(places.shape[0]):
            if other != place:
                places[other, I_LOW_BOUND] = UNBOUNDED


@kernel("b1(i8[:, ::1], i8, i8, i8, i8)", is_inlined=True)
def is_outside(places: Any, place: int, low: int, high: int, closed_at: int) -> bool:
    """Whether a bar may concern an order of the instrument, so that it has to be stepped."""
    return bool(low <= places[place, I_LOW_BOUND] or high >= places[place, I_HIGH_BOUND] or closed_at >= places[place, I_TIME_BOUND])
