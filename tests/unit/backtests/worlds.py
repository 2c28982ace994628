"""Random accounts, instruments, orders and market events, from one seed: what the engine and its oracle are fed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from apps.orders.domain.engine_codes import (
    BUY,
    NEVER,
    NO_ROW,
    PPM,
    RATE_ONE,
    SELL,
    EngineOrderType,
    EngineTimeInForce,
    LimitRule,
    RangeOrder,
    SlippageModel,
    TrailRule,
)
from tests.unit.backtests.oracle import Amendment, Bar, Depth, Instrument, Level, OracleVenue, Quote, Request, Tier, Trade

PERIOD = 60_000_000
START = 1_600_000_000_000_000
_CHANCE_OF_BAD = 0.02

T = TypeVar("T")

Event = Bar | Quote | Trade | Depth


@dataclass(frozen=True)
class Submit:
    request: Request


@dataclass(frozen=True)
class Amend:
    row: int
    change: Amendment


@dataclass(frozen=True)
class Cancel:
    row: int


@dataclass(frozen=True)
class MatchAtClose:
    place: int
    close: int
    volume: int


Action = Submit | Amend | Cancel | MatchAtClose | Bar | Quote | Trade | Depth


@dataclass(frozen=True)
class World:
    """An account and its instruments."""

    instruments: list[Instrument]
    cash: list[int]
    rates: list[int]
    latency_us: int
    kinds: tuple[str, ...]
    """Kinds of events in this world."""


PROFILES = {
    "default": {
        "limit_rule": LimitRule.THROUGH,
        "trail_rule": TrailRule.TEST_RAISE_TEST_CLOSE,
        "range_order": RangeOrder.STOPS_FIRST,
    },
    "ideal": {"limit_rule": LimitRule.TOUCH, "trail_rule": TrailRule.RAISE_TEST, "range_order": RangeOrder.STOPS_FIRST},
    "lean": {"limit_rule": LimitRule.THROUGH, "trail_rule": TrailRule.TEST_RAISE, "range_order": RangeOrder.ACCEPTANCE},
}


class Dice:
    """Plain Python numbers from a seeded generator."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def number(self, low: int, high: int) -> int:
        """Inclusive."""
        return int(self._random.integers(low, high, endpoint=True))

    def chance(self, probability: float) -> bool:
        return bool(self._random.random() < probability)

    def one_of(self, choices: list[T]) -> T:
        return choices[self.number(0, len(choices) - 1)]


ALL_KINDS = (("bar",), ("bar",), ("quote", "trade"), ("depth", "trade"), ("bar", "quote", "trade", "depth"))
"""Kinds of events that come together in one stream."""


