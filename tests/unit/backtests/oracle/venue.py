"""The oracle's door: one account at one venue, stepped event by event."""

from __future__ import annotations

from apps.orders.domain.engine_codes import INT64_SAFE, RATE_ONE, Reason, StepStatus
from tests.unit.backtests.oracle import bars, money, orders, ticks
from tests.unit.backtests.oracle.bars import Bar
from tests.unit.backtests.oracle.model import Amendment, Depth, Fill, Instrument, Order, Place, Quote, Request, State, Trade


class OracleVenue:
    """Submits, changes and matches orders. Every call is told the time or takes it from the last event."""

    def __init__(
        self,
        instruments: list[Instrument],
        cash: list[int],
        rates: list[int] | None = None,
        *,
        latency_us: int = 0,
    ) -> None:
        for one in instruments:
            if one.max_price * one.max_lots * one.cash_per_price_lot > INT64_SAFE:
                raise ValueError("max_price x max_lots x cash_per_price_lot is beyond 2^61")
        self.state = State([Place(one) for one in instruments], list(cash), rates or [RATE_ONE] * len(cash), latency_us)

    def submit(self, request: Request) -> tuple[int, Reason]:
        return orders.submit(self.state, request, self.state.now)

    def amend(self, row: int, change: Amendment) -> Reason:
        return orders.amend(self.state, row, change)

    def cancel(self, row: int) -> Reason:
        return orders.cancel(self.state, row, self.state.now)

    def step_bar(self, bar: Bar) -> StepStatus:
        return bars.step_bar(self.state, bar)

    def step_quote(self, quote: Quote) -> StepStatus:
        return ticks.step_quote(self.state, quote)

    def step_trade(self, trade: Trade) -> StepStatus:
        return ticks.step_trade(self.state, trade)

    def step_depth(self, depth: Depth) -> StepStatus:
        return ticks.step_depth(self.state, depth)

    def match_at_close(self, place: int, close: int, volume: int) -> StepStatus:
        return bars.match_at_close(self.state, place, close, volume)

    @property
    def orders(self) -> list[Order]:
        return self.state.orders

    @property
    def fills(self) -> list[Fill]:
        return self.state.fills

    @property
    def cash(self) -> list[int]:
        return self.state.cash

    @property
    def positions(self) -> list[int]:
        return [place.position for place in self.state.places]

    def equity(self) -> int:
        return money.equity(self.state)

    def free_cash(self) -> int:
        return money.free_cash(self.state)
