"""Several instruments on one account: arrays, events and the oracle agree, and one instrument is the fast path."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from apps.backtests.domain.config import FillTiming, Profile, RunConfig, RunMode, Sizing, SizingMethod
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.pool import bar_columns, pool_of
from apps.backtests.domain.pool_nb import out_of_account_currency
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.research_run import run_events, run_pool_events
from apps.backtests.domain.scoring import buy_and_hold, measure
from apps.backtests.domain.vector_run import SignalRunner
from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow
from apps.orders.domain import engine_codes as code
from apps.portfolio.domain import ledger_codes as ledger
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, FillEvent
from apps.strategies.domain.signal_bits import ENTER_LONG
from apps.strategies.domain.vector_events import VectorAsEvents
from apps.strategies.domain.vector_strategy import Signals
from tests.factories.windows import make_spec, make_window
from tests.unit.backtests.pools import (
    FIRST,
    HOUR,
    Plan,
    Planned,
    World,
    fills_of,
    fingerprint,
    run_arrays,
    run_each,
    run_oracle,
    run_together,
    sized,
    still_open,
    world_of,
)
from tests.unit.backtests.seeds import fresh_seed

WORLDS = 25


def test_arrays_and_events_of_both_kinds_leave_the_same_records() -> None:
    first, fills = fresh_seed() % 10**6, 0
    for seed in range(first, first + WORLDS):
        world = world_of(seed)
        made = run_arrays(world)
        assert (seed, fingerprint(made)) == (seed, fingerprint(run_each(world))) == (seed, fingerprint(run_together(world)))
        fills += len(made.fills)
    assert fills > 10 * WORLDS


def test_the_oracle_gives_the_same_fills_cash_and_equity() -> None:
    first = fresh_seed() % 10**6
    for seed in range(first, first + WORLDS):
        world = still_open(world_of(seed))
        made, expected = run_arrays(world), run_oracle(world)
        assert fills_of(made) == expected.fills, seed
        assert made.equity.tolist() == expected.line, seed
        assert cash_of(made) == expected.cash, seed


def test_a_run_of_one_instrument_is_the_fast_path() -> None:
    first = fresh_seed() % 10**6
    for seed in range(first, first + WORLDS):
        world = world_of(seed, instruments=1)
        pool = pool_of(world.config, world.windows)
        bars = bar_columns(world.windows[0])
        runner = SignalRunner(pool.specs[0], engine_profile(world.config), bars, cash=world.config.capital)
        fast = runner.run(sized(world, pool)[0], closes_at_end=world.config.closes_at_end).records()
        told = run_events(VectorAsEvents(Planned(Plan(world.signals))), world.config, world.windows[0])
        made = run_arrays(world)
        for name in ("fills", "trades", "entries", "equity_at", "equity"):
            assert (seed, getattr(made, name).tolist()) == (seed, getattr(fast, name).tolist())
        assert made.orders[:, : code.O_ENDED_AT].tolist() == fast.orders[:, : code.O_ENDED_AT].tolist()
        assert fast.fills_hash() == told.fills_hash() == run_each(world).fills_hash() == made.fills_hash()


def test_entries_balance_in_every_currency() -> None:
    world = world_of(fresh_seed() % 10**6)
    made = run_arrays(world)
    for asset in np.unique(made.entries[:, ledger.L_ASSET]):
        assert made.entries[made.entries[:, ledger.L_ASSET] == asset, ledger.L_AMOUNT].sum() == 0


def test_what_closes_at_a_time_is_known_before_anything_is_decided_at_it() -> None:
    """The first instrument is decided before the second one, and already sees what the second one's bar has filled."""
    heard: list[tuple[str, int, int]] = []

    class Looks(EventStrategy):
        trades_several = True

        def on_bar(self, bar: BarEvent) -> None:
            heard.append((bar.symbol, bar.index, int(self.position_of("B"))))
            if bar.symbol == "A" and bar.index == 0:
                self.buy(5, symbol="B")

    run_pool_events(lambda: Looks(None), config(), two_windows())
    assert heard[:4] == [("A", 0, 0), ("B", 0, 0), ("A", 1, 5), ("B", 1, 5)]


def test_equity_has_one_point_for_each_closing_time_with_the_last_prices() -> None:
    buys = Signals(np.array([ENTER_LONG, 0, 0], np.int8), np.array([10], np.int64))
    waits = Signals(np.zeros(2, np.int8))
    early = hourly("B", [100_00, 200_00], currency="EUR")
    world = World(config(), [hourly("A", [100_00, 110_00, 120_00]), early], {"A": buys, "B": replace(buys, bits=buys.bits[:2])})
    made = run_arrays(world)
    assert made.equity_at.tolist() == [FIRST + (hour + 1) * HOUR for hour in range(3)]
    assert made.equity.tolist() == [100_000 * 10**8, _worth(110, 200), _worth(120, 200)]
    assert made.exposure is not None and made.exposure.tolist() == [0, (1100 + 2500) * 10**8, (1200 + 2500) * 10**8]
    assert run_arrays(replace(world, signals={"A": buys, "B": waits})).equity.tolist()[-1] == (100_000 + 10 * 20) * 10**8