def make_world(dice: Dice, kinds: tuple[tuple[str, ...], ...] = ALL_KINDS) -> World:
    """One to three instruments in one or two currencies, under one of the profiles."""
    currencies = dice.number(1, 2)
    is_margin = dice.chance(0.5)
    rules = PROFILES[dice.one_of(list(PROFILES))]
    instruments = [_instrument(dice, dice.number(0, currencies - 1), rules, is_margin=is_margin) for _ in range(dice.number(1, 3))]
    rates = [RATE_ONE] + [dice.number(RATE_ONE // 3, RATE_ONE * 3) for _ in range(currencies - 1)]
    return World(
        instruments=instruments,
        cash=[dice.one_of([20_000, 100_000, 1_000_000, 20_000_000])] + [dice.number(0, 100_000) for _ in range(currencies - 1)],
        rates=rates,
        latency_us=dice.one_of([0, 0, 0, 250, PERIOD // 3, PERIOD]),
        kinds=dice.one_of(list(kinds)),
    )


def _instrument(dice: Dice, currency: int, rules: dict[str, Any], *, is_margin: bool) -> Instrument:
    initial = dice.one_of([PPM, 500_000, 100_000, 20_000]) if is_margin else PPM
    return Instrument(
        tick=dice.one_of([1, 1, 5]),
        max_price=dice.one_of([100_000, 100_000, 1_060]),
        min_lots=dice.one_of([1, 1, 3]),
        max_lots=dice.one_of([1_000_000, 1_000_000, 500]),
        min_notional=dice.one_of([0, 0, 4_000]),
        cash_per_price_lot=dice.one_of([1, 1, 7]),
        currency=currency,
        allows_short=is_margin and dice.chance(0.8),
        initial_ppm=initial,
        maintenance_ppm=initial // (2 if initial == PPM else dice.one_of([1, 2, 2])),
        volume_share_ppm=dice.one_of([0, 0, 100_000, 333_333, PPM]),
        **_costs(dice),
        **rules,
    )


def _costs(dice: Dice) -> dict[str, Any]:
    is_free = dice.chance(0.2)
    if is_free:
        return {}
    tiers = (Tier(50_000, 150, 700), Tier(400_000, 0, 350), Tier(2_000_000, 0, 100))
    return {
        "slippage": dice.one_of(list(SlippageModel)),
        "half_spread_ppm": dice.one_of([0, 200, 3_000]),
        "slippage_ppm": dice.one_of([0, 100, 2_500]),
        "impact_ppm": dice.one_of([0, 1_000, 10_000]),
        "fee_flat": dice.one_of([0, 0, 3]),
        "fee_maker_ppm": dice.one_of([0, 200, 1_000]),
        "fee_taker_ppm": dice.one_of([0, 500, 1_000]),
        "fee_per_lot_ppm": dice.one_of([0, 0, 500_000, 5_000]),
        "fee_minimum": dice.one_of([0, 0, 10]),
        "fee_cap_ppm": dice.one_of([0, 0, 5_000, 100]),
        "fee_cap_above_minimum": dice.chance(0.5),
        "tiers": tiers[: dice.number(0, 3)],
    }


@dataclass
class Market:
    """The prices that the events of a world come from: a walk in small steps with gaps, so that orders near it are reached and touched."""

    dice: Dice
    world: World

    def __post_init__(self) -> None:
        self.now = START
        self.prices = [self.dice.number(900, 1_050) // one.tick * one.tick for one in self.world.instruments]

    def events(self) -> list[Event]:
        """One period of every instrument, in the order of time."""
        opened_at = self.now
        self.now += PERIOD
        events: list[Event] = []
        for place in range(len(self.prices)):
            kind = self.dice.one_of(list(self.world.kinds))
            events += [self._bar(place, opened_at)] if kind == "bar" else self._ticks(place, opened_at, kind)
        return sorted(events, key=_time)

    def _move(self, place: int) -> int:
        size = self.dice.one_of([0, 3, 8, 8, 20]) if not self.dice.chance(0.05) else 150
        self.prices[place] = min(max(self.prices[place] + self.dice.number(-size, size), 20), self.world.instruments[place].max_price)
        return self.prices[place]

    def _bar(self, place: int, opened_at: int) -> Bar:
        highest = self.world.instruments[place].max_price
        first, second, third = self._move(place), self._move(place), self._move(place)
        low = max(1, min(first, second, third) - self.dice.number(0, 6))
        high = min(highest, max(first, second, third) + self.dice.number(0, 6))
        volume = self.dice.one_of([-1, 0, 5, 50, 500, 20_000, 20_000])
        return Bar(place, opened_at, opened_at + PERIOD, first, high, low, third, volume)

    def _ticks(self, place: int, opened_at: int, kind: str) -> list[Event]:
        times = sorted(opened_at + self.dice.number(1, PERIOD) for _ in range(self.dice.number(1, 4)))
        ticks = [self._tick(place, at, self.dice.one_of([kind, kind, *self.world.kinds])) for at in times]
        # What is told twice offers its sizes once.
        return [tick for tick in ticks for _ in range(2 if self.dice.chance(0.2) and not isinstance(tick, Trade) else 1)]

    def _tick(self, place: int, at: int, kind: str) -> Event:
        price = self._move(place)
        if kind == "trade":
            return Trade(place, at, price, self.dice.one_of([1, 4, 30, 200]))
        tick, highest = self.world.instruments[place].tick, self.world.instruments[place].max_price
        bid = max(tick, price // tick * tick - tick * self.dice.number(0, 2))
        ask = min(highest // tick * tick, bid + tick * self.dice.number(1, 3))
        bid = min(bid, ask)
        if kind == "depth":
            return Depth(place, at, self._levels(bid, -tick, tick, highest), self._levels(ask, tick, tick, highest))
        return Quote(place, at, bid, ask, self.dice.one_of([-1, 0, 30, 3_000]), self.dice.one_of([-1, 0, 30, 3_000]))

    def _levels(self, best: int, step: int, low: int, high: int) -> tuple[Level, ...]:
        prices = [best + step * number for number in range(self.dice.number(1, 4))]
        return tuple(Level(price, self.dice.one_of([0, 1, 5, 25, 80])) for price in prices if low <= price <= high)


def _time(event: Event) -> int:
    return event.closed_at if isinstance(event, Bar) else event.at


@dataclass
class Trader:
    """Sends orders of every kind near the market, changes and cancels them, and now and then asks for nonsense."""

    dice: Dice
    world: World
    market: Market
    oracle: OracleVenue
    eagerness: float = 1.0
    """How often it does anything at all."""
    groups: int = 0

    def act(self, place: int, event: Event | None = None) -> list[Action]:
        """What is sent after an event of the instrument, or before the first one."""
        actions: list[Action] = []
        if not self.dice.chance(self.eagerness):
            return actions
        for _ in range(self.dice.one_of([0, 0, 1, 1, 2])):
            roll = self.dice.number(0, 99)
            if roll < 12 and self.oracle.orders:
                actions.append(Amend(self._row(), self._change()))
            elif roll < 22:
                actions.append(Cancel(self._row()))
            elif roll < 42:
                actions += self._bracket(place, len(self.oracle.orders) + sum(isinstance(one, Submit) for one in actions))
            elif roll < 48:
                actions += self._pair(place)
            elif roll < 54 and self.oracle.orders:
                actions.append(Submit(self._late_child()))
            else:
                actions.append(Submit(self._request(place)))
        if isinstance(event, Bar) and self.dice.chance(0.15):
            actions.append(MatchAtClose(place, event.close, event.volume))
        return actions

    def _row(self) -> int:
        """Mostly an order that lives."""
        living = [order.row for order in self.oracle.orders if not order.has_ended]
        if living and self.dice.chance(0.85):
            return self.dice.one_of(living)
        return self.dice.number(0, len(self.oracle.orders) + 1)

    def _price(self, place: int, side: int, away: int) -> int:
        """A price this far from the market, against the side: buys below, sells above."""
        tick = self.world.instruments[place].tick
        price = max(tick, (self.market.prices[place] - side * away) // tick * tick)
        return price + (1 if self.dice.chance(_CHANCE_OF_BAD) else 0)

    def _lots(self, place: int) -> int:
        if self.dice.chance(_CHANCE_OF_BAD):
            return self.dice.one_of([0, -5, 10_000_000])
        held = abs(self.oracle.positions[place])
        instrument = self.world.instruments[place]
        if held and self.dice.chance(0.3):
            return max(instrument.min_lots, held // self.dice.number(1, 3))
        margin = max(1, self.market.prices[place] * instrument.cash_per_price_lot * instrument.initial_ppm // PPM)
        affordable = max(0, self.oracle.free_cash()) // margin
        some = [4, 30, affordable // 5, affordable // 5, affordable // 2, affordable // 2, affordable, affordable * 11 // 10]
        return min(max(instrument.min_lots, self.dice.one_of(some)), instrument.max_lots)

    def _side(self, place: int) -> int:
        held = self.oracle.positions[place]
        if held and self.dice.chance(0.6):
            return SELL if held > 0 else BUY
        if not held and not self.world.instruments[place].allows_short:
            return SELL if self.dice.chance(0.05) else BUY
        return BUY if self.dice.chance(0.6) else SELL

    def _request(self, place: int, *, parent: int = NO_ROW, group: int = 0) -> Request:
        type_ = self.dice.one_of(list(EngineOrderType))
        tif = self.dice.one_of([*EngineTimeInForce, EngineTimeInForce.GTC, EngineTimeInForce.GTC])
        if tif in {EngineTimeInForce.IOC, EngineTimeInForce.FOK} and self.dice.chance(0.9):
            type_ = self.dice.one_of([EngineOrderType.MARKET, EngineOrderType.LIMIT])
        side = self._side(place)
        has_expiry = tif in {EngineTimeInForce.DAY, EngineTimeInForce.GTD}
        post_only = self.dice.chance(0.35) if type_ is EngineOrderType.LIMIT else self.dice.chance(0.01)
        return Request(
            place=place,
            side=side,
            type=type_,
            lots=self._lots(place),
            tif=tif,
            post_only=post_only,
            reduce_only=self.dice.chance(0.5 if self.oracle.positions[place] * side < 0 else 0.03),
            expires_at=self.market.now + self.dice.number(-PERIOD // 2, 4 * PERIOD) if has_expiry else NEVER,
            parent=parent,
            group=group,
            tag=self.dice.number(0, 9),
            **self._prices(place, side, type_),
        )

    def _prices(self, place: int, side: int, type_: EngineOrderType) -> dict[str, Any]:
        prices: dict[str, Any] = {}
        wants = (type_ in {EngineOrderType.LIMIT, EngineOrderType.STOP_LIMIT}) ^ self.dice.chance(_CHANCE_OF_BAD)
        if wants:
            prices["limit"] = self._price(place, side, self.dice.number(-8, 25))
        if type_ in {EngineOrderType.STOP, EngineOrderType.STOP_LIMIT}:
            prices["stop"] = self._price(place, side, self.dice.number(-25, 4))
        if type_ is EngineOrderType.TRAILING:
            prices |= {"trail": self.dice.number(1, 30)} if self.dice.chance(0.5) else {"trail_ppm": self.dice.number(1_000, 40_000)}
            prices |= {"trail_ppm": 1_000} if self.dice.chance(_CHANCE_OF_BAD) else {}
        return prices

    def _next_group(self) -> int:
        self.groups += 1
        return self.groups

    def _bracket(self, place: int, row: int) -> list[Action]:
        """An entry with a stop or trailing stop and a target, at absolute or relative prices."""
        entry = self._request(place)
        side, group = -entry.side, self._next_group()
        stop_type = self.dice.one_of([EngineOrderType.STOP, EngineOrderType.STOP, EngineOrderType.TRAILING, EngineOrderType.STOP_LIMIT])
        market = self.market.prices[place]
        is_relative = self.dice.chance(0.5) and stop_type is not EngineOrderType.TRAILING
        below, above = self.dice.number(1, 25), self.dice.number(1, 25)
        stop: dict[str, Any] = {}
        target: dict[str, Any] = {}
        if stop_type is EngineOrderType.TRAILING:
            stop = self._prices(place, side, stop_type)
        elif is_relative:
            stop = {"stop_ppm": side * below * 1_000}
            target = {"limit_ppm": -side * above * 1_000}
        else:
            stop = {"stop": self._price(place, side, -below)}
        if stop_type is EngineOrderType.STOP_LIMIT:
            stop["limit"] = max(1, market // 5 * 5 + side * (below + self.dice.number(-2, 6)) // 5 * 5)
        target = target or {"limit": self._price(place, side, above)}
        common: dict[str, Any] = {"place": place, "side": side, "lots": max(1, entry.lots), "parent": row, "tag": entry.tag}
        reduces = not self.dice.chance(0.1)
        orders: list[Action] = [
            Submit(entry),
            Submit(Request(type=stop_type, reduce_only=reduces, group=group, **common, **stop)),
            Submit(Request(type=EngineOrderType.LIMIT, reduce_only=reduces, group=group, **common, **target)),
        ]
        if self.dice.chance(0.1):
            orders.append(Submit(self._request(place, parent=row + 1)))
        return orders

    def _late_child(self) -> Request:
        """A child of an order that was given before, which may wait, work, have filled or have ended."""
        parent = self._row() % len(self.oracle.orders)
        place = self.oracle.orders[parent].place if self.dice.chance(0.9) else self.dice.number(0, len(self.market.prices) - 1)
        child = self._request(place, parent=parent)
        if self.dice.chance(0.5) and child.type in {EngineOrderType.LIMIT, EngineOrderType.STOP}:
            name = "limit" if child.type is EngineOrderType.LIMIT else "stop"
            relative: dict[str, Any] = {name: 0, f"{name}_ppm": self.dice.number(-25_000, 25_000)}
            return replace(child, **relative)
        return child

    def _pair(self, place: int) -> list[Action]:
        """Two orders of which one cancels the other."""
        group = self._next_group()
        return [Submit(self._request(place, group=group)) for _ in range(self.dice.number(2, 3))]

    def _change(self) -> Amendment:
        row = self.oracle.orders[self.dice.number(0, len(self.oracle.orders) - 1)]
        kind = self.dice.number(0, 4)
        place = row.place
        if kind <= 1:
            return Amendment(lots=self._lots(place))
        if kind == 2:
            return Amendment(limit=self._price(place, row.side, self.dice.number(-8, 25)))
        if kind == 3:
            return Amendment(stop=self._price(place, row.side, self.dice.number(-25, 4)))
        return Amendment(trail=self.dice.number(1, 40))
