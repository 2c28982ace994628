"""How much: capital x risk per trade / (volatility x 2) / price, scaled by the risk factor, never more than the capital buys."""

from __future__ import annotations

import math
from decimal import Decimal

from apps.core.rounding import round_quantity
from apps.core.values import InstrumentSpec
from apps.risk.domain.numbers import is_usable, show
from apps.risk.domain.values import Sizing

DAILY_BARS_PER_YEAR = 252.0


def size_position(
    *,
    instrument: InstrumentSpec,
    capital: Decimal,
    risk_per_trade: Decimal,
    risk_factor: Decimal,
    volatility: float,
    price: Decimal,
    bars_per_year: float = DAILY_BARS_PER_YEAR,
    available: Decimal | None = None,
) -> Sizing:
    """The quantity to hold, on the lot grid; zero with the reason where an input cannot be used or the result is below the minima.

    `volatility` is the standard deviation of one bar's return; it is scaled to a day by `bars_per_year`, so that the same risk per trade means
    the same on every timeframe. Twice the daily volatility is the move that `capital x risk_per_trade` is meant to survive.
    `available` is cash that may be used if that is less than the capital.
    """
    inputs = {
        "capital": show(capital),
        "risk_per_trade": show(risk_per_trade),
        "risk_factor": show(risk_factor),
        "volatility_per_bar": repr(volatility),
        "bars_per_year": repr(bars_per_year),
        "price": show(price),
    }
    if available is not None:
        inputs["available"] = show(available)
    amounts = {"capital": capital, "risk per trade": risk_per_trade, "price": price}
    problem = _problem(amounts, risk_factor=risk_factor, volatility=volatility, bars_per_year=bars_per_year, available=available)
    if problem:
        return Sizing(Decimal(0), problem, inputs)
    daily = Decimal(repr(volatility * math.sqrt(bars_per_year / DAILY_BARS_PER_YEAR)))
    wanted = capital * risk_per_trade / (daily * 2) * risk_factor
    most = capital if available is None else min(capital, max(available, Decimal(0)))
    notional = min(wanted, most)
    quantity = min(round_quantity(notional / (price * instrument.multiplier), instrument.lot_size), instrument.max_quantity)
    quantity = round_quantity(quantity, instrument.lot_size)
    inputs |= {
        "volatility_per_day": f"{daily:.8f}",
        "risk_amount": f"{capital * risk_per_trade:.2f}",
        "wanted_notional": f"{wanted:.2f}",
        "notional_cap": f"{most:.2f}",
        "quantity": show(quantity),
    }
    return _checked(instrument, quantity, price, inputs, is_capped=wanted > most)


def _checked(instrument: InstrumentSpec, quantity: Decimal, price: Decimal, inputs: dict[str, str], *, is_capped: bool) -> Sizing:
    notional = instrument.notional(price, quantity)
    if quantity <= 0 or quantity < instrument.min_quantity:
        return Sizing(
            Decimal(0), f"The size rounds down to {show(quantity)}, less than the least quantity {show(instrument.min_quantity)}.", inputs
        )
    if notional < instrument.min_notional:
        return Sizing(
            Decimal(0), f"The size is worth {show(notional)}, less than the least order value {show(instrument.min_notional)}.", inputs
        )
    reason = (
        f"{inputs['capital']} {instrument.quote_asset} x {inputs['risk_per_trade']} / (2 x {inputs['volatility_per_day']}) / {show(price)}"
    )
    reason += f" x {inputs['risk_factor']}, rounded down to lots of {show(instrument.lot_size)}"
    if is_capped:
        reason += f", capped at {inputs['notional_cap']} {instrument.quote_asset}"
    return Sizing(quantity, f"{show(quantity)} {instrument.symbol}: {reason}.", inputs)


def _problem(
    amounts: dict[str, Decimal], *, risk_factor: Decimal, volatility: float, bars_per_year: float, available: Decimal | None
) -> str:
    """Why no size can be worked out; empty if one can."""
    for name, value in amounts.items():
        if not is_usable(value, positive=True):
            return f"No size: the {name} is {value}."
    if not is_usable(risk_factor) or not 0 <= risk_factor <= 1 or (available is not None and not is_usable(available)):
        return f"No size: the risk factor is {risk_factor} and the available cash {available}."
    if not math.isfinite(volatility) or volatility <= 0:
        return f"No size: the volatility is {volatility}; without it the risk of a position cannot be known."
    if not math.isfinite(bars_per_year) or bars_per_year <= 0:
        return f"No size: {bars_per_year} bars a year cannot be."
    return ""
