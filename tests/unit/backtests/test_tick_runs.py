"""Runs over ticks: told in order, delayed by milliseconds, in both forms alike, measured on candles made from the ticks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from apps.backtests.domain.config import Costs, RunConfig, RunMode, Sizing, SizingMethod, WalkForward
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.event_run import EventPlan, QuoteColumns, simulate_event_quotes
from apps.backtests.domain.event_ticks import simulate_event_ticks
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.runners import check_strategy, modes_for, runner_of
from apps.backtests.domain.tick_bars import LENGTHS, MOST_CANDLES, TickWindow, tick_sheet, tick_window
from apps.backtests.domain.tick_config import TickFile, TimeUnit
from apps.backtests.domain.ticks import Tape, TickKind, TradeColumns
from apps.backtests.domain.walking import walk_forward
from apps.core.errors import InvalidInput, NotFound
from apps.core.vocabulary import Timeframe
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine_codes import Reason
from apps.orders.domain.profiles import DEFAULT, IDEAL, EngineProfile
from apps.orders.domain.sizing_nb import BY_LOTS
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from apps.strategies.domain.told import DepthEvent, FillEvent, QuoteEvent, TradeEvent
from apps.strategies.domain.vector_strategy import Signals, VectorBars, VectorStrategy
from tests.benchmarks._series import INSTRUMENT
from tests.unit.backtests.seeds import fresh_generator
from tests.unit.backtests.tick_files import START, random_tape

CASH = Decimal(1_000_000)
CONFIG = RunConfig(
    strategy="quote_maker", timeframe=Timeframe.M1, mode=RunMode.EVENT, tick_file=TickFile(path="ticks.csv", symbol="X/USD"),
    sizing=Sizing(method=SizingMethod.QUANTITY, amount=Decimal(3)), capital=CASH,
)  # fmt: skip


def quotes_of(*rows: tuple[int, int, int]) -> QuoteColumns:
    """Milliseconds, bid, ask; sizes are not known."""
    at, bid, ask = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    unknown = np.full(len(rows), -1, np.int64)
    return QuoteColumns(START + at * 1_000, bid, ask, unknown, unknown)


def trades_of(*rows: tuple[int, int, int, int]) -> TradeColumns:
    """Milliseconds, price, lots, who took."""
    at, price, lots, side = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return TradeColumns(START + at * 1_000, price, lots, side)


class Listener(EventStrategy):
    """Writes down what it is told, and does what it is asked to at the event of a number."""

    def __init__(self, orders: dict[int, dict[str, Any]] | None = None) -> None:
        super().__init__(None)
        self.orders = orders or {}
        self.told: list[tuple[object, ...]] = []

    def _act(self, index: int) -> None:
        if index in self.orders:
            self.buy(1, **self.orders[index])

    def on_quote(self, quote: QuoteEvent) -> None:
        self.told.append(("quote", quote.index, quote.bid, quote.ask, quote.bid_size, quote.ask_size))
        self._act(quote.index)

    def on_trade(self, trade: TradeEvent) -> None:
        self.told.append(("trade", trade.index, trade.price, trade.size, trade.side, self.position))
        self._act(trade.index)

    def on_depth(self, depth: DepthEvent) -> None:
        self.told.append(("depth", depth.index, depth.bid, depth.ask))

    def on_fill(self, fill: FillEvent) -> None:
        self.told.append(("fill", (fill.at - START) // 1_000, float(fill.price), fill.reason))


def told(strategy: Listener, tape: Tape, profile: EngineProfile = IDEAL) -> list[tuple[object, ...]]:
    simulate_event_ticks(strategy, INSTRUMENT, profile, tape, cash=CASH)
    return strategy.told


def test_trades_of_others_are_told_after_the_engine_has_met_its_orders_with_them() -> None:
    tape = Tape.of(quotes=quotes_of((0, 9_998, 10_002), (30, 9_997, 10_001)), trades=trades_of((10, 9_998, 7, -1), (20, 9_996, 2, 0)))
    assert told(Listener({0: {"limit": 99.97}}), tape) == [
        ("quote", 0, 99.98, 100.02, -1.0, -1.0),
        ("trade", 1, 99.98, 7.0, -1, 0),
        ("fill", 20, 99.97, Reason.LIMIT_CROSSED),
        ("trade", 2, 99.96, 2.0, 0, 1),
        ("quote", 3, 99.97, 100.01, -1.0, -1.0),
    ]


def test_an_order_given_on_a_trade_meets_the_next_quote() -> None:
    tape = Tape.of(quotes=quotes_of((0, 9_998, 10_002), (30, 9_997, 10_001)), trades=trades_of((10, 9_998, 7, -1)))
    fills = [one for one in told(Listener({1: {}}), tape) if one[0] == "fill"]
    assert fills == [("fill", 30, 100.01, Reason.MARKET_AT_QUOTE)]


@pytest.mark.parametrize(("latency_ms", "filled_at"), [(0, 0), (1, 10), (10, 10), (11, 25), (25, 25), (26, None)])
def test_an_order_arrives_after_its_latency_in_milliseconds(latency_ms: int, filled_at: int | None) -> None:
    tape = Tape.of(quotes=quotes_of((0, 9_998, 10_002), (10, 9_998, 10_003), (25, 9_998, 10_004)))
    profile = engine_profile(msgspec.structs.replace(CONFIG, latency_ms=latency_ms, profile="ideal"))
    assert profile.latency_us == latency_ms * 1_000
    assert [one[1] for one in told(Listener({0: {}}), tape, profile) if one[0] == "fill"] == ([] if filled_at is None else [filled_at])


def test_a_post_only_order_may_join_the_best_price_and_not_reach_the_other() -> None:
    """Also while something is held, when the account is valued at the very bid that is joined."""
    tape = Tape.of(quotes=quotes_of(*((number, 9_999, 10_000) for number in range(4))))
    orders: dict[int, dict[str, Any]] = {0: {}, 1: {"limit": 99.99, "post_only": True}, 2: {"limit": 100.0, "post_only": True}}
    run = simulate_event_ticks(Listener(orders), INSTRUMENT, IDEAL, tape, cash=CASH)
    assert run.orders[:, code.O_REASON].tolist() == [Reason.MARKET_AT_QUOTE, Reason.NONE, Reason.WOULD_TAKE]


class JoinsAndLeaves(EventStrategy):
    """A limit inside the spread, and out at market."""

    def on_quote(self, quote: QuoteEvent) -> None:
        if quote.index % 5 == 0:
            if self.position:
                self.close()
            else:
                self.desk.cancel_all()
                self.buy(limit=quote.ask - 0.01)


@pytest.mark.parametrize("round_", range(4))
def test_quotes_alone_fill_as_the_run_over_quotes_fills(round_: int) -> None:
    random = fresh_generator()
    tape = random_tape(random, 1_500, kinds=(TickKind.QUOTE,))
    profile = [IDEAL, DEFAULT][round_ % 2]
    plan = EventPlan(sizing=BY_LOTS, size=3)
    made = [JoinsAndLeaves(None) for _ in range(2)]
    over_tape = simulate_event_ticks(made[0], INSTRUMENT, profile, tape, cash=CASH, plan=plan)
    over_quotes = simulate_event_quotes(made[1], INSTRUMENT, profile, tape.quotes, cash=CASH, plan=plan)
    assert over_tape.fills.tolist() == over_quotes.fills.tolist() != []


class Bits(VectorStrategy):
    """Signals that were drawn beforehand."""

    def __init__(self, bits: np.ndarray, **terms: object) -> None:
        super().__init__(None)
        self.bits, self.terms = bits, terms

    def signals(self, bars: VectorBars, *, bits: np.ndarray) -> Signals:
        bits[:] = self.bits
        return Signals(bits, **self.terms)  # type: ignore[arg-type]


class BitsAsEvents(EventStrategy):
    """The same signals, one quote after the other."""

    def __init__(self, bits: np.ndarray) -> None:
        super().__init__(None)
        self.bits = iter(bits.tolist())
        self.is_working = False

    def on_quote(self, quote: QuoteEvent) -> None:
        signal, held = next(self.bits), self.position
        leaves = (held > 0 and signal & (EXIT_LONG | ENTER_SHORT)) or (held < 0 and signal & (EXIT_SHORT | ENTER_LONG))
        if self.is_working or not (leaves or (not held and signal & (ENTER_LONG | ENTER_SHORT))):
            return
        self.is_working = True
        if leaves:
            self.close()
        elif signal & ENTER_LONG:
            self.buy()
        else:
            self.sell()

    def on_fill(self, fill: FillEvent) -> None:
        self.is_working = False


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Strategies by mode that runners build, whatever the configuration names."""
    found: dict[str, object] = {}
    monkeypatch.setattr("apps.backtests.domain.tick_run.build_event_strategy", lambda kind, values: found["event"])
    monkeypatch.setattr("apps.backtests.domain.tick_run.build_vector_strategy", lambda kind, values: found["vector"])
    return found


