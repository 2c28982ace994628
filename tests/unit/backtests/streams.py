"""Random streams fed to the engine and to its oracle: every order, fill, amount, trade and entry must be equal after every event, and every answer
to an order, a change or a cancellation at once.

`python -m tests.unit.backtests.streams SEED COUNT` runs the long form; set TRADING_COMPILE_KERNELS=1 for the compiled kernels.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field, fields

from apps.orders.domain.engine_codes import EngineOrderState, EngineOrderType, EngineTimeInForce, Reason, StepStatus
from tests.invariants_engine import EntryRecord, FillRecord, HoldingRecord, OrderRecord, PlaceRecord, Records, check_records
from tests.unit.backtests.engine_driver import Books, Driver, EngineDriver, OracleDriver, SkippingDriver
from tests.unit.backtests.worlds import (
    ALL_KINDS,
    Action,
    Amend,
    Cancel,
    Dice,
    Event,
    Market,
    MatchAtClose,
    Submit,
    Trader,
    World,
    make_world,
)

PERIODS = 30
NEVER_HAPPENS = {Reason.NONE, Reason.BOOK_FULL, *(one for one in Reason if Reason.NOT_OPEN < one < Reason.CANCELLED_BY_OWNER)}
"""The engine's tables grow, so that it never refuses for want of room; what follows NOT_OPEN are the refusals of risk checks before it."""


@dataclass
class Result:
    """What came of the streams. `differences` say where the two disagree or an invariant is broken."""

    streams: int = 0
    fills: int = 0
    skipped: int = 0
    differences: list[str] = field(default_factory=list)
    occurred: Counter[str] = field(default_factory=Counter)

    def never_occurred(self) -> list[str]:
        """Order types, times in force, reasons and events that the streams should have met but did not."""
        return [name for name in expected_names() if not self.occurred[name]]


def expected_names() -> list[str]:
    """All that streams of every kind have to meet."""
    events = {kind for one in ALL_KINDS for kind in one}
    reasons = [one for one in Reason if one not in NEVER_HAPPENS]
    return [
        *(f"filled {one.name}" for one in EngineOrderType),
        *(f"filled {one.name}" for one in EngineTimeInForce),
        *(f"reason {one.name}" for one in reasons),
        *(f"state {one.name}" for one in EngineOrderState),
        *(f"event {one}" for one in sorted(events)),
        *(f"amended {name}" for name in ("lots", "limit", "stop", "trail")),
    ]


@dataclass(frozen=True)
class Plan:
    """What kind of streams to run. `is_skipping`: the engine leaves out the bars inside its envelope, and the trader is calmer."""

    kinds: tuple[tuple[str, ...], ...] = ALL_KINDS
    periods: int = PERIODS
    is_skipping: bool = False


def run_streams(seed: int, count: int, plan: Plan | None = None) -> Result:
    """`count` streams, the first of them from `seed`; each stops at its first difference."""
    result = Result()
    for number in range(seed, seed + count):
        run_stream(Dice(number), result, plan or Plan(), name=f"seed {number}")
    return result


def run_stream(dice: Dice, result: Result, plan: Plan, *, name: str) -> None:
    """One stream from these dice."""
    world = make_world(dice, plan.kinds)
    driver = SkippingDriver(world) if plan.is_skipping else EngineDriver(world)
    stream = _Stream(world, OracleDriver(world), driver, result, name)
    market = Market(dice, world)
    trader = Trader(dice, world, market, stream.oracle.venue, eagerness=0.15 if plan.is_skipping else 1.0)
    for place in range(len(world.instruments)):
        stream.do_all(trader.act(place))
    for _ in range(plan.periods):
        for event in market.events():
            if not stream.meet(event) or not stream.do_all(trader.act(event.place, event)):
                stream.count()
                return
    stream.count()


