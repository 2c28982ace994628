"""An event strategy that gives every kind of order by a plan of chance, remembers everything it was told, and depends on nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from apps.orders.domain.engine_codes import EngineOrderState, EngineTimeInForce
from apps.strategies.domain import event_strategy as registry
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, FillEvent, event_strategy
from apps.strategies.domain.parameters import parameter

KIND = "scripted"
QUANTITY = Decimal(3)


@dataclass(frozen=True)
class ScriptedParameters:
    seed: int = parameter(1, minimum=0, maximum=10**9, help="Of the plan.")
    fails_at: int = parameter(-1, minimum=-1, maximum=10**9, help="The bar at which it raises.")
    loops_at: int = parameter(-1, minimum=-1, maximum=10**9, help="The bar at which it orders without end.")


class Scripted(EventStrategy):
    """One thing at a bar, drawn from the seed and the number of the bar."""

    Parameters = ScriptedParameters

    def on_start(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.tickets: list[int] = []
        self.filled = Decimal(0)

    def on_fill(self, fill: FillEvent) -> None:
        self.told.append(("fill", fill.order, fill.at, fill.side, fill.quantity, fill.price, fill.fee, fill.reason, fill.tag))
        self.filled += fill.side * fill.quantity

    def on_bar(self, bar: BarEvent) -> None:
        chosen = self.parameters
        states = [self.desk.state(ticket) for ticket in self.tickets[-3:]]
        self.told.append(("bar", bar.index, bar.at, bar.close, bar.volume, self.position, self.filled, self.equity, tuple(states)))
        if bar.index == chosen.fails_at:
            raise ZeroDivisionError("planned")
        while bar.index == chosen.loops_at:
            self.buy(Decimal("0.001"))
        self.act(Random(f"{chosen.seed}|{bar.index}"), bar.close)

    def act(self, chance: Random, close: float) -> None:
        """Enter while flat, else change or leave."""
        is_working = any(self.desk.state(ticket) <= EngineOrderState.OPEN for ticket in self.tickets[-3:])
        if is_working and not self.position:
            self.change(chance, close)
        elif self.position:
            if chance.random() < 0.25:
                self.tickets.append(self.close())
        elif chance.random() < 0.8:
            self.tickets.append(self.enter(chance, close))

    def enter(self, chance: Random, close: float) -> int:
        """A market, limit or stop entry with one kind of protection or another."""
        protection: dict[str, Any] = chance.choice(
            [
                {},
                {"stop_loss_percent": 0.3, "take_profit_percent": 0.4},
                {"stop_loss": close * 0.996, "take_profit": close * 1.005, "trailing_stop_percent": 0.4},
                {"trailing_stop_percent": 0.25},
            ]
        )
        match chance.randrange(4):
            case 0:
                return self.buy(QUANTITY, limit=close * 0.9995, **protection)
            case 1:
                return self.buy(QUANTITY, stop=close * 1.0005, **protection)
            case 2:
                return self.buy(QUANTITY, limit=close * 1.001, time_in_force=EngineTimeInForce.IOC, **protection)
            case _:
                return self.buy(QUANTITY, **protection)

    def change(self, chance: Random, close: float) -> None:
        """Move or cancel the newest entry."""
        ticket = self.tickets[-1]
        if chance.random() < 0.5:
            self.told.append(("cancel", self.cancel(ticket)))
        else:
            self.told.append(("amend", self.amend(ticket, limit=close * 0.999)))


@contextmanager
def registered() -> Iterator[None]:
    """Let sessions be of this kind for a while."""
    event_strategy(KIND, title="Scripted")(Scripted)
    try:
        yield
    finally:
        del registry._registry[KIND]
