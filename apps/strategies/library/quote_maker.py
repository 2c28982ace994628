"""Quote maker: rests a bid and an offer at the best prices, moves them with the market, and stops a side at its limit of inventory.

    manage.py backtest quote_maker --ticks ticks.csv --symbol X/USD --sizing quantity=5 --short --set goes_short=true

It earns the spread when others trade with both of its orders, and loses when the market runs over one of them. What it is told decides how well
that can be judged: with quotes alone an order fills when the other side reaches it, trades of others fill it on the way, and depth says how
many wait in front of it. A copy of this file with another name in `@event_strategy` is a strategy of your own.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.orders.domain.engine_codes import BUY, NO_ROW, SELL, EngineOrderState, Reason
from apps.strategies.domain.event_strategy import EventStrategy, event_strategy
from apps.strategies.domain.parameters import parameter
from apps.strategies.domain.told import DepthEvent, QuoteEvent


@dataclass(frozen=True)
class QuoteMakerParameters:
    quantity: float = parameter(
        0.0, minimum=0.0, maximum=1e12, help="What each side offers, in units of the instrument; 0 = what the run says."
    )
    most_held: float = parameter(4.0, minimum=1.0, maximum=1_000.0, help="Most inventory, long or short, in offers.")
    distance_bps: float = parameter(0.0, minimum=0.0, maximum=1_000.0, help="How far behind the best prices it quotes; 0 joins them.")
    goes_short: bool = parameter(False, help="Offers what it does not hold; the run must allow shorts.")


@dataclass
class _Resting:
    """The order of one side, and the price at which it was last put."""

    side: int
    ticket: int = NO_ROW
    price: float = 0.0


@event_strategy("quote_maker", title="Quote maker")
class QuoteMaker(EventStrategy):
    """Rests on both sides of the market and limits what it holds; for ticks."""

    Parameters = QuoteMakerParameters

    def on_start(self) -> None:
        self._bid, self._ask = _Resting(BUY), _Resting(SELL)
        self._offer = 0

    def on_quote(self, quote: QuoteEvent) -> None:
        self._stand(quote.bid, quote.ask)

    def on_depth(self, depth: DepthEvent) -> None:
        self._stand(depth.bid, depth.ask)

    def _stand(self, bid: float, ask: float) -> None:
        """Both sides where they belong for these best prices."""
        chosen = self.parameters
        self._offer = self._offer or (self.lots(chosen.quantity) if chosen.quantity else self.desk.sized_lots())
        most, held, away = int(self._offer * chosen.most_held), self.position, chosen.distance_bps / 10_000
        self._keep(self._bid, min(self._offer, most - held), bid * (1 - away))
        self._keep(self._ask, min(self._offer, most + held if chosen.goes_short else held), ask * (1 + away))

    def _keep(self, resting: _Resting, lots: int, price: float) -> None:
        """One order of a side: given where there is none, moved where the market has moved, taken back where the inventory is full."""
        is_open = resting.ticket != NO_ROW and self.desk.state(resting.ticket) is EngineOrderState.OPEN
        if lots <= 0:
            if is_open:
                self.cancel(resting.ticket)
            return
        if not is_open:
            resting.ticket, resting.price = self.order(resting.side, lots, limit=price, post_only=True), price
        elif price != resting.price and self.amend(resting.ticket, limit=price) is Reason.NONE:
            resting.price = price
