"""Signals over the bars of several instruments on one account: the rule of `simulate_nb`, played in the order of time.

The events lie in the order of their closing times, equal ones in the order of the instruments. All bars that close at a time are met first, so that
every price of that time is known; then each instrument acts on its own signal, in the same order; then the account is valued once.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.backtests.domain.simulate_nb import R_AT_CLOSE, R_SIZE, R_SIZING, act_on_signal, bits_that_matter, has_spare_room
from apps.core.kernel import kernel
from apps.orders.domain.bar_nb import step_bar
from apps.orders.domain.close_nb import match_at_close
from apps.orders.domain.engine_codes import (
    A_CASH,
    A_CURRENCIES,
    A_NOW,
    A_STATUS,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_FEE_TAKER_PPM,
    I_INITIAL_PPM,
    I_MARK,
    I_MAX_LOTS,
    I_POSITION,
    INT64_SAFE,
    PPM,
    RATE_ONE,
)
from apps.orders.domain.engine_numbers import BOOK_FULL, OK
from apps.orders.domain.envelope_nb import is_outside
from apps.orders.domain.money_nb import add, equity, in_account_currency
from apps.orders.domain.pricing_nb import adverse_ppm, share_up
from apps.orders.domain.sizing_nb import BY_EQUITY, BY_LOTS
from apps.portfolio.domain.ledger_nb import share_of
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT

_LARGEST = 2.3e18

# What a run goes on from: the first event that was not met, the first that did not act, and the points of the equity line so far.
C_MET, C_ACTED, C_POINTS = range(3)
CURSOR_COLUMNS = 3


@kernel("i8(i8, i8)")
def out_of_account_currency(amount: int, rate: int) -> int:
    """An amount of the account's currency, 0 or more, in another one whose price is `rate` billionths; rounded down, at most 2^61."""
    if float(amount) * (RATE_ONE / float(rate)) > _LARGEST:
        return INT64_SAFE
    if rate >= RATE_ONE:
        return share_of(amount, RATE_ONE, rate)
    whole = amount // rate
    return whole * RATE_ONE + (amount - whole * rate) * RATE_ONE // rate


@kernel("i8(i8[:, ::1], i8[::1], i8)")
def held_elsewhere(places: Any, account: Any, place: int) -> int:
    """The initial margin of all other instruments, in the account's currency, rounded up."""
    total = 0
    for other in range(places.shape[0]):
        if other != place and places[other, I_POSITION] != 0:
            value = abs(places[other, I_POSITION]) * places[other, I_MARK] * places[other, I_CASH_PER_PRICE_LOT]
            part = in_account_currency(account, -share_up(value, places[other, I_INITIAL_PPM]), places[other, I_CURRENCY])
            total = add(account, total, -part)
    return total


