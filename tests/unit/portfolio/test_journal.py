"""Every set of lines sums to zero per asset."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.vocabulary import Side
from apps.portfolio.domain.journal import LedgerAccount, Line, _balanced, deposit_lines, fill_lines, imbalance
from tests.unit.risk.proposals import INSTRUMENT


def test_a_buy_moves_cash_to_holdings_with_the_market_on_the_other_side() -> None:
    lines = fill_lines(
        instrument=INSTRUMENT, side=Side.BUY, quantity=Decimal(10), price=Decimal("50.25"), fee=Decimal("0.5"), fee_asset="USD"
    )
    assert lines == (
        Line(LedgerAccount.CASH, "USD", Decimal("-502.50")),
        Line(LedgerAccount.MARKET, "USD", Decimal("502.50")),
        Line(LedgerAccount.HOLDINGS, "AAPL", Decimal(10)),
        Line(LedgerAccount.MARKET, "AAPL", Decimal(-10)),
        Line(LedgerAccount.CASH, "USD", Decimal("-0.5")),
        Line(LedgerAccount.FEES, "USD", Decimal("0.5")),
    )


def test_a_fee_in_another_asset_leaves_that_asset_s_cash() -> None:
    lines = fill_lines(instrument=INSTRUMENT, side=Side.SELL, quantity=Decimal(1), price=Decimal(50), fee=Decimal("0.01"), fee_asset="BNB")
    assert lines[-2:] == (Line(LedgerAccount.CASH, "BNB", Decimal("-0.01")), Line(LedgerAccount.FEES, "BNB", Decimal("0.01")))
    assert lines[0].amount == 50


def test_a_deposit_comes_from_capital() -> None:
    assert imbalance(deposit_lines(amount=Decimal(100), asset="USD")) == {}


def test_lines_that_do_not_balance_are_refused() -> None:
    with pytest.raises(InvalidInput, match="do not sum to zero"):
        _balanced([Line(LedgerAccount.CASH, "USD", Decimal(1)), Line(LedgerAccount.CAPITAL, "EUR", Decimal(-1))])


@given(
    side=st.sampled_from(Side),
    quantity=st.decimals("0.00000001", 10**6, places=8),
    price=st.decimals("0.0001", 10**5, places=4),
    fee=st.decimals(-10, 10**4, places=8),
    fee_asset=st.sampled_from(["USD", "AAPL", "BNB"]),
)
def test_every_fill_sums_to_zero_per_asset(side: Side, quantity: Decimal, price: Decimal, fee: Decimal, fee_asset: str) -> None:
    lines = fill_lines(instrument=INSTRUMENT, side=side, quantity=quantity, price=price, fee=fee, fee_asset=fee_asset)
    assert imbalance(lines) == {}
