"""What the oracle keeps: instruments, orders, fills and the state of one account. Plain integers in the units of the note."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from apps.orders.domain.engine_codes import (
    NEVER,
    NO_ROW,
    PPM,
    EngineOrderState,
    EngineOrderType,
    EngineTimeInForce,
    LimitRule,
    RangeOrder,
    Reason,
    SlippageModel,
    StepStatus,
    TrailRule,
)


@dataclass(frozen=True)
class Tier:
    """Fees from a value traded on."""

    from_value: int
    maker_ppm: int
    taker_ppm: int


@dataclass(frozen=True)
class Instrument:
    """The constants of an instrument. `volume_share_ppm` 0 is no limit; a fee cap of 0 is no cap."""

    tick: int = 1
    max_price: int = 1_000_000
    min_lots: int = 1
    max_lots: int = 1_000_000
    min_notional: int = 0
    cash_per_price_lot: int = 1
    currency: int = 0
    allows_short: bool = False
    initial_ppm: int = PPM
    maintenance_ppm: int = 0
    volume_share_ppm: int = 0
    slippage: SlippageModel = SlippageModel.NONE
    half_spread_ppm: int = 0
    slippage_ppm: int = 0
    impact_ppm: int = 0
    fee_flat: int = 0
    fee_maker_ppm: int = 0
    fee_taker_ppm: int = 0
    fee_per_lot_ppm: int = 0
    fee_minimum: int = 0
    fee_cap_ppm: int = 0
    fee_cap_above_minimum: bool = False
    tiers: tuple[Tier, ...] = ()
    limit_rule: LimitRule = LimitRule.THROUGH
    trail_rule: TrailRule = TrailRule.TEST_RAISE_TEST_CLOSE
    range_order: RangeOrder = RangeOrder.STOPS_FIRST


@dataclass(frozen=True)
class Request:
    """An order as it is submitted. A price of 0 is none, an expiry of 0 is never."""

    place: int
    side: int
    type: EngineOrderType
    lots: int
    tif: EngineTimeInForce = EngineTimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    limit: int = 0
    stop: int = 0
    trail: int = 0
    trail_ppm: int = 0
    expires_at: int = NEVER
    parent: int = NO_ROW
    group: int = 0
    stop_ppm: int = 0
    limit_ppm: int = 0
    tag: int = 0


@dataclass(frozen=True)
class Amendment:
    """New values of an order; None keeps the old one."""

    lots: int | None = None
    limit: int | None = None
    stop: int | None = None
    trail: int | None = None
    trail_ppm: int | None = None


@dataclass
class Order:
    """A row of the book."""

    row: int
    place: int
    side: int
    type: EngineOrderType
    tif: EngineTimeInForce
    post_only: bool
    reduce_only: bool
    lots: int
    limit: int
    stop: int
    trail: int
    trail_ppm: int
    submitted_at: int
    active_at: int
    expires_at: int
    parent: int
    group: int
    stop_ppm: int
    limit_ppm: int
    tag: int
    state: EngineOrderState = EngineOrderState.OPEN
    reason: Reason = Reason.NONE
    filled: int = 0
    value: int = 0
    fee: int = 0
    best: int = 0
    queue: int | None = None
    ended_at: int = 0
    is_triggered: bool = False
    is_seen: bool = False
    is_out: bool = False
    """Its price was out of bounds in this event."""
    waits_for_next_event: bool = False
    """Opened inside a bar: only its stop takes part in that bar."""

    @property
    def left(self) -> int:
        return self.lots - self.filled

    @property
    def is_open(self) -> bool:
        return self.state is EngineOrderState.OPEN

    @property
    def has_ended(self) -> bool:
        return self.state not in {EngineOrderState.WAITING, EngineOrderState.OPEN}

    @property
    def acts_as_limit(self) -> bool:
        return self.type is EngineOrderType.LIMIT or (self.type is EngineOrderType.STOP_LIMIT and self.is_triggered)

    @property
    def waits_for_stop(self) -> bool:
        if self.type is EngineOrderType.STOP_LIMIT:
            return not self.is_triggered
        return self.type in {EngineOrderType.STOP, EngineOrderType.TRAILING}


@dataclass(frozen=True)
class Fill:
    """A trade."""

    order: int
    place: int
    at: int
    side: int
    lots: int
    price: int
    value: int
    fee: int
    reason: Reason
    is_maker: bool
    reference: int
    tag: int


@dataclass(frozen=True)
class Quote:
    """The best prices and what stands there."""

    place: int
    at: int
    bid: int
    ask: int
    bid_lots: int
    ask_lots: int


@dataclass(frozen=True)
class Trade:
    """A trade of others."""

    place: int
    at: int
    price: int
    lots: int


@dataclass
class Level:
    """Displayed lots at a price."""

    price: int
    lots: int


@dataclass(frozen=True)
class Depth:
    """Both sides, best first."""

    place: int
    at: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass
class Place:
    """An instrument and what changes about it. `volume` is what the event traded, `left` what we may still take (None: all)."""

    instrument: Instrument
    position: int = 0
    mark: int = 0
    volume: int = 0
    left: int | None = None
    stepped_at: int = 0
    quote: Quote | None = None
    """The quote that was stepped last, and what is left of its sizes for each side."""
    quote_left: dict[int, int | None] = field(default_factory=dict)
    depth: Depth | None = None
    """The snapshot that was stepped last, and what is left of its levels for each side."""
    depth_left: dict[int, list[Level]] = field(default_factory=dict)


@dataclass
class State:
    """One account at one venue."""

    places: list[Place]
    cash: list[int]
    rates: list[int]
    latency_us: int = 0
    now: int = 0
    traded_value: int = 0
    status: StepStatus = StepStatus.OK
    orders: list[Order] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    """Rows of open orders in the order of their acceptance."""
    fills: list[Fill] = field(default_factory=list)
    branches: Counter[str] = field(default_factory=Counter)
    """How often each branch was taken, for the tests' own coverage."""

    def active_orders(self, place: int) -> list[Order]:
        return [self.orders[row] for row in self.active if self.orders[row].place == place]


def sign(value: int) -> int:
    return (value > 0) - (value < 0)