def ran(config: RunConfig, window: TickWindow) -> RunRecords:
    return runner_of(config).run(config, [window], progress=lambda done, total: None, is_cancelled=lambda: False, seed=0)


def window_of(tape: Tape) -> TickWindow:
    return tick_window(INSTRUMENT, tape, file="ticks.csv", time_unit=TimeUnit.MILLISECONDS, timeframe=Timeframe.M1)


@pytest.mark.parametrize("latency_ms", [0, 7])
@pytest.mark.parametrize("closes_at_end", [False, True])
def test_signals_and_events_over_quotes_make_the_same_run(made: dict[str, object], latency_ms: int, closes_at_end: bool) -> None:
    random = fresh_generator()
    tape = random_tape(random, 2_000, kinds=(TickKind.QUOTE, TickKind.QUOTE, TickKind.TRADE))
    bits = random.choice([0, 0, 0, 0, ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT], len(tape.quotes)).astype(np.int8)
    made |= {"event": BitsAsEvents(bits), "vector": Bits(bits)}
    config = msgspec.structs.replace(
        CONFIG, latency_ms=latency_ms, closes_at_end=closes_at_end, allows_short=True, costs=Costs(volume_share_ppm=0)
    )
    events = ran(config, window_of(tape))
    vector = ran(msgspec.structs.replace(config, mode=RunMode.VECTOR), window_of(tape))
    assert events.fills.tolist() == vector.fills.tolist() != []
    assert events.trades.tolist() == vector.trades.tolist()
    assert (events.equity_at.tolist(), events.equity.tolist()) == (vector.equity_at.tolist(), vector.equity.tolist())
    if closes_at_end:
        assert vector.fills[:, code.F_SIDE] @ vector.fills[:, code.F_LOTS] == 0


