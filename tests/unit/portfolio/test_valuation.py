"""Worth of an account."""

from __future__ import annotations

from decimal import Decimal

from apps.portfolio.domain.valuation import Held, drawdown, value_account


def _held(quantity: int, cost: int, mark: int | None) -> Held:
    return Held(Decimal(quantity), Decimal(cost), None if mark is None else Decimal(mark), 1, Decimal(7), Decimal(1))


def test_longs_and_shorts_are_netted_in_equity_and_added_in_exposure() -> None:
    worth = value_account(Decimal(1000), [_held(10, 90, 10), _held(-5, -60, 10)])
    assert (worth.holdings_value, worth.gross_exposure, worth.equity) == (50, 150, 1050)
    assert (worth.unrealised_pnl, worth.realised_pnl, worth.fees) == (20, 14, 2)


def test_without_a_mark_a_position_counts_at_cost() -> None:
    assert value_account(Decimal(0), [_held(10, 90, None)]).equity == 90


def test_drawdown_is_a_fraction_of_the_peak() -> None:
    assert drawdown(peak=Decimal(200), equity=Decimal(150)) == Decimal("0.25")
    assert drawdown(peak=Decimal(200), equity=Decimal(201)) == 0
    assert drawdown(peak=Decimal(0), equity=Decimal(-1)) == 0
