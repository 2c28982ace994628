"""Event strategies: a Python class that is told of bars or ticks (quotes, trades of others, depth) and of its own fills, and gives orders. A class that is
told bars runs in backtest and paper alike; ticks are told in backtests.

    @event_strategy("breakout", title="Breakout")
    class Breakout(EventStrategy):
        Parameters = BreakoutParameters

        def on_start(self) -> None:
            self.highest = Highest(self.parameters.bars)

        def on_bar(self, bar: BarEvent) -> None:
            top = self.highest.value
            self.highest.update(bar.high)
            if not self.position and bar.close > top:
                self.buy(Decimal("0.5"), stop_loss_percent=1, take_profit_percent=2)

Over several instruments each has an instance of its own, told that instrument's bars; all of them trade on one account. A class with
`trades_several = True` is made once and told the bars of all: `bar.symbol` says of which, orders and `position` are about that one unless a call
names another.

    def on_bar(self, bar: BarEvent) -> None:
        if bar.symbol == "KO" and not self.position_of("PEP"):
            self.buy(10)
            self.sell(10, symbol="PEP")

Strategies must not read time, files, the network or a database, and must keep what they remember in attributes: after a restart they are rebuilt by
telling them again what they had been told. Prices that a strategy sees are floats; those it gives are put on the tick (to the nearest),
quantities are cut to the lot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any, ClassVar, Protocol, TypeVar

from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.orders.domain.engine import NewOrder
from apps.orders.domain.engine_codes import (
    BUY,
    NO_ROW,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    EngineOrderState,
    EngineOrderType,
    EngineTimeInForce,
    Reason,
)
from apps.strategies.domain.margin_event import MarginCallEvent
from apps.strategies.domain.parameters import build_parameters
from apps.strategies.domain.registry import StrategyRegistry
from apps.strategies.domain.told import BarEvent as BarEvent
from apps.strategies.domain.told import DepthEvent as DepthEvent
from apps.strategies.domain.told import FillEvent as FillEvent
from apps.strategies.domain.told import QuoteEvent as QuoteEvent
from apps.strategies.domain.told import TradeEvent as TradeEvent

Number = Decimal | float | int

PPM_PER_PERCENT = 10_000
MOST_ORDERS_AT_ONCE = 1_000
"""Order calls that one event may bring; more is an endless loop."""
TAG_ENTRY, TAG_EXIT, TAG_STOP, TAG_TARGET, TAG_TRAIL = 1, 2, 3, 4, 5


class Desk(Protocol):
    """Where orders go: the engine in a backtest, the order service in paper. Orders are tickets: small whole numbers."""

    @property
    def instrument(self) -> InstrumentSpec: ...

    @property
    def position_lots(self) -> int: ...

    def submit(self, order: NewOrder) -> int:
        """The ticket of the order; `state` tells whether it was taken."""
        ...

    def cancel(self, ticket: int) -> Reason: ...

    def cancel_all(self, *, only_exits: bool = False) -> int:
        """Cancel every open order, or only the reduce-only ones; how many are left open."""
        ...

    def amend(self, ticket: int, *, lots: int | None, limit: int | None, stop: int | None) -> Reason: ...

    def state(self, ticket: int) -> EngineOrderState: ...

    def new_group(self) -> int: ...

    def sized_lots(self) -> int:
        """What an entry buys now by the sizing that the run or session was given."""
        ...

    def equity(self) -> Decimal: ...


class _Face:
    """An instrument of a strategy: its desk, its steps, and quantities that were put into lots before."""

    __slots__ = ("desk", "lot", "lots_of", "price_unit", "tick")

    def __init__(self, desk: Desk) -> None:
        spec = desk.instrument
        self.desk, self.price_unit, self.lot = desk, spec.price_unit, spec.lot_size
        self.tick = spec.price_units(spec.tick_size)
        self.lots_of: dict[Number, int] = {}


class EventStrategy:
    """Subclass, declare `Parameters`, implement `on_bar` (or `on_quote`, `on_trade`, `on_depth`), register with `@event_strategy`.

    Over ticks an order meets the quote or snapshot on which it is given (or, with latency, the first event after it), one given on a trade
    of others the next event. `index` counts the events of a run from 0.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    Parameters: ClassVar[type[Any]]
    warmup_bars: int = 0
    """Bars that are told before orders are taken; orders given earlier do nothing."""
    confidence: ClassVar[float] = 0.5
    """How sure its entries are, for the limit on confidence: 0.5 claims nothing."""
    forecast_horizon_bars: ClassVar[int] = 5
    """The forecast that its decisions in a session carry: 1 or 5 bars ahead."""
    trades_several: ClassVar[bool] = False
    """Whether one instance is told the bars of all instruments of a run; a session, which trades one, refuses such a strategy."""

    def __init__(self, parameters: Any) -> None:
        self.parameters = parameters
        self.desk: Desk

    def start(self, desk: Desk) -> None:
        """Connect to a desk; called once by the runner."""
        self.start_on([desk])

    def start_on(self, desks: Sequence[Desk]) -> None:
        """Connect to the desks of all instruments, which differ in their symbols; called once by the runner. The first is faced at the start."""
        self._faces = {desk.instrument.symbol: _Face(desk) for desk in desks}
        self._owners: dict[int, str] = {}
        self.turn_to(desks[0].instrument.symbol)
        self.on_start()

    def turn_to(self, symbol: str) -> None:
        """Let orders and `position` be about this instrument; the runner does so before each event. Raises InvalidInput for another's symbol."""
        face = self._face(symbol)
        self._symbol, self.desk = symbol, face.desk
        self._price_unit, self._lot, self._tick, self._lots_of = face.price_unit, face.lot, face.tick, face.lots_of

    def on_start(self) -> None:
        """Make indicators and other state here. Optional: a strategy that remembers nothing leaves it."""

    def on_bar(self, bar: BarEvent) -> None:
        """A bar has closed. Raises InvalidInput for a strategy that is told ticks alone."""
        raise InvalidInput(
            f"{type(self).__name__} trades on ticks, it has no on_bar.", where="strategy", hint="Run it over a file of ticks."
        )

    def recall(self, bar: BarEvent) -> None:
        """A bar is told again after a restart; what is ordered now was ordered then. Override where remembering is less work than deciding."""
        self.on_bar(bar)

    def on_quote(self, quote: QuoteEvent) -> None:
        """The best prices have changed. Optional: a strategy that trades on bars leaves it."""

    def on_trade(self, trade: TradeEvent) -> None:
        """Others have traded, and what rests of the strategy's own orders may have been met. Optional, as quotes are."""

    def on_depth(self, depth: DepthEvent) -> None:
        """What stands in the market's book has changed. Optional, as quotes are."""

    def on_fill(self, fill: FillEvent) -> None:
        """An order of the strategy has traded. Optional: the position is known without it."""

    def on_margin_call(self, call: MarginCallEvent) -> None:
        """Equity has fallen to where the account is called, told before the bar of that close. Optional: below maintenance the venue closes."""

    @contextmanager
    def about(self, symbol: str) -> Iterator[None]:
        """Let all calls inside be about another instrument than that of the event."""
        before = self._symbol
        self.turn_to(symbol)
        try:
            yield
        finally:
            self.turn_to(before)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments that it trades, in the order of the run."""
        return tuple(self._faces)

    @property
    def position(self) -> int:
        """Lots held, signed; 0 when flat. Of the instrument that the event is about."""
        return self.desk.position_lots

    @property
    def position_quantity(self) -> Decimal:
        """What is held, signed, in units of the instrument that the event is about."""
        return self.desk.position_lots * self._lot

    def position_of(self, symbol: str) -> Decimal:
        """What is held of an instrument, signed, in its units; raises InvalidInput for a symbol that it does not trade."""
        face = self._face(symbol)
        return face.desk.position_lots * face.lot

    @property
    def equity(self) -> Decimal:
        """The account's value: cash and all positions at their last prices."""
        return self.desk.equity()

    def lots(self, quantity: Number) -> int:
        """A quantity in lots, cut to the lot."""
        found = self._lots_of.get(quantity)
        if found is None:
            found = int((Decimal(str(quantity)) / self._lot).to_integral_value(rounding=ROUND_DOWN))
            self._lots_of[quantity] = found
        return found

    def units(self, price: Number | None) -> int:
        """A price in price units on the nearest tick; 0 for None."""
        if price is None:
            return 0
        ticks = (Decimal(str(price)) / self._price_unit / self._tick).to_integral_value(rounding=ROUND_HALF_EVEN)
        return int(ticks) * self._tick

    def buy(self, quantity: Number | None = None, *, symbol: str | None = None, **terms: Any) -> int:
        """Buy; None = what the sizing of the run says; terms as of `order`. Returns the ticket."""
        if symbol is not None:
            with self.about(symbol):
                return self.buy(quantity, **terms)
        return self.order(BUY, self.desk.sized_lots() if quantity is None else self.lots(quantity), **terms)

    def sell(self, quantity: Number | None = None, *, symbol: str | None = None, **terms: Any) -> int:
        """Sell; None = what the sizing of the run says; terms as of `order`. Returns the ticket."""
        if symbol is not None:
            with self.about(symbol):
                return self.sell(quantity, **terms)
        return self.order(SELL, self.desk.sized_lots() if quantity is None else self.lots(quantity), **terms)

    def close(self, symbol: str | None = None) -> int:
        """Cancel what is open of the instrument and sell or buy back what is held at market; the ticket, or -1 when flat."""
        if symbol is not None:
            with self.about(symbol):
                return self.close()
        held = self.desk.position_lots
        self.desk.cancel_all()
        if not held:
            return NO_ROW
        return self._submit(NewOrder(0, SELL if held > 0 else BUY, EngineOrderType.MARKET, abs(held), flags=REDUCE_ONLY, tag=TAG_EXIT))

    def order(
        self,
        side: int,
        lots: int,
        *,
        limit: Number | None = None,
        stop: Number | None = None,
        trail: Number | None = None,
        trail_percent: float = 0.0,
        time_in_force: EngineTimeInForce = EngineTimeInForce.GTC,
        expires_at: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        on_open: bool = False,
        on_close: bool = False,
        stop_loss: Number | None = None,
        stop_loss_percent: float = 0.0,
        take_profit: Number | None = None,
        take_profit_percent: float = 0.0,
        trailing_stop_percent: float = 0.0,
        group: int = 0,
        tag: int = TAG_ENTRY,
    ) -> int:
        """Give an order; its type follows from its terms. Protection (`stop_loss`, `take_profit`, `trailing_stop_percent`) goes with it as
        reduce-only orders of which one cancels the others; `*_percent` are measured from the fill price. Returns the ticket."""
        ticket = self._submit(
            NewOrder(
                0, side, _order_type(limit, stop, trail or trail_percent, on_open=on_open, on_close=on_close), lots,
                limit=self.units(limit), stop=self.units(stop), trail=self.units(trail), trail_ppm=round(trail_percent * PPM_PER_PERCENT),
                time_in_force=time_in_force, flags=POST_ONLY * post_only | REDUCE_ONLY * reduce_only, expires_at=expires_at, group=group, tag=tag,
            )
        )  # fmt: skip
        if stop_loss or stop_loss_percent or take_profit or take_profit_percent or trailing_stop_percent:
            self._protect(
                ticket, side, lots, stop=self.units(stop_loss), stop_percent=stop_loss_percent, target=self.units(take_profit),
                target_percent=take_profit_percent, trail_percent=trailing_stop_percent,
            )  # fmt: skip
        return ticket

    def _protect(
        self, parent: int, side: int, lots: int, *, stop: int, stop_percent: float, target: int, target_percent: float, trail_percent: float
    ) -> None:
        if parent == NO_ROW or self.desk.state(parent) > EngineOrderState.OPEN:
            return
        group = self.desk.new_group()
        if stop or stop_percent:
            relative = 0 if stop else -side * round(stop_percent * PPM_PER_PERCENT)
            self._leg(parent, -side, lots, group, EngineOrderType.STOP, TAG_STOP, stop=stop, stop_ppm=relative)
        if trail_percent:
            self._leg(parent, -side, lots, group, EngineOrderType.TRAILING, TAG_TRAIL, trail_ppm=round(trail_percent * PPM_PER_PERCENT))
        if target or target_percent:
            relative = 0 if target else side * round(target_percent * PPM_PER_PERCENT)
            self._leg(parent, -side, lots, group, EngineOrderType.LIMIT, TAG_TARGET, limit=target, limit_ppm=relative)

    def _leg(  # noqa: PLR0917
        self, parent: int, side: int, lots: int, group: int, order_type: EngineOrderType, tag: int,
        stop: int = 0, stop_ppm: int = 0, limit: int = 0, limit_ppm: int = 0, trail_ppm: int = 0,
    ) -> None:  # fmt: skip
        self._submit(
            NewOrder(
                0, side, order_type, lots, flags=REDUCE_ONLY, parent=parent, group=group, tag=tag,
                stop=stop, stop_ppm=stop_ppm, limit=limit, limit_ppm=limit_ppm, trail_ppm=trail_ppm,
            )
        )  # fmt: skip

    def cancel(self, ticket: int) -> Reason:
        """Cancel an order; NONE when done, else why not."""
        return self.desk.cancel(ticket)

    def amend(self, ticket: int, *, quantity: Number | None = None, limit: Number | None = None, stop: Number | None = None) -> Reason:
        """Change what is given; NONE when done, else why not."""
        owner = self._owners.get(ticket, self._symbol)
        if owner != self._symbol:
            with self.about(owner):
                return self.amend(ticket, quantity=quantity, limit=limit, stop=stop)
        return self.desk.amend(
            ticket,
            lots=None if quantity is None else self.lots(quantity),
            limit=None if limit is None else self.units(limit),
            stop=None if stop is None else self.units(stop),
        )

    def _submit(self, order: NewOrder) -> int:
        ticket = self.desk.submit(order)
        if len(self._faces) > 1:
            self._owners[ticket] = self._symbol
        return ticket

    def _face(self, symbol: str) -> _Face:
        face = self._faces.get(symbol)
        if face is None:
            raise InvalidInput(f"{symbol} is not traded here.", where="strategy", hint=f"Traded: {', '.join(self._faces)}.")
        return face