@pytest.mark.parametrize(
    ("terms", "told_"),
    [
        ({"stop_ppm": 1_000}, "without stops"),
        ({"lots": np.ones(2, np.int64)}, "with one size"),
        ({}, "sizing by all changes"),
    ],
)
def test_signals_that_ask_for_more_are_refused(made: dict[str, object], terms: dict[str, object], told_: str) -> None:
    tape = random_tape(fresh_generator(), 2, kinds=(TickKind.QUOTE,))
    made["vector"] = Bits(np.zeros(2, np.int8), **terms)
    with pytest.raises(InvalidInput, match=told_):
        ran(msgspec.structs.replace(CONFIG, mode=RunMode.VECTOR, sizing=Sizing()), window_of(tape))


def test_equity_is_told_once_for_each_moment_at_the_price_that_would_close() -> None:
    tape = Tape.of(quotes=quotes_of((0, 9_998, 10_002), (5, 9_990, 10_000), (5, 9_991, 10_003), (9, 9_995, 9_999)))
    run = simulate_event_ticks(Listener({0: {}}), INSTRUMENT, IDEAL, tape, cash=CASH)
    assert ((run.closed_at - START) // 1_000).tolist() == [0, 5, 9]
    lot = INSTRUMENT.cash_units_per_price_unit_lot
    assert ((run.equity - run.opening_cash) // lot).tolist() == [9_998 - 10_002, 9_991 - 10_002, 9_995 - 10_002]


def test_candles_hold_every_tick_and_cut_the_tape_with_them() -> None:
    tape = random_tape(fresh_generator(), 3_000)
    window = window_of(tape)
    assert len(window) <= MOST_CANDLES and window.seconds in LENGTHS
    middle = (tape.bid + tape.ask) // 2
    place = np.searchsorted(window.opened_at, tape.at, side="right") - 1
    assert (tape.at < window.closed_at[place]).all() and set(place.tolist()) == set(range(len(window)))
    for candle in (0, len(window) // 2, len(window) - 1):
        inside = middle[place == candle]
        found = [int(column[candle]) for column in (window.open, window.high, window.low, window.close)]
        assert found == [inside[0], inside.max(), inside.min(), inside[-1]]
    first, last = len(window) // 4, len(window) // 2
    cut = window.part(first, last)
    assert cut.tape.at.tolist() == tape.at[(place >= first) & (place < last)].tolist()
    for name in ("bid", "ask", "traded"):
        begins = int(np.searchsorted(place, first))
        quoted = np.flatnonzero(cut.tape.is_quoted)
        assert getattr(cut.tape, name)[quoted].tolist() == getattr(tape, name)[begins : begins + len(cut.tape)][quoted].tolist()
    sheet = tick_sheet((window,))["ticks"]
    assert sheet["quotes"] + sheet["trades"] + sheet["snapshots"] == len(tape)
    assert len(sheet["candles"]) == len(window)


def test_windows_choose_their_parameters_on_ticks() -> None:
    tape = random_tape(fresh_generator(), 4_000, kinds=(TickKind.QUOTE, TickKind.TRADE))
    window = window_of(tape)
    search = WalkForward(search={"distance_bps": [0.0, 4.0]}, train_bars=len(window) // 3, test_bars=len(window) // 3, objective="sharpe")
    config = msgspec.structs.replace(CONFIG, walk_forward=search)
    walked = walk_forward(
        config, [window], ran(config, window), runner=runner_of(config), progress=lambda done, total: None, is_cancelled=lambda: False
    )
    assert walked is not None and walked.equity is not None
    assert len(walked.report["windows"]) >= 2
    assert {row["parameters"]["distance_bps"] for row in walked.report["windows"]} <= {0.0, 4.0}


@pytest.mark.parametrize(
    ("changes", "error", "told_"),
    [
        ({"latency_bars": 1}, InvalidInput, "Ticks have no bars"),
        ({"signal_timeframe": Timeframe.H1}, InvalidInput, "Ticks have no bars"),
        ({"latency_ms": -1}, InvalidInput, "Latency"),
        ({"sizing": Sizing(method=SizingMethod.RISK, amount=Decimal("0.1"))}, InvalidInput, "Sizing by risk"),
        ({"strategy": "ema_cross"}, NotFound, "does not listen to ticks"),
        ({"mode": RunMode.SESSION}, NotFound, "session over ticks"),
    ],
)
def test_what_a_run_over_ticks_cannot_be_is_told_before_it(changes: dict[str, object], error: type[Exception], told_: str) -> None:
    with pytest.raises(error, match=told_):
        check_strategy(msgspec.structs.replace(CONFIG, **changes))


def modes(strategy: str, *, over_ticks: bool) -> Sequence[RunMode]:
    return modes_for(msgspec.structs.replace(CONFIG, strategy=strategy, tick_file=CONFIG.tick_file if over_ticks else None))


def test_a_strategy_is_offered_for_what_it_is_told() -> None:
    assert modes("quote_maker", over_ticks=True) == [RunMode.EVENT]
    assert modes("quote_maker", over_ticks=False) == []
    assert modes("ema_cross", over_ticks=True) == [RunMode.VECTOR]


def test_a_file_of_ticks_changes_the_fingerprint_and_no_file_does_not() -> None:
    other = msgspec.structs.replace(CONFIG, tick_file=replace_path("other.csv"))
    assert other.fingerprint() != CONFIG.fingerprint()
    plain = msgspec.structs.replace(CONFIG, tick_file=None)
    assert "tick_file" in plain.to_json() and plain.market_data == "1m" and CONFIG.market_data == "tick"


def replace_path(path: str) -> TickFile:
    return TickFile(path=path, symbol="X/USD")
