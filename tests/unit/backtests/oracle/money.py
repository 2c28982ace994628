"""Equity, margin, free cash and how many lots they buy."""

from __future__ import annotations

from collections.abc import Callable

from apps.orders.domain.engine_codes import PPM
from tests.unit.backtests.oracle.costs import convert_down, convert_up, fee, share_up
from tests.unit.backtests.oracle.model import Instrument, Place, State, sign


def position_value(place: Place, price: int) -> int:
    return place.position * price * place.instrument.cash_per_price_lot


def equity(state: State, prices: dict[int, int] | None = None) -> int:
    """In the account currency; `prices` replace the marks of some places."""
    total = sum(convert_down(amount, rate) for amount, rate in zip(state.cash, state.rates, strict=True))
    for number, place in enumerate(state.places):
        price = (prices or {}).get(number, place.mark)
        total += convert_down(position_value(place, price), state.rates[place.instrument.currency])
    return total


def _margin(state: State, prices: dict[int, int] | None, *, is_initial: bool) -> int:
    total = 0
    for number, place in enumerate(state.places):
        price = (prices or {}).get(number, place.mark)
        ppm = place.instrument.initial_ppm if is_initial else place.instrument.maintenance_ppm
        total += convert_up(share_up(abs(position_value(place, price)), ppm), state.rates[place.instrument.currency])
    return total


def initial_margin(state: State, prices: dict[int, int] | None = None) -> int:
    return _margin(state, prices, is_initial=True)


def maintenance(state: State, prices: dict[int, int] | None = None) -> int:
    return _margin(state, prices, is_initial=False)


def free_cash(state: State, prices: dict[int, int] | None = None) -> int:
    return equity(state, prices) - initial_margin(state, prices)


def is_below_maintenance(state: State, prices: dict[int, int] | None = None) -> bool:
    return equity(state, prices) < maintenance(state, prices)


def is_cash_only(state: State) -> bool:
    """Nothing can be borrowed in any way: such an account cannot be liquidated."""
    return len(state.cash) == 1 and all(p.instrument.initial_ppm == PPM and not p.instrument.allows_short for p in state.places)


def closing_lots(place: Place, side: int, lots: int) -> int:
    """How many of these lots only reduce the position."""
    return min(lots, abs(place.position)) if sign(place.position) == -side else 0


def free_cash_after(state: State, number: int, side: int, lots: int, price: int, *, is_maker: bool) -> int:
    """Free cash once `lots` have traded at `price`, the instrument being marked at that price."""
    place, currency = state.places[number], state.places[number].instrument.currency
    value = lots * price * place.instrument.cash_per_price_lot
    paid = side * value + fee(place.instrument, value, lots, is_maker=is_maker, traded_value=state.traded_value)
    place.position += side * lots
    state.cash[currency] -= paid
    free = free_cash(state, {number: price})
    place.position -= side * lots
    state.cash[currency] += paid
    return free


def affordable_lots(state: State, number: int, side: int, lots: int, price: int, *, is_maker: bool) -> int:
    """The largest number of lots, at most `lots`, that can be afforded; what only reduces always can."""
    closing = closing_lots(state.places[number], side, lots)
    if lots == closing:
        return lots

    def can_afford(count: int) -> bool:
        return free_cash_after(state, number, side, count, price, is_maker=is_maker) >= 0

    for low, high in reversed(_fee_regimes(state.places[number].instrument, closing + 1, lots)):
        best = _largest(low - 1, high, can_afford)
        if best >= low:
            return best
    return closing


def _fee_regimes(instrument: Instrument, first: int, lots: int) -> list[tuple[int, int]]:
    """Ranges of lots in which the fee never falls: it falls only where a cap starts to apply."""
    if not (instrument.fee_cap_above_minimum and instrument.fee_per_lot_ppm):
        return [(first, lots)]
    uncapped = instrument.fee_minimum * PPM // instrument.fee_per_lot_ppm
    if not first <= uncapped < lots:
        return [(first, lots)]
    return [(first, uncapped), (uncapped + 1, lots)]


def _largest(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The largest number in [low, high] for which a falling condition holds; `low` where it never does."""
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