def _order_type(limit: Any, stop: Any, trail: Any, *, on_open: bool, on_close: bool) -> EngineOrderType:
    if on_open or on_close:
        return EngineOrderType.MARKET_ON_OPEN if on_open else EngineOrderType.MARKET_ON_CLOSE
    if trail:
        return EngineOrderType.TRAILING
    if stop is not None:
        return EngineOrderType.STOP if limit is None else EngineOrderType.STOP_LIMIT
    return EngineOrderType.MARKET if limit is None else EngineOrderType.LIMIT


def hears_bars(cls: type[EventStrategy]) -> bool:
    """Whether the strategy can be told bars."""
    return cls.on_bar is not EventStrategy.on_bar


def hears_ticks(cls: type[EventStrategy]) -> bool:
    """Whether the strategy listens to quotes, trades or depth."""
    return any(getattr(cls, name) is not getattr(EventStrategy, name) for name in ("on_quote", "on_trade", "on_depth"))


S = TypeVar("S", bound=type[EventStrategy])

_registry: StrategyRegistry[EventStrategy] = StrategyRegistry("event strategy", "event strategies", where="strategy")


def event_strategy(kind: str, *, title: str) -> Callable[[S], S]:
    """Register an event strategy under the name that rows and the command line use."""
    return _registry.register(kind, title=title)


def event_strategy_kinds() -> dict[str, str]:
    """All registered event strategies: name to title."""
    return _registry.titles()


def event_strategy_class(kind: str) -> type[EventStrategy]:
    """The class registered as `kind`; raises NotFound."""
    return _registry.named(kind)


def build_event_strategy(kind: str, values: dict[str, Any]) -> EventStrategy:
    """An instance with validated parameters; raises NotFound or InvalidInput."""
    cls = _registry.named(kind)
    return cls(build_parameters(cls.Parameters, values))
