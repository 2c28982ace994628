"""A session of a run whose strategy is told events: what it is told at each bar, and its orders as they stand in the venue's book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.backtests.domain.session_venue import MemoryVenue, Traded
from apps.core.values import InstrumentSpec
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.markets.contracts import BarWindow
from apps.strategies.domain.catalog import kind_of
from apps.strategies.domain.evaluation import Evaluation, Terms
from apps.strategies.domain.event_deciding import EventInputs
from apps.strategies.domain.event_session import BookedFill, Call, EventSession, bar_events
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy
from apps.strategies.domain.margin_event import MarginCallEvent
from apps.strategies.domain.vector_events import VectorAsEvents


@dataclass(frozen=True)
class _Told:
    bar: BarEvent
    position: Decimal
    fills: tuple[BookedFill, ...]
    calls: list[Call]
    margin_call: MarginCallEvent | None


class SessionEvents:
    """The strategy of one session with what it was told. With `remembers` other parameters may take over on the way, as in paper."""

    def __init__(self, strategy: EventStrategy, instrument: InstrumentSpec, *, life: str, remembers: bool) -> None:
        self._instrument = instrument
        self._life = life
        self._strategy = strategy
        self._session = EventSession(fresh(strategy), instrument)
        self._untold: list[BookedFill] = []
        self._remembers = remembers
        self._told: list[_Told] = []

    def note(self, traded: Traded) -> None:
        """A fill that is to be told at the next bar."""
        if self._session.hears_fills:
            number = UUID(int=len(self._told) * 1_000_000 + len(self._untold))
            self._untold.append(
                BookedFill(number, traded.order_id, traded.at, traded.side, traded.quantity, traded.price, traded.fee, traded.reason)
            )

    def inputs(
        self,
        strategy: EventStrategy,
        terms: Terms,
        at: datetime,
        *,
        window: BarWindow,
        position: Decimal,
        forecast: ForecastView | NoForecast,
        venue: MemoryVenue,
        margin_call: MarginCallEvent | None = None,
    ) -> EventInputs:
        """What the bar is decided on; a strategy that is another one than before is told first what that one was told."""
        if strategy is not self._strategy:
            self._take_over(strategy)
        known = {ticket: venue.standing(order_id) for ticket, order_id in self._session.unsettled.items()}
        return EventInputs(
            terms=terms,
            bar_at=at,
            is_late=False,
            is_missed=False,
            kind=kind_of(strategy),
            life=self._life,
            session=self._session,
            window=window,
            position=position,
            fills=tuple(self._untold),
            standings=known,
            strays={
                order_id: venue.standing(order_id)
                for order_id in venue.orders_of(terms.session_id)
                if self._session.ticket_of(order_id) is None
            },
            forecast=forecast,
            margin_call=margin_call,
        )

    def keep(self, inputs: EventInputs, evaluation: Evaluation) -> None:
        """The bar was decided."""
        if "calls" not in evaluation.actions:
            return
        if self._remembers:
            bar = bar_events(inputs.window.last(1), first_index=len(self._told))[0]
            called = inputs.margin_call if "margin_call" in evaluation.actions else None
            self._told.append(_Told(bar, inputs.position, tuple(inputs.fills), evaluation.actions["calls"], called))
        self._untold = []

    def _take_over(self, strategy: EventStrategy) -> None:
        self._strategy = strategy
        self._session = EventSession(fresh(strategy), self._instrument)
        for item in self._told:
            self._session.retell(
                item.bar, position=item.position, fills=item.fills, script=item.calls, is_repeated=False, margin_call=item.margin_call
            )


def fresh(strategy: EventStrategy) -> EventStrategy:
    """The same strategy, knowing nothing yet."""
    if isinstance(strategy, VectorAsEvents):
        return VectorAsEvents(strategy.vector)
    return type(strategy)(strategy.parameters)
