"""Margin calls of runs: their level, told to a strategy at the close, and the same in the records, by an oracle written beside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.backtests.domain.config import Profile, RunConfig, RunMode
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.event_run import EventPlan, simulate_event_bars
from apps.backtests.domain.margin_records import calls_of, margin_sheet
from apps.backtests.domain.research_run import run_events, run_pool_events
from apps.backtests.domain.session_cycle import run_sessions
from apps.backtests.domain.session_forecasts import NoForecasts
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow
from apps.orders.domain import engine_codes as code
from apps.orders.domain.margin_calls import call_ppm
from apps.orders.domain.profiles import IDEAL, EngineProfile
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, FillEvent
from apps.strategies.domain.margin_event import MarginCallEvent
from tests.factories.windows import make_spec, make_window, random_window
from tests.unit.backtests.oracle import margin_calls as oracle
from tests.unit.backtests.sessions import account, opening, session

LENT = replace(IDEAL, leverage=Decimal(4), maintenance=Decimal("0.1"))


@dataclass(frozen=True)
class BuyerParameters:
    lots: int = 0
    gives_up: int = 0


class Buyer(EventStrategy):
    """Opens on its second bar and, told of a call, gives up some of it."""

    kind = "buyer"
    title = "Buyer"
    Parameters = BuyerParameters

    def on_start(self) -> None:
        self.calls: list[MarginCallEvent] = []
        self.heard: list[tuple[str, int]] = []

    def on_margin_call(self, call: MarginCallEvent) -> None:
        self.calls.append(call)
        self.heard.append(("call", call.at))
        if self.parameters.gives_up:
            side = -1 if self.position > 0 else 1
            self.order(side, self.parameters.gives_up, reduce_only=True)

    def on_bar(self, bar: BarEvent) -> None:
        self.heard.append(("bar", bar.at))
        if bar.index == 1:
            lots = self.parameters.lots
            self.order(1 if lots > 0 else -1, abs(lots))


def columns_of(window: BarWindow) -> BarColumns:
    unknown = np.full(len(window), -1, np.int64)
    return BarColumns(window.opened_at, window.closed_at, window.open, window.high, window.low, window.close, unknown)


def fraction(value: Decimal) -> Fraction:
    return Fraction(value)


def oracle_calls(made: Any, window: BarWindow, spec: InstrumentSpec, profile: EngineProfile, cash: int) -> list[tuple[int, int | None]]:
    per_lot = fraction(spec.price_unit) * fraction(spec.lot_size) * spec.multiplier
    own = None if profile.margin_call is None else fraction(profile.margin_call)
    return oracle.begun(
        [(int(at), int(close) * per_lot) for at, close in zip(window.closed_at, window.close, strict=True)],
        [
            (row[code.F_AT], row[code.F_SIDE] * row[code.F_LOTS], row[code.F_PRICE] * per_lot, row[code.F_FEE] * fraction(spec.cash_unit))
            for row in made.fills.tolist()
        ],
        cash=Fraction(cash),
        called_below=oracle.level(fraction(profile.leverage), fraction(profile.maintenance), own),
    )


@pytest.mark.parametrize(
    ("profile", "ppm"),
    [
        (LENT, 175_000),
        (replace(LENT, margin_call=Decimal("0.2")), 200_000),
        (replace(LENT, margin_call=Decimal("0.05")), 100_000),
        (replace(LENT, leverage=Decimal(3), maintenance=Decimal(0)), 166_667),
        (replace(LENT, leverage=Decimal(2), maintenance=Decimal("0.9")), 500_000),
        (replace(LENT, leverage=Decimal(1), allows_short=True, maintenance=Decimal(0)), 500_000),
        (replace(LENT, leverage=Decimal(1)), 0),
    ],
)
def test_the_level_is_midway_unless_it_is_given_and_never_below_maintenance(profile: EngineProfile, ppm: int) -> None:
    assert call_ppm(profile) == ppm
    own = None if profile.margin_call is None else fraction(profile.margin_call)
    if ppm:
        assert oracle.level(fraction(profile.leverage), fraction(profile.maintenance), own) == Fraction(ppm, 1_000_000)


def falling() -> BarWindow:
    """100, then one lower with each bar; each bar opens where the one before closed."""
    closes = (np.array([100, *range(100, 76, -1)], np.int64)) * 1_000_000
    opens = np.concatenate([closes[:1], closes[:-1]])
    return make_window(closes, open=opens, high=np.maximum(opens, closes), low=np.minimum(opens, closes))


def test_a_call_is_told_before_its_bar_and_cured_by_selling() -> None:
    """4,000 of 100 on 1,000 of its own; at 91 the 40 bought at 99 have left 680 of 3,640, below 17.5 %; 30 fewer cover it."""
    window, strategy = falling(), Buyer(BuyerParameters(lots=40, gives_up=30))
    made = simulate_event_bars(strategy, window.instrument, LENT, columns_of(window), cash=Decimal(1000))
    records = made.records()
    (call,) = strategy.calls
    bought = int(made.fills[0, code.F_PRICE]) // 1_000_000
    index = next(
        i for i, close in enumerate((window.close // 1_000_000).tolist()) if i > 2 and 1000 + 40 * (close - bought) < 0.175 * 40 * close
    )
    price = int(window.close[index]) // 1_000_000
    assert (call.at, call.equity, call.required) == (
        int(window.closed_at[index]),
        Decimal(1000 + 40 * (price - bought)),
        Decimal("0.175") * 40 * price,
    )
    assert call.missing == call.required - call.equity
    place = strategy.heard.index(("call", call.at))
    assert strategy.heard[place + 1] == ("bar", call.at)
    (kept,) = calls_of(records, LENT)
    assert (kept.called_at, kept.cleared_at, kept.is_flat) == (call.at, int(window.closed_at[index + 1]), False)
    assert [code.Reason(int(row[code.F_REASON])).name for row in made.fills] == ["MARKET_AT_OPEN", "MARKET_AT_OPEN"]
    sheet = margin_sheet(replace(records, margin_calls=(kept,)), LENT)
    assert (sheet["count"], sheet["call_percent"], sheet["calls"][0]["equity"]) == (1, 17.5, f"{call.equity.normalize():f}")


def test_one_that_does_not_listen_is_closed_by_the_venue_after_its_call() -> None:
    window, strategy = falling(), Buyer(BuyerParameters(lots=40))
    made = simulate_event_bars(strategy, window.instrument, LENT, columns_of(window), cash=Decimal(1000))
    (kept,) = calls_of(made.records(), LENT)
    liquidated = made.fills[-1]
    assert code.Reason(int(liquidated[code.F_REASON])).name == "LIQUIDATED"
    assert kept.called_at < liquidated[code.F_AT] == kept.cleared_at
    assert kept.is_flat
    plain = replace(IDEAL)
    assert (
        calls_of(
            simulate_event_bars(Buyer(BuyerParameters(lots=5)), window.instrument, plain, columns_of(window), cash=Decimal(1000)).records(),
            plain,
        )
        == ()
    )


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    lots=st.integers(-38, 38).filter(bool),
    gives_up=st.sampled_from([0, 5, 20]),
    margin=st.tuples(st.sampled_from(["1", "2", "4"]), st.sampled_from(["0", "0.1", "0.2"]), st.sampled_from(["", "0.3"])),
)
def test_calls_are_those_of_the_oracle(seed: int, lots: int, gives_up: int, margin: tuple[str, str, str]) -> None:
    leverage, maintenance, own = margin
    profile = replace(
        LENT,
        leverage=Decimal(leverage),
        maintenance=Decimal(maintenance),
        allows_short=True,
        margin_call=Decimal(own) if own else None,
    )
    window = random_window(120, seed=seed, volatility=0.04)
    cash = int(abs(lots) * window.close[2] // 1_000_000 / 3.5) + 1
    strategy = Buyer(BuyerParameters(lots=lots, gives_up=gives_up))
    made = simulate_event_bars(strategy, window.instrument, profile, columns_of(window), cash=Decimal(cash), plan=EventPlan())
    expected = oracle_calls(made, window, window.instrument, profile, cash)
    assert [(item.called_at, item.cleared_at) for item in calls_of(made.records(), profile)] == expected
    assert [item.at for item in strategy.calls] == [begin for begin, _ in expected]


def test_every_instance_of_a_pool_is_told_a_call_of_the_shared_account_once() -> None:
    """Both buy; the call is that of the sum, and the sheet of the run has the same ones."""
    made: list[Buyer] = []

    def build() -> Buyer:
        made.append(Buyer(BuyerParameters(lots=18)))
        return made[-1]

    fall = falling()
    windows = [fall, replace(fall, instrument=make_spec("OTHER"))]
    config = RunConfig(
        strategy="ema_cross", timeframe=Timeframe.D1, mode=RunMode.EVENT, instrument_ids=tuple(item.instrument.id for item in windows),
        capital=Decimal(1900), leverage=Decimal("1.9"), profile=Profile.IDEAL, allows_short=True,
    )  # fmt: skip
    records = run_pool_events(build, config, windows)
    calls = calls_of(records, engine_profile(config))
    assert len(calls) == 1
    assert [[item.at for item in strategy.calls] for strategy in made] == [[calls[0].called_at]] * 2
    assert {item.equity for strategy in made for item in strategy.calls} == {calls[0].equity * windows[0].instrument.cash_unit}
    reasons = [code.Reason(int(row[code.F_REASON])).name for row in records.fills[:3]]
    assert (reasons, calls[0].is_flat) == (["MARKET_AT_OPEN", "MARKET_AT_OPEN", "LIQUIDATED"], False), "one closed by the venue cured it"


@pytest.mark.parametrize("instruments", [1, 2])
def test_a_call_is_told_behind_the_fills_of_its_close_in_a_pool_as_alone(instruments: int) -> None:
    """Bought at an open, and called at the close of that very bar."""
    heard: list[str] = []

    class Hears(EventStrategy):
        def on_bar(self, bar: BarEvent) -> None:
            heard.append("bar")
            if bar.index == 0:
                self.buy(18 // instruments)

        def on_fill(self, fill: FillEvent) -> None:
            heard.append("fill")

        def on_margin_call(self, call: MarginCallEvent) -> None:
            heard.append("call")

    closes, opens = np.array([100_00, 90_00, 90_00], np.int64), np.array([100_00, 100_00, 90_00], np.int64)
    fall = make_window(closes, open=opens, high=opens, low=closes, spec=make_spec("ONE", price_scale=2))
    windows = [fall, replace(fall, instrument=make_spec("OTHER", price_scale=2))][:instruments]
    config = RunConfig(
        strategy="ema_cross",
        timeframe=Timeframe.D1,
        mode=RunMode.EVENT,
        capital=Decimal(1000),
        leverage=Decimal("1.9"),
        profile=Profile.IDEAL,
    )
    if instruments == 1:
        run_events(Hears(None), config, fall)
    else:
        run_pool_events(lambda: Hears(None), config, windows)
    assert heard == [*["bar"] * instruments, *["fill"] * instruments, *["call"] * instruments, *["bar"] * 2 * instruments]


def test_a_session_is_told_the_same_call_as_the_plain_run() -> None:
    window = falling_after(70)
    plan = account(opening(window, 69), profile=LENT, capital=Decimal(1000))
    parameters = BuyerParameters(lots=38, gives_up=30)
    limits = dict.fromkeys(session(Buyer(parameters), window).limits)
    made = run_sessions(plan, [session(Buyer(parameters), window, limits=limits)], [window], forecasts=NoForecasts())
    told = window.part(70, len(window))
    alone = simulate_event_bars(Buyer(parameters), window.instrument, LENT, columns_of(told), cash=Decimal(1000))
    wanted = [code.F_AT, code.F_SIDE, code.F_LOTS, code.F_PRICE]
    assert made.engine.fill_rows()[:, wanted].tolist() == alone.fills[:, wanted].tolist()
    assert len(alone.fills) == 2


def falling_after(bars: int) -> BarWindow:
    """Flat for so many bars, then as `falling`."""
    tail = falling().close
    closes = np.concatenate([np.full(bars, tail[0], np.int64), tail])
    opens = np.concatenate([closes[:1], closes[:-1]])
    return make_window(closes, open=opens, high=np.maximum(opens, closes), low=np.minimum(opens, closes))
