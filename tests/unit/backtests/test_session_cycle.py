"""The decision cycle in memory: its order of things, its books, its ends. That it does what paper does is tests/integration/backtests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.backtests.domain.session_cycle import run_sessions
from apps.backtests.domain.session_forecasts import NoForecasts
from apps.backtests.domain.session_parity import DifferenceKind, compare, rows_of
from apps.backtests.domain.session_result import SessionRun
from apps.core.errors import InvalidInput
from apps.core.ids import deterministic_uuid
from apps.strategies.domain.outcomes import Outcome
from apps.strategies.domain.strategy import build_strategy
from tests.factories.windows import DAY, make_spec, random_window, real_window
from tests.unit.backtests.sessions import TERMS, Scripted, account, opening, run, session

FIRST_DAY = int(random_window(2, seed=0).opened_at[0]) // DAY


def long_between(first: int, last: int) -> Scripted:
    """Long on the bars [first, last) of a window from the factory."""
    return Scripted(long=range(FIRST_DAY + first, FIRST_DAY + last))


def test_an_order_meets_the_next_bar_and_the_exit_closes_it() -> None:
    window = random_window(120, seed=3)
    made = run(long_between(80, 90), window)
    assert [item.outcome for item in made.decisions if item.order_id] == [Outcome.TRADE, Outcome.TRADE]
    entry, leave = made.fills
    assert (entry.at, leave.at) == (opening(window, 81), opening(window, 91))
    assert entry.quantity == leave.quantity > 0
    assert entry.reason == leave.reason == "MARKET_AT_OPEN"
    assert made.decisions[10].sentence.startswith(f"Keep {entry.quantity.normalize():f} TEST.")
    assert made.holdings[window.instrument.id].lots == 0
    (trip,) = made.trips
    assert (trip.opened_at, trip.closed_at, trip.quantity) == (entry.at, leave.at, entry.quantity)
    assert made.cash == 100_000 + trip.realised - trip.fees == made.equity[-1].valuation.equity


def test_nothing_is_decided_on_bars_before_the_opening_and_each_later_bar_once() -> None:
    window = random_window(100, seed=4)
    made = run(build_strategy("momentum", {}), window, after=69)
    assert [item.bar_at for item in made.decisions] == [opening(window, index) for index in range(70, 100)]
    assert [point.at for point in made.equity] == [opening(window, index) for index in range(69, 100)]
    assert {item.bars_used for item in made.decisions} == set(range(71, 101))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), first=st.integers(75, 90), length=st.integers(1, 20))
def test_books_add_up_and_the_same_run_is_the_same(seed: int, first: int, length: int) -> None:
    window = random_window(130, seed=seed, volatility=0.03)
    made, again = (run(long_between(first, first + length), window) for _ in range(2))
    assert compare(rows_of(made), rows_of(again)) == []
    assert made.decisions == again.decisions and made.fills == again.fills
    check_books(made)


def check_books(made: SessionRun) -> None:
    """Cash is the capital less what was paid; equity is capital and profit less fees at every point; the peak never falls."""
    paid = sum((fill.side.sign * fill.instrument.notional(fill.price, fill.quantity) + fill.fee for fill in made.fills), Decimal(0))
    assert made.cash == made.account.capital - paid
    for point in made.equity:
        worth = point.valuation
        assert worth.equity == made.account.capital + worth.realised_pnl + worth.unrealised_pnl - worth.fees
    peaks = [point.peak for point in made.equity]
    assert peaks == sorted(peaks)


def test_sessions_of_one_account_share_its_room() -> None:
    window = random_window(120, seed=5)
    other = random_window(120, seed=6)
    other = replace(other, instrument=make_spec("OTHER"))
    strategy = long_between(80, 119)
    plans = [session(strategy, window, number=1, max_positions=1), session(strategy, other, number=2, max_positions=1)]
    made = run_sessions(account(opening(window, 70)), plans, [window, other], forecasts=NoForecasts())
    outcomes = {plan.id: [item.outcome for item in made.decisions if item.session_id == plan.id] for plan in plans}
    assert outcomes[plans[0].id][9] is outcomes[plans[1].id][9] is Outcome.TRADE, "both were decided before either had filled"
    single = run_sessions(
        account(opening(window, 70)),
        [plans[0], replace(plans[1], starts_after=opening(window, 81))],
        [window, other],
        forecasts=NoForecasts(),
    )
    refused = [item for item in single.decisions if item.outcome is Outcome.REFUSED_BY_RISK]
    assert len(refused) == 118 - 81
    assert refused[0].sentence.startswith("The account holds 1 positions")


def test_what_open_orders_reserve_counts_against_the_next_order_of_the_bar() -> None:
    window = random_window(120, seed=7)
    strategy = long_between(80, 119)
    plans = [
        session(strategy, window, number=number, limits={**session(strategy, window).limits, "MAX_OPEN_ORDERS": Decimal(1)})
        for number in (1, 2)
    ]
    made = run_sessions(account(opening(window, 70)), plans, [window], forecasts=NoForecasts())
    tenth = [item for item in made.decisions if item.bar_at == opening(window, 80)]
    assert [item.outcome for item in tenth] == [Outcome.TRADE, Outcome.REFUSED_BY_RISK]
    assert "open order number 2" in tenth[1].sentence


def test_a_strategy_that_raises_stops_its_session_alone() -> None:
    window = random_window(110, seed=8)
    plans = [session(Scripted(raises_at=FIRST_DAY + 80), window, number=1), session(long_between(0, 0), window, number=2)]
    made = run_sessions(account(opening(window, 70)), plans, [window], forecasts=NoForecasts())
    mine = [item for item in made.decisions if item.session_id == plans[0].id]
    assert mine[-1].outcome is Outcome.FAILED
    assert mine[-1].sentence == "Scripted raised ZeroDivisionError: no such day. The session stops and keeps what it holds."
    assert made.failed == {plans[0].id: mine[-1].sentence}
    assert sum(item.session_id == plans[1].id for item in made.decisions) == 39


def test_an_order_without_a_further_bar_is_cancelled_when_its_session_ends() -> None:
    short = random_window(90, seed=9)
    longer = replace(random_window(100, seed=10), instrument=make_spec("LONGER"))
    plans = [session(long_between(89, 200), short, number=1), session(long_between(0, 0), longer, number=2)]
    made = run_sessions(account(opening(short, 70)), plans, [short, longer], forecasts=NoForecasts())
    assert made.fills == []
    assert made.cancelled == {made.orders[0].id}


def test_other_parameters_hold_from_the_bar_at_which_they_came() -> None:
    window = real_window("sp500").part(0, 400)
    calm, quick = build_strategy("momentum", {}), build_strategy("momentum", {"fast_bars": 5, "slow_bars": 20})
    plain = session(calm, window)
    changed = replace(plain, parameters_since={opening(window, 300): quick})
    runs = [run_sessions(account(opening(window, 200)), [plan], [window], forecasts=NoForecasts()) for plan in (plain, changed)]
    first, second = (made.decisions for made in runs)
    assert first[:99] == second[:99]
    assert "5-bar average" in second[99].sentence and "20-bar average" in first[99].sentence


def test_a_session_without_bars_is_refused() -> None:
    window = random_window(80, seed=11)
    plan = replace(session(long_between(0, 0), window), instrument_id=deterministic_uuid("nowhere"))
    with pytest.raises(InvalidInput, match="no bars"):
        run_sessions(account(opening(window, 70)), [plan], [window], forecasts=NoForecasts())


def test_a_look_into_the_future_would_show_and_there_is_none() -> None:
    window = real_window("nasdaq").part(0, 700)
    whole = run(build_strategy("momentum", {}), window, after=300)
    for cut in (420, 555, 699):
        part = run(build_strategy("momentum", {}), window.part(0, cut), after=300)
        assert part.decisions == whole.decisions[: len(part.decisions)]
        assert part.equity == whole.equity[: len(part.equity)]


def test_each_planted_difference_is_named() -> None:
    window = random_window(120, seed=12)
    strategy = long_between(80, 90)
    plan = session(strategy, window)
    opened = account(opening(window, 70))
    base = rows_of(run_sessions(opened, [plan], [window], forecasts=NoForecasts()))

    def kinds(**changes: object) -> list[DifferenceKind]:
        given = {"account": opened, "plan": plan, "window": window} | changes
        made = run_sessions(given["account"], [given["plan"]], [given["window"]], forecasts=NoForecasts())  # type: ignore[arg-type, list-item]
        return list(dict.fromkeys(item.kind for item in compare(base, rows_of(made))))

    dearer = replace(TERMS, fee_bps=Decimal(6)).engine_profile
    assert kinds(account=replace(opened, profile=dearer))[0] is DifferenceKind.FEE
    wider = replace(TERMS, spread_bps=Decimal(40)).engine_profile
    assert kinds(account=replace(opened, profile=wider))[0] is DifferenceKind.FILL
    assert kinds(plan=replace(plan, risk_per_trade=Decimal("0.01")))[0] is DifferenceKind.SIZE
    assert kinds(plan=replace(plan, strategy=long_between(81, 90)))[0] is DifferenceKind.SIGNAL
    volume = window.volume.copy()
    volume[75] += 1
    assert kinds(window=replace(window, volume=volume))[0] is DifferenceKind.DATA
    limits = {**plan.limits, "MAX_OPEN_ORDERS": Decimal(7)}
    assert kinds(plan=replace(plan, limits=limits)) == [DifferenceKind.RISK]
    assert not np.array_equal(volume, window.volume)