def _worth(close: int, other: int) -> int:
    """Ten of A and ten of B, which is paid in euros, all bought at 100."""
    return (100_000 + 10 * (close - 100)) * 10**8 + int(10 * (other - 100) * Decimal("1.25")) * 10**8


@pytest.mark.parametrize("symbols", ["A", "AB"])
@pytest.mark.parametrize("latency_ms", [0, 60_000])
def test_what_is_held_at_the_end_is_sold_there_whatever_the_latency(symbols: str, latency_ms: int) -> None:
    ends = msgspec.structs.replace(config(), closes_at_end=True, latency_ms=latency_ms)
    buys = Signals(np.array([ENTER_LONG, 0, 0, 0, 0], np.int8), np.array([10], np.int64))
    windows = [hourly(symbol, [100_00] * 4 + [110_00]) for symbol in symbols]
    world = World(ends, windows, dict.fromkeys(symbols, buys))
    made = run_arrays(world)
    alone = [run_events(VectorAsEvents(Planned(Plan(world.signals))), ends, windows[0])] if len(symbols) == 1 else []
    for run in (made, run_each(world), *alone):
        sold = run.fills[run.fills[:, code.F_SIDE] < 0]
        assert sold[:, [code.F_PLACE, code.F_AT, code.F_LOTS]].tolist() == [[place, FIRST + 5 * HOUR, 10] for place in range(len(symbols))]
        assert len(run.trades) == len(symbols)
        assert int(run.equity[-1]) == (100_000 + 100 * len(symbols)) * 10**8


def test_warm_up_ends_for_each_instrument_with_its_own_bars() -> None:
    """Trading begins with the bar that opens at `trade_from` or later; before, orders of any strategy do nothing."""
    start = msgspec.structs.replace(config(), trade_from=_at(2))
    always = {symbol: Signals(np.full(6, ENTER_LONG, np.int8), np.array([1], np.int64)) for symbol in "AB"}
    windows = [hourly("A", [100_00] * 6), hourly("B", [100_00] * 4, first=2.5)]
    world = World(start, windows, {"A": always["A"], "B": replace(always["B"], bits=always["B"].bits[:4])})
    each, together = run_each(world), run_together(world)
    assert each.fills_hash() == together.fills_hash()
    assert each.fills[:, [code.F_PLACE, code.F_AT]].tolist() == [[0, FIRST + 4 * HOUR], [1, FIRST + int(4.5 * HOUR)]]


def test_a_strategy_of_several_names_the_instrument_of_every_call() -> None:
    fills: list[FillEvent] = []

    class Pairs(EventStrategy):
        trades_several = True

        def on_fill(self, fill: FillEvent) -> None:
            fills.append(fill)

        def on_bar(self, bar: BarEvent) -> None:
            assert self.symbols == ("A", "B")
            if bar.symbol == "B" and bar.index == 0:
                self.ticket = self.buy(4, symbol="A", limit=90)
                self.sell(3)
            if bar.symbol == "B" and bar.index == 1:
                assert [self.position_of("A"), self.position_of("B"), Decimal(self.position)] == [0, -3, -3]
                assert self.amend(self.ticket, limit=100.5, quantity=6) == 0
                self.close()
            if bar.symbol == "A" and bar.index == 3:
                assert [self.position_quantity, self.position_of("B")] == [6, 0]
                self.close("A")

    made = run_pool_events(lambda: Pairs(None), config(allows_short=True), two_windows())
    assert [(fill.symbol, fill.side, int(fill.quantity)) for fill in fills] == [("B", -1, 3), ("A", 1, 6), ("B", 1, 3), ("A", -1, 6)]
    assert len(made.trades) == 2


def test_a_symbol_that_is_not_traded_is_refused_by_name() -> None:
    class Wrong(EventStrategy):
        trades_several = True

        def on_bar(self, bar: BarEvent) -> None:
            self.buy(1, symbol="GONE")

    with pytest.raises(InvalidInput, match="GONE is not traded here") as caught:
        run_pool_events(lambda: Wrong(None), config(), two_windows())
    assert caught.value.hint == "Traded: A, B."


def test_what_a_strategy_raises_names_the_bar_and_the_instrument() -> None:
    class Breaks(EventStrategy):
        def on_bar(self, bar: BarEvent) -> None:
            if bar.symbol == "B" and bar.index == 2:
                raise KeyError("x")

    with pytest.raises(InvalidInput, match="Breaks raised KeyError at bar 2 of B"):
        run_pool_events(lambda: Breaks(None), config(), two_windows())