@kernel("i8(i8[:, ::1], i8[::1], i8, i8)")
def share_of_pool(places: Any, account: Any, place: int, size: int) -> int:
    """`size` millionths of the account's equity, at most what the margin of the other instruments leaves to buy with."""
    worth = max(equity(places, account), 0)
    value = (worth // PPM) * size + (worth % PPM) * size // PPM
    elsewhere = held_elsewhere(places, account, place)
    if elsewhere == 0:
        return value
    left, initial = max(worth - elsewhere, 0), places[place, I_INITIAL_PPM]
    if float(left) * (PPM / float(initial)) > _LARGEST:
        return value
    return min(value, (left // initial) * PPM + (left % initial) * PPM // initial)


@kernel("i8(i8[:, ::1], i8[::1], i8, i8, i8)")
def pool_lots(places: Any, account: Any, place: int, method: int, size: int) -> int:
    """Lots of an entry by equity or value, as `sized_lots` has them for one instrument; equity and value are the account's, the instrument is in any
    currency."""
    mark, currency = places[place, I_MARK], places[place, I_CURRENCY]
    if mark <= 0:
        return 0
    value = share_of_pool(places, account, place, size) if method == BY_EQUITY else size
    if currency != 0:
        value = out_of_account_currency(value, account[A_CASH + account[A_CURRENCIES] + currency])
    costs = PPM + places[place, I_FEE_TAKER_PPM] + adverse_ppm(places, place, 0, -1)
    spendable = (value // costs) * PPM + (value % costs) * PPM // costs
    return min(spendable // (mark * places[place, I_CASH_PER_PRICE_LOT]), places[place, I_MAX_LOTS])


@kernel("i8(i8[:, ::1], i8[::1])")
def gross_held(places: Any, account: Any) -> int:
    """The value of all positions, long and short ones added, in the account's currency."""
    total = 0
    for place in range(places.shape[0]):
        if places[place, I_POSITION] != 0:
            value = abs(places[place, I_POSITION]) * places[place, I_MARK] * places[place, I_CASH_PER_PRICE_LOT]
            total = add(account, total, in_account_currency(account, value, places[place, I_CURRENCY]))
    return total


@kernel(
    "i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8)",
)
def meet_bar(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, opened_at: int, closed_at: int, open_: int, high: int, low: int, close: int, volume: int,
) -> int:  # fmt: skip
    """Step the bar where it may concern an order, else only take its price."""
    if not is_outside(places, place, low, high, closed_at):
        places[place, I_MARK] = close
        return OK
    if not has_spare_room(book, active, account, fills):
        return BOOK_FULL
    return step_bar(book, active, places, account, fills, place, opened_at, closed_at, open_, high, low, close, volume)


@kernel(
    "i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, i8, i8, i8, i8, i8, i8, i8, i8[:, ::1], i8[::1])",
)
def act_in_pool(
    book: Any, active: Any, places: Any, account: Any, fills: Any,
    place: int, closed_at: int, close: int, volume: int, signal: int, lots: int, stop: int, target: int, rules: Any, rule: Any,
) -> int:  # fmt: skip
    """The rule of `simulate_nb` for one instrument at one close; `rule` is room for its row of `rules`."""
    if signal & bits_that_matter(places[place, I_POSITION]) == 0:
        return OK
    if not has_spare_room(book, active, account, fills):
        return BOOK_FULL
    account[A_NOW] = closed_at
    for column in range(rules.shape[1]):
        rule[column] = rules[place, column]
    if rule[R_SIZING] != BY_LOTS and signal & (ENTER_LONG | ENTER_SHORT):
        lots = pool_lots(places, account, place, rule[R_SIZING], rule[R_SIZE])
    rule[R_SIZING] = BY_LOTS
    act_on_signal(book, active, places, account, place, signal, lots, stop, target, rule)
    if rule[R_AT_CLOSE] == 0:
        return OK
    return match_at_close(book, active, places, account, fills, place, close, volume)


@kernel(
    "i8(i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1],"
    " i1[::1], i8[::1], i8[::1], i8[::1], i8[:, ::1], i8[::1], i8[::1], i8[::1])"
)
def run_pool(
    book: Any, active: Any, places: Any, account: Any, fills: Any, cursor: Any, place: Any,
    opened_at: Any, closed_at: Any, open_: Any, high: Any, low: Any, close: Any, volume: Any,
    signals: Any, lots: Any, stops: Any, targets: Any, rules: Any, rule: Any, line: Any, exposure: Any,
) -> int:  # fmt: skip
    """Play all events; OK when done, BOOK_FULL (give the tables more room and go on from `cursor`), or what is wrong.

    One element an event in `place` to `targets`, in the order of time. `line` and `exposure` have one for each closing time, in the account's currency.
    """
    last = len(place)
    while cursor[C_ACTED] < last:
        at = closed_at[cursor[C_ACTED]]
        while cursor[C_MET] < last and closed_at[cursor[C_MET]] == at:
            event = cursor[C_MET]
            status = meet_bar(
                book, active, places, account, fills, place[event], opened_at[event], at, open_[event], high[event], low[event],
                close[event], volume[event],
            )  # fmt: skip
            if status != OK:
                return status
            cursor[C_MET] += 1
        while cursor[C_ACTED] < cursor[C_MET]:
            event = cursor[C_ACTED]
            status = act_in_pool(
                book, active, places, account, fills, place[event], at, close[event], volume[event], signals[event], lots[event],
                stops[event], targets[event], rules, rule,
            )  # fmt: skip
            if status != OK:
                return status
            cursor[C_ACTED] += 1
        line[cursor[C_POINTS]] = equity(places, account)
        exposure[cursor[C_POINTS]] = gross_held(places, account)
        if account[A_STATUS] != OK:
            return account[A_STATUS]
        cursor[C_POINTS] += 1
    return OK
