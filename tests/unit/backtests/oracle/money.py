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


def closing_lots(place: Place, side: int, lots: int) -> int:
    """How many of these lots only reduce the position."""
    return min(lots, abs(place.position)) if sign(place.position) == -side else 0


def need(state: State, place: Place, side: int, lots: int, price: int, *, is_maker: bool) -> int:
    """Margin and fee of the lots that increase exposure, in the account currency; zero where none does."""
    instrument = place.instrument
    increasing = lots - closing_lots(place, side, lots)
    if increasing <= 0:
        return 0
    unit = price * instrument.cash_per_price_lot
    rate = state.rates[instrument.currency]
    margin = convert_up(share_up(increasing * unit, instrument.initial_ppm), rate)
    paid = fee(instrument, lots * unit, lots, is_maker=is_maker, traded_value=state.traded_value)
    return margin + convert_up(paid, rate)


def _free_after_closing(state: State, place: Place, side: int, closing: int, price: int) -> int:
    """Free cash once the reducing part of an order has traded at `price`."""
    currency = place.instrument.currency
    place.position += side * closing
    state.cash[currency] -= side * closing * price * place.instrument.cash_per_price_lot
    free = free_cash(state)
    place.position -= side * closing
    state.cash[currency] += side * closing * price * place.instrument.cash_per_price_lot
    return free


def can_afford(state: State, place: Place, side: int, lots: int, price: int, *, is_maker: bool) -> bool:
    closing = closing_lots(place, side, lots)
    if lots <= closing:
        return True
    return need(state, place, side, lots, price, is_maker=is_maker) <= _free_after_closing(state, place, side, closing, price)


def affordable_lots(state: State, place: Place, side: int, lots: int, price: int, *, is_maker: bool) -> int:
    """The largest number of lots, at most `lots`, that can be afforded."""
    closing = closing_lots(place, side, lots)
    for low, high in reversed(_fee_regimes(place.instrument, closing, lots)):
        best = _largest(low, high, lambda count: can_afford(state, place, side, count, price, is_maker=is_maker))
        if best > low or (best == low and can_afford(state, place, side, low, price, is_maker=is_maker)):
            return best
    return closing


def _fee_regimes(instrument: Instrument, closing: int, lots: int) -> list[tuple[int, int]]:
    """Ranges of lots in which the fee never falls: it falls only where a cap starts to apply."""
    if not (instrument.fee_cap_above_minimum and instrument.fee_per_lot_ppm):
        return [(closing, lots)]
    uncapped = instrument.fee_minimum * PPM // instrument.fee_per_lot_ppm
    if not closing <= uncapped < lots:
        return [(closing, lots)]
    return [(closing, uncapped), (uncapped + 1, lots)]


def _largest(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The largest number in [low, high] for which a falling condition holds; `low` where it never does."""
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