@dataclass
class _Stream:
    world: World
    oracle: OracleDriver
    engine: EngineDriver
    result: Result
    name: str
    steps: int = 0

    def meet(self, event: Event) -> bool:
        """Step both; whether they agree and the stream goes on."""
        before = len(self.oracle.venue.fills)
        self.result.occurred[f"event {type(event).__name__.lower()}"] += 1
        answers = (self.oracle.step(event), self.engine.step(event))
        return self._agree(event, answers, before) and answers[0] is StepStatus.OK

    def do_all(self, actions: list[Action]) -> bool:
        """Do all to both; whether they agree."""
        return all(self._do(action) for action in actions)

    def _do(self, action: Action) -> bool:
        before = len(self.oracle.venue.fills)
        expected, found = _apply(self.oracle, action), _apply(self.engine, action)
        if isinstance(action, Amend) and expected is Reason.NONE:
            self.result.occurred.update(
                f"amended {one.name}" for one in fields(action.change) if getattr(action.change, one.name) is not None
            )
        if isinstance(expected, Reason):
            self.result.occurred[f"reason {expected.name}"] += 1
        if isinstance(action, MatchAtClose):
            return self._agree(action, (expected, found), before) and expected is StepStatus.OK
        if expected != found:
            self.result.differences.append(f"{self.name}, step {self.steps}, {action}: should answer {expected!r}, not {found!r}")
        return expected == found

    def _agree(self, what: object, answers: tuple[object, object], fills_before: int) -> bool:
        self.steps += 1
        if answers == (StepStatus.OVERFLOW, StepStatus.OVERFLOW):
            # The state is not to be used any more.
            return True
        expected, found = self.oracle.books(), self.engine.books()
        wrong = [] if answers[0] == answers[1] else [f"answers {answers[0]!r}, not {answers[1]!r}"]
        wrong += differences(expected, found)
        if not wrong and len(found.fills) > fills_before:
            wrong = check_records(records(self.world, found, fills_before))
        self.result.differences += [f"{self.name}, step {self.steps}, {what}: {one}" for one in wrong[:3]]
        return not wrong

    def count(self) -> None:
        """Take down what occurred."""
        self.result.skipped += self.engine.skipped
        self.result.streams += 1
        self.result.fills += len(self.oracle.venue.fills)
        for order in self.oracle.venue.orders:
            self.result.occurred[f"state {order.state.name}"] += 1
            self.result.occurred[f"reason {order.reason.name}"] += 1
        for fill in self.oracle.venue.fills:
            order = self.oracle.venue.orders[fill.order]
            self.result.occurred.update((f"filled {order.type.name}", f"filled {order.tif.name}", f"{order.type.name} {fill.reason.name}"))
            self.result.occurred[f"reason {fill.reason.name}"] += 1


def _apply(driver: Driver, action: Action) -> object:
    match action:
        case Submit(request):
            return driver.submit(request)
        case Amend(row, change):
            return driver.amend(row, change)
        case Cancel(row):
            return driver.cancel(row)
        case MatchAtClose(place, close, volume):
            return driver.match_at_close(place, close, volume)
        case _:
            return driver.step(action)


def differences(expected: Books, found: Books) -> list[str]:
    """Where two books differ, the first difference of each part."""
    wrong = []
    for part in fields(Books):
        left, right = getattr(expected, part.name), getattr(found, part.name)
        if left == right:
            continue
        if isinstance(left, list):
            number = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
            left, right = left[number : number + 1], right[number : number + 1]
            wrong.append(f"{part.name}[{number}] should be {left}, is {right}")
        else:
            wrong.append(f"{part.name} should be {left}, is {right}")
    return wrong


def records(world: World, books: Books, new_from: int) -> Records:
    """Books as the invariants read them."""
    return Records(
        places=[
            PlaceRecord(*(one.tick, one.max_price, one.cash_per_price_lot, one.currency, one.allows_short, one.initial_ppm, position, mark))
            for one, position, mark in zip(world.instruments, books.positions, books.marks, strict=True)
        ],
        rates=world.rates,
        opening=world.cash,
        cash=books.cash,
        orders=[
            OrderRecord(row, one[0], one[1], one[2], one[10], bool(one[5]), one[6], one[7], one[8], one[14], one[15])
            for row, one in enumerate(books.orders)
        ],
        fills=[FillRecord(*one[:8]) for one in books.fills],
        holdings=[HoldingRecord(*one) for one in books.holdings],
        entries=[EntryRecord(*one) for one in books.entries],
        new_from=new_from,
    )


def main(arguments: list[str]) -> int:
    """Run the long form and say what occurred; 1 where anything differs or never occurred."""
    result = run_streams(int(arguments[0]), int(arguments[1]))
    for name, times in sorted(result.occurred.items()):
        print(f"{times:9,} {name}")
    print(f"{result.streams:,} streams, {result.fills:,} fills, {len(result.differences):,} differences")
    for difference in result.differences[:20]:
        print(difference)
    missing = result.never_occurred()
    if missing:
        print("never occurred:", ", ".join(missing))
    return 1 if result.differences or missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
