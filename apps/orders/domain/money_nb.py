"""Cash, margin and what an order may still use. Rules: "Money" in `trading_system/decisions/0010-the-engine.md`."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import (
    A_CASH,
    A_CURRENCIES,
    A_IS_CASH_ONLY,
    A_STATUS,
    A_TRADED_VALUE,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_INITIAL_PPM,
    I_MAINTENANCE_PPM,
    I_MARK,
    I_POSITION,
    INT64_SAFE,
    RATE_ONE,
)
from apps.orders.domain.engine_numbers import OVERFLOW
from apps.orders.domain.pricing_nb import convert, fee, share_up

_LARGEST = 2.3e18
"""Just below 2^61: what a float can safely tell from it."""


@kernel("i8(i8[::1], i8, i8)", is_inlined=True)
def in_account_currency(account: Any, amount: int, currency: int) -> int:
    """An amount of a currency in the account's own (currency 0); beyond 2^61 the run is over (OVERFLOW)."""
    if currency == 0:
        return amount
    rate = account[A_CASH + account[A_CURRENCIES] + currency]
    if abs(float(amount)) * (float(rate) / RATE_ONE) > _LARGEST:
        account[A_STATUS] = OVERFLOW
        return INT64_SAFE if amount > 0 else -INT64_SAFE
    return convert(amount, rate)


@kernel("i8(i8[::1], i8, i8)", is_inlined=True)
def add(account: Any, total: int, amount: int) -> int:
    """The sum of a total within 2^61 and an amount within 2^62; beyond 2^61 the run is over (OVERFLOW)."""
    total += amount
    if abs(total) > INT64_SAFE:
        account[A_STATUS] = OVERFLOW
        return INT64_SAFE if total > 0 else -INT64_SAFE
    return total


@kernel("i8(i8[:, ::1], i8[::1])")
def equity(places: Any, account: Any) -> int:
    """Cash and positions at their marks, in the account currency."""
    total = 0
    for currency in range(account[A_CURRENCIES]):
        total = add(account, total, in_account_currency(account, account[A_CASH + currency], currency))
    for place in range(places.shape[0]):
        if places[place, I_POSITION] != 0:
            value = places[place, I_POSITION] * places[place, I_MARK] * places[place, I_CASH_PER_PRICE_LOT]
            total = add(account, total, in_account_currency(account, value, places[place, I_CURRENCY]))
    return total


@kernel("i8(i8[:, ::1], i8[::1], i8)")
def margin(places: Any, account: Any, column: int) -> int:
    """The margin of all positions by a column of millionths, in the account currency, rounded up."""
    total = 0
    for place in range(places.shape[0]):
        lots = places[place, I_POSITION]
        if lots != 0:
            value = abs(lots) * places[place, I_MARK] * places[place, I_CASH_PER_PRICE_LOT]
            part = in_account_currency(account, -share_up(value, places[place, column]), places[place, I_CURRENCY])
            total = add(account, total, -part)
    return total


@kernel("i8(i8[:, ::1], i8[::1])")
def free_cash(places: Any, account: Any) -> int:
    """Equity less the initial margin of all positions."""
    return equity(places, account) - margin(places, account, I_INITIAL_PPM)


@kernel("b1(i8[:, ::1], i8[::1])")
def is_below_maintenance(places: Any, account: Any) -> bool:
    """Whether the account's equity no longer carries its positions."""
    return equity(places, account) < margin(places, account, I_MAINTENANCE_PPM)


@kernel("i8(i8[:, ::1], i8[::1], i8, i8, i8, i8, i8)", is_inlined=True)
def cash_left(places: Any, account: Any, place: int, side: int, lots: int, price: int, is_maker: int) -> int:
    """Free cash after a trade of `lots` at `price`, with the instrument marked at that price. Nothing is changed."""
    value = lots * price * places[place, I_CASH_PER_PRICE_LOT]
    cost = fee(places, place, value, lots, is_maker, account[A_TRADED_VALUE])
    slot = A_CASH + places[place, I_CURRENCY]
    if account[A_IS_CASH_ONLY] != 0:
        return account[slot] - side * value - cost
    cash, position, mark = account[slot], places[place, I_POSITION], places[place, I_MARK]
    account[slot] = cash - side * value - cost
    places[place, I_POSITION] = position + side * lots
    places[place, I_MARK] = price
    left = free_cash(places, account)
    account[slot] = cash
    places[place, I_POSITION] = position
    places[place, I_MARK] = mark
    return left


@kernel("i8(i8[:, ::1], i8[::1], i8, i8, i8, i8, i8)", is_inlined=True)
def affordable_lots(places: Any, account: Any, place: int, side: int, lots: int, price: int, is_maker: int) -> int:
    """The most of `lots` that free cash carries. What only reduces the position is always carried."""
    position = places[place, I_POSITION]
    reducing = min(lots, abs(position)) if position * side < 0 else 0
    if lots == reducing or cash_left(places, account, place, side, lots, price, is_maker) >= 0:
        return lots
    low, high = reducing, lots
    while high - low > 1:
        middle = low + (high - low) // 2
        if cash_left(places, account, place, side, middle, price, is_maker) >= 0:
            low = middle
        else:
            high = middle
    return low