def test_a_currency_without_a_rate_and_a_symbol_given_twice_are_refused_before_anything_runs() -> None:
    bars = hourly("A", [100_00])
    with pytest.raises(InvalidInput, match=r"P is paid in GBP, and its price in USD is not known"):
        pool_of(config(), [bars, hourly("P", [100_00], currency="GBP")])
    with pytest.raises(InvalidInput, match="Two of the instruments are called A"):
        pool_of(config(), [bars, bars])


def test_an_exit_plan_of_freqtrade_is_refused() -> None:
    world = world_of(1)
    plan = Signals(world.signals["S0"].bits, exits=object())  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="trade one instrument at a time"):
        run_arrays(replace(world, signals={**world.signals, "S0": plan}))


def test_sizes_are_shares_of_the_whole_pool_in_any_currency() -> None:
    half = msgspec.structs.replace(config(), sizing=Sizing(method=SizingMethod.FRACTION, amount=Decimal("0.5")))
    buys = Signals(np.array([ENTER_LONG, 0], np.int8))
    world = World(half, [hourly("A", [100_00] * 2), hourly("B", [100_00] * 2, currency="EUR")], {"A": buys, "B": buys})
    made = run_arrays(world)
    assert made.fills[:, [code.F_PLACE, code.F_LOTS]].tolist() == [[0, 500], [1, 400]]
    assert cash_of(made) == [50_000 * 10**8, -40_000 * 10**8]
    assert measure(made, world.windows).equity.equity[-1] == 100_000


def test_a_share_is_cut_to_what_the_other_positions_leave() -> None:
    share = msgspec.structs.replace(config(), sizing=Sizing(method=SizingMethod.FRACTION, amount=Decimal("0.7")))
    first, then = Signals(np.array([ENTER_LONG, 0, 0], np.int8)), Signals(np.array([0, ENTER_LONG, 0], np.int8))
    world = World(share, [hourly("A", [100_00] * 3), hourly("B", [100_00] * 3, currency="EUR")], {"A": first, "B": then})
    assert run_arrays(world).fills[:, [code.F_PLACE, code.F_LOTS]].tolist() == [[0, 700], [1, 240]]


@pytest.mark.parametrize(
    ("amount", "rate", "expected"), [(1000, 1_250_000_000, 800), (7, 500_000_000, 14), (2**61, 1, 2**61), (10, 3 * 10**15, 0)]
)
def test_amounts_leave_the_account_currency_rounded_down(amount: int, rate: int, expected: int) -> None:
    assert out_of_account_currency(amount, rate) == expected


def test_bought_and_held_is_the_same_money_in_each_from_their_first_common_open() -> None:
    first, second = hourly("A", [100_00, 200_00, 300_00]), hourly("B", [100_00, 50_00], first=1)
    held = buy_and_hold([first, second])
    assert held is not None
    assert held.equity.tolist() == [1.0, 0.5 * (200 / 100 + 1), 0.5 * (300 / 100 + 0.5)]
    assert buy_and_hold([first, hourly("B", [100_00], first=5)]) is None


def config(**changes: object) -> RunConfig:
    """Nothing but the bars decides."""
    plain = RunConfig(
        strategy="planned", timeframe=Timeframe.H1, mode=RunMode.EVENT, profile=Profile.IDEAL, timing=FillTiming.NEXT_OPEN,
        rates={"EUR": Decimal("1.25")}, sizing=Sizing(method=SizingMethod.QUANTITY, amount=Decimal(1)),
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def hourly(symbol: str, closes: list[int], *, currency: str = "USD", first: float = 0) -> BarWindow:
    """Flat bars that open at the close before them."""
    spec = replace(make_spec(symbol, price_scale=2), quote_asset=currency)
    opens = [closes[0], *closes[:-1]]
    window = make_window(closes, open=opens, high=np.maximum(opens, closes), low=np.minimum(opens, closes), spec=spec)
    opened = FIRST + int(first * HOUR) + np.arange(len(closes), dtype=np.int64) * HOUR
    return replace(window, timeframe=Timeframe.H1, opened_at=opened, closed_at=opened + HOUR)


def two_windows() -> list[BarWindow]:
    return [hourly("A", [100_00] * 5), hourly("B", [100_00] * 5)]


def cash_of(made: RunRecords) -> list[int]:
    """Cash by currency, from the ledger lines."""
    count = 1 + len(made.rates)
    opening = [made.opening_cash] + [0] * (count - 1)
    is_cash = made.entries[:, ledger.L_COLUMN] == ledger.LedgerColumn.CASH
    return [
        opening[asset] + int(made.entries[is_cash & (made.entries[:, ledger.L_ASSET] == asset), ledger.L_AMOUNT].sum())
        for asset in range(count)
    ]


def _at(hour: int) -> datetime:
    return datetime.fromtimestamp((FIRST + hour * HOUR) / 1_000_000, UTC)
