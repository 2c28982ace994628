"""Average cost in exact integers: examples, and what must hold of any sequence of trades."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.portfolio.domain.ledger import Change, Holding, RoundTrip, Trade, book_trade

TRADES = st.lists(
    st.builds(
        Trade,
        lots=st.integers(-500, 500).filter(bool),
        value_per_lot=st.integers(1, 10**12),
        fee=st.integers(-100, 10**6),
    ),
    min_size=1,
    max_size=40,
)


def test_buying_twice_averages_the_cost() -> None:
    first = book_trade(Holding(), Trade(10, 100, 5))
    second = book_trade(first.holding, Trade(10, 200, 5))
    assert (first.change, second.change) == (Change.OPENED, Change.CHANGED)
    assert second.holding == Holding(
        lots=20, cost=3000, realised=0, fees=10, trip_lots=20, trip_realised=0, trip_fees=10, trip_entry_value=3000
    )


def test_a_partial_close_rounds_toward_zero_and_what_is_left_stays_in_the_cost() -> None:
    held = Holding(lots=3, cost=100, trip_lots=3, trip_entry_value=100)
    sold = book_trade(held, Trade(-1, 50, 0)).holding
    assert (sold.lots, sold.cost, sold.realised) == (2, 67, 17)
    again = book_trade(sold, Trade(-1, 50, 0)).holding
    assert (again.lots, again.cost, again.realised) == (1, 34, 34)
    last = book_trade(again, Trade(-1, 50, 0))
    assert (last.holding.cost, last.holding.realised) == (0, 50)
    assert (last.change, last.closed) == (Change.CLOSED, RoundTrip(lots=3, realised=50, fees=0, entry_value=100))


def test_a_short_gains_when_it_is_bought_back_lower() -> None:
    short = book_trade(Holding(), Trade(-10, 100, 1)).holding
    assert (short.lots, short.cost) == (-10, -1000)
    half = book_trade(short, Trade(5, 80, 1)).holding
    assert (half.lots, half.cost, half.realised) == (-5, -500, 100)
    closed = book_trade(half, Trade(5, 120, 1))
    assert closed.holding == Holding(realised=0, fees=3)
    assert closed.closed == RoundTrip(lots=-10, realised=0, fees=3, entry_value=1000)


def test_a_trade_through_zero_closes_one_trip_and_opens_the_next_with_its_part_of_the_fee() -> None:
    held = book_trade(Holding(), Trade(10, 100, 10)).holding
    flipped = book_trade(held, Trade(-30, 110, 10))
    assert flipped.change is Change.FLIPPED
    assert flipped.closed == RoundTrip(lots=10, realised=100, fees=13, entry_value=1000)
    assert flipped.holding == Holding(
        lots=-20, cost=-2200, realised=100, fees=20, trip_lots=-20, trip_realised=0, trip_fees=7, trip_entry_value=2200
    )


@given(trades=TRADES)
def test_cost_less_realised_is_exactly_what_was_paid(trades: list[Trade]) -> None:
    holding, paid = Holding(), 0
    for trade in trades:
        holding = book_trade(holding, trade).holding
        paid += trade.lots * trade.value_per_lot
        assert holding.cost - holding.realised == paid
    assert holding.lots == sum(trade.lots for trade in trades)
    assert holding.fees == sum(trade.fee for trade in trades)


@given(trades=TRADES)
def test_a_flat_position_has_no_cost_and_cost_has_the_sign_of_the_position(trades: list[Trade]) -> None:
    holding = Holding()
    for trade in trades:
        holding = book_trade(holding, trade).holding
        assert holding.cost * holding.lots >= 0
        if not holding.lots:
            assert (holding.cost, holding.trip_lots, holding.trip_realised, holding.trip_fees) == (0, 0, 0, 0)


@given(trades=TRADES)
def test_round_trips_and_the_open_trip_add_up_to_the_totals(trades: list[Trade]) -> None:
    holding, trips = Holding(), []
    for trade in trades:
        booking = book_trade(holding, trade)
        holding = booking.holding
        assert (booking.closed is not None) == (booking.change in (Change.CLOSED, Change.FLIPPED))
        if booking.closed:
            trips.append(booking.closed)
    assert sum(trip.realised for trip in trips) + holding.trip_realised == holding.realised
    assert sum(trip.fees for trip in trips) + holding.trip_fees == holding.fees


@given(trades=TRADES)
def test_entry_value_and_result_give_the_value_at_exit(trades: list[Trade]) -> None:
    """Played lot by lot: what left a trip is its entry value plus (long) or minus (short) what it realised."""
    holding, left = Holding(), 0
    for trade in trades:
        closing = min(abs(holding.lots), abs(trade.lots)) if holding.lots * trade.lots < 0 else 0
        left += closing * trade.value_per_lot
        booking = book_trade(holding, trade)
        if booking.closed:
            direction = 1 if booking.closed.lots > 0 else -1
            assert left == booking.closed.entry_value + direction * booking.closed.realised
            left = 0
        holding = booking.holding


@given(trades=TRADES, mark=st.integers(1, 10**12), capital=st.integers(0, 10**15))
def test_realised_and_unrealised_explain_the_equity(trades: list[Trade], mark: int, capital: int) -> None:
    holding, cash = Holding(), capital
    for trade in trades:
        holding = book_trade(holding, trade).holding
        cash -= trade.lots * trade.value_per_lot + trade.fee
    market_value = holding.lots * mark
    equity, unrealised = cash + market_value, market_value - holding.cost
    assert holding.realised + unrealised == equity - capital + holding.fees
