"""Capital x risk per trade / (2 x volatility) / price, within the capital, on the lot."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.domain.sizing import size_position
from tests.unit.risk.proposals import INSTRUMENT

GOOD: dict[str, Any] = {
    "instrument": INSTRUMENT,
    "capital": Decimal(100000),
    "risk_per_trade": Decimal("0.02"),
    "risk_factor": Decimal(1),
    "volatility": 0.02,
    "price": Decimal(50),
}


def test_the_formula() -> None:
    sizing = size_position(**GOOD)
    assert sizing.quantity == 1000
    assert sizing.inputs["wanted_notional"] == "50000.00"
    assert sizing.inputs["volatility_per_bar"] == "0.02"
    assert sizing.reason.startswith("1000 AAPL: 100000 USD x 0.02 / (2 x 0.02")


def test_the_risk_factor_scales_the_size() -> None:
    assert size_position(**GOOD | {"risk_factor": Decimal("0.4")}).quantity == 400
    assert size_position(**GOOD | {"risk_factor": Decimal(0)}).quantity == 0


def test_a_quiet_market_is_capped_by_the_capital() -> None:
    sizing = size_position(**GOOD | {"volatility": 0.0001, "price": Decimal("49.99")})
    assert sizing.quantity == 2000
    assert "capped at 100000.00 USD" in sizing.reason


def test_available_cash_caps_the_size() -> None:
    assert size_position(**GOOD, available=Decimal("1000.50")).quantity == 20
    assert size_position(**GOOD, available=Decimal(-5)).quantity == 0


def test_the_same_market_sizes_alike_on_every_timeframe() -> None:
    minute_bars = 252.0 * 390
    minute = size_position(**GOOD | {"volatility": 0.02 / math.sqrt(390)}, bars_per_year=minute_bars)
    assert abs(minute.quantity - 1000) <= 1


def test_what_rounds_below_the_minima_is_zero_with_the_reason() -> None:
    small = size_position(**GOOD | {"capital": Decimal(40)})
    assert small.quantity == 0
    assert "least quantity 1" in small.reason
    cheap = size_position(**GOOD | {"capital": Decimal(10), "price": Decimal("1.5")})
    assert cheap.quantity == 0
    assert "least order value 10" in cheap.reason


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("volatility", 0.0), ("volatility", float("nan")), ("volatility", float("inf")), ("volatility", -0.1),
        ("price", Decimal(0)), ("price", Decimal("NaN")), ("price", Decimal("Infinity")),
        ("capital", Decimal(-1)), ("capital", Decimal("NaN")), ("risk_per_trade", Decimal("NaN")), ("risk_per_trade", Decimal(0)),
        ("risk_factor", Decimal("NaN")), ("risk_factor", Decimal(-1)), ("risk_factor", Decimal("1.1")), ("bars_per_year", float("nan")),
    ],
)  # fmt: skip
def test_an_unusable_input_gives_no_size_and_says_why(name: str, bad: Any) -> None:
    sizing = size_position(**GOOD | {name: bad})
    assert sizing.quantity == 0
    assert sizing.reason.startswith("No size")


@given(
    capital=st.decimals("0.01", 10**9, places=2),
    risk=st.decimals("0.0001", 1, places=4),
    factor=st.decimals(0, 1, places=3),
    volatility=st.floats(1e-6, 5.0),
    price=st.decimals("0.01", 100000, places=2),
)
def test_never_more_than_the_capital_buys_and_always_whole_lots(
    capital: Decimal, risk: Decimal, factor: Decimal, volatility: float, price: Decimal
) -> None:
    sizing = size_position(
        instrument=INSTRUMENT, capital=capital, risk_per_trade=risk, risk_factor=factor, volatility=volatility, price=price
    )
    assert sizing.quantity >= 0
    assert sizing.quantity % INSTRUMENT.lot_size == 0
    assert sizing.quantity * price <= capital
    assert sizing.quantity <= INSTRUMENT.max_quantity
