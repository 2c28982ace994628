"""The decision cycle of paper's sessions over stored bars, in memory: the same evaluation, gate, matching and ledger, in the same order.

At each close of the market, as in the lock step of paper: the book meets the bars, fills are booked, the account is valued; then every
session with a bar there decides, one after the other, and what it orders rests in the book until the next bar. Nothing here reads a clock,
a file or a database, and the same arguments give the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import numpy as np

from apps.backtests.domain.session_amending import drop_refused_changes
from apps.backtests.domain.session_beside import NOTHING_BESIDE, Beside
from apps.backtests.domain.session_books import MemoryBooks
from apps.backtests.domain.session_change import DecisionChange
from apps.backtests.domain.session_desk import MemoryDesk
from apps.backtests.domain.session_plan import AccountPlan, SessionPlan
from apps.backtests.domain.session_result import SessionDecision, SessionRun
from apps.backtests.domain.session_series import InstrumentSeries
from apps.backtests.domain.session_state import RunningSession, exit_order, started
from apps.backtests.domain.session_venue import Ended, MemoryVenue, Traded
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.forecasts.ports import ForecastSource
from apps.markets.contracts import BarWindow, Int64Array
from apps.markets.domain.bars import from_micros, to_micros
from apps.orders.contracts import Amendment, OrderRequest
from apps.orders.domain.attribution import position_of
from apps.orders.domain.engine_codes import Reason
from apps.orders.domain.terms import amended
from apps.strategies.domain.deciding import evaluate
from apps.strategies.domain.evaluation import Evaluation, Ids, Inputs
from apps.strategies.domain.event_deciding import EventInputs, evaluate_event
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.domain.outcomes import Outcome

ZERO = Decimal(0)
CLAIM_AT_MOST = 16
"""Intents that the executor claims at once."""


def run_sessions(
    account: AccountPlan,
    sessions: Sequence[SessionPlan],
    bars: Sequence[BarWindow],
    *,
    forecasts: ForecastSource,
    closes: Int64Array | None = None,
    closes_at_end: bool = False,
    after_close: Callable[[int, int], None] | None = None,
    beside: Beside = NOTHING_BESIDE,
    change: DecisionChange | None = None,
    watched: tuple[UUID, datetime] | None = None,
) -> SessionRun:
    """Play the closes after the account's opening.

    `bars` hold the whole history of each instrument, with what lies before the opening. `closes` are all closes of the market in
    microseconds (None: those of `bars`); the account is valued at each. `after_close(done, total)` is called after each and may raise.
    With `closes_at_end` whatever is held is given up at the last closes; paper does not do that. What is `beside` the decisions happens as
    it did, and `change` makes one of them another one. The decision of the `watched` session and bar is kept whole.
    Raises InvalidInput for a session without bars.
    """
    engine = _Cycle(account, sessions, bars, forecasts=forecasts, beside=beside, change=change, watched=watched)
    opened = to_micros(account.opened_at)
    times = np.unique(np.concatenate([window.closed_at for window in bars])) if closes is None else closes
    played: list[int] = times[times > opened].tolist()
    for done, closed in enumerate(played, start=1):
        engine.play(closed)
        if after_close is not None:
            after_close(done, len(played))
    if closes_at_end and played:
        engine.close_out(from_micros(played[-1]))
    return engine.result()


class _Cycle:
    def __init__(
        self,
        account: AccountPlan,
        sessions: Sequence[SessionPlan],
        bars: Sequence[BarWindow],
        *,
        forecasts: ForecastSource,
        beside: Beside,
        change: DecisionChange | None,
        watched: tuple[UUID, datetime] | None,
    ) -> None:
        self._account = account
        self._beside, self._change = beside, change
        self._watched_key = watched
        self._watched: Evaluation | None = None
        self._nobodys: dict[UUID, Decimal] = {}
        self._series = {window.instrument.id: InstrumentSeries(window) for window in bars}
        self._is_daily = any(window.timeframe.duration.days >= 1 for window in bars)
        self._sessions = [started(account, plan, self._series) for plan in sessions]
        self._by_id = {session.plan.id: session for session in self._sessions}
        self._forecasts = forecasts
        self._books = MemoryBooks(account)
        specs = [window.instrument for window in bars]
        self._venue = MemoryVenue(specs, account.profile, currency=account.currency, capital=account.capital)
        self._desk = MemoryDesk(account, self._books)
        self._decisions: list[SessionDecision] = []
        self._orders: list[OrderRequest] = []
        self._fills: list[Traded] = []
        self._ended: dict[UUID, Reason] = {}
        self._cancelled: set[UUID] = set()
        self._failed: dict[UUID, str] = {}
        self._wishes: list[Evaluation] = []
        self._proposals = 0

    def play(self, closed: int) -> None:
        """One close of the market: match, book, value, decide."""
        at = from_micros(closed)
        places = {key: place for key, series in self._series.items() if (place := series.move_to(closed)) is not None}
        self._match(places)
        self._take_given(closed)
        closes = {key: self._series[key].close(place) for key, place in places.items()}
        self._venue.mark(closes)
        self._books.mark(at, closes)
        ended = [session for session in self._sessions if session.is_active and not self._decide(session, closed, at, places)]
        self._send(at)
        for session in ended:
            self._end_if_over(session, closed)
        self._follow(closed, at)

    def close_out(self, at: datetime) -> None:
        """Give up what the sessions hold at the last closes."""
        for number, session in enumerate(self._sessions, start=1):
            self._cancel_of(session)
            if session.position:
                self._place(
                    exit_order(session, self._series[session.plan.instrument_id].bars.instrument, at, number=len(self._decisions) + number),
                    at,
                )
        self._settle(*self._venue.fill_at_close())
        self._books.restate()

    def result(self) -> SessionRun:
        """What has come of it."""
        return SessionRun(
            account=self._account,
            instruments={key: series.bars.instrument for key, series in self._series.items()},
            decisions=self._decisions,
            orders=[self._venue.as_changed(order) for order in self._orders],
            fills=self._fills,
            trips=self._books.trips,
            equity=self._books.points,
            holdings=self._books.holdings(),
            cash=self._books.cash,
            ended=self._ended,
            cancelled=frozenset(self._cancelled),
            failed=self._failed,
            engine=self._venue.engine,
            watched=self._watched,
        )

    def _match(self, places: dict[UUID, int]) -> None:
        met = {key: self._series[key].bar(places[key]) for key in self._venue.awaited() if key in places}
        if not met:
            return
        self._settle(*self._venue.meet(met, is_daily=self._is_daily))

    def _take_given(self, closed: int) -> None:
        """Book what others traded at this close."""
        for trade in self._beside.trades.get(closed, ()):
            self._venue.take(trade)
            self._books.book(trade)
            key, signed = trade.instrument.id, trade.side.sign * trade.quantity
            if trade.session_id is not None:
                self._by_id[trade.session_id].traded += signed
            else:
                self._nobodys[key] = self._nobodys.get(key, ZERO) + signed
            self._share_out(key)

    def _share_out(self, instrument_id: UUID) -> None:
        """Whose the position in an instrument is."""
        here = [session for session in self._sessions if session.plan.instrument_id == instrument_id]
        net: dict[UUID | None, Decimal] = {session.plan.id: session.traded for session in here}
        if instrument_id in self._nobodys:
            net[None] = self._nobodys[instrument_id]
        for session in here:
            session.position = position_of(session.plan.id, net)

    def _follow(self, closed: int, at: datetime) -> None:
        """What happened after the decisions of this close, and what is charged from here on."""
        for session_id in self._beside.cancels.get(closed, ()):
            self._cancel_of(self._by_id[session_id])
        self._desk.note_entries(self._beside.entries.get(closed, 0), at)
        asked = self._change if self._change is not None and self._change.profile is not None and at >= self._change.bar_at else None
        profile = self._beside.profiles.get(closed) if asked is None else asked.profile if at == asked.bar_at else None
        if profile is not None:
            self._venue.charge(profile)
            self._books.go_by(profile)

    def _settle(self, fills: list[Traded], ended: list[Ended]) -> None:
        """Book what was filled and release what has ended."""
        for traded in fills:
            self._books.book(traded)
            self._attribute(traded)
            self._share_out(traded.instrument.id)
            self._desk.after_fill(traded.order_id, remaining=traded.remaining)
        self._fills += fills
        for item in ended:
            self._desk.release(item.order_id)
            self._ended[item.order_id] = item.reason

    def _attribute(self, traded: Traded) -> None:
        """Count a fill for its session and tell it; what the venue closed was nobody's order."""
        signed = traded.side.sign * traded.quantity
        if traded.session_id is None:
            self._nobodys[traded.instrument.id] = self._nobodys.get(traded.instrument.id, ZERO) + signed
            return
        session = self._by_id[traded.session_id]
        session.traded += signed
        if session.events is not None:
            session.events.note(traded)

    def _decide(self, session: RunningSession, closed: int, at: datetime, places: dict[UUID, int]) -> bool:
        """Whether the session had a bar to decide on, or it is not its time."""
        if closed <= session.starts_after or (session.ends_at is not None and closed > session.ends_at):
            return True
        place = places.get(session.plan.instrument_id)
        if place is None:
            return False
        inputs = self._inputs(session, closed, at, place)
        limits = session.limits_at(closed)
        if self._change is not None and self._change.applies(session.plan.id, at):
            inputs, limits = self._change.changed(inputs), self._change.limits_over(limits)
        self._desk.meet(limits, halt_reason=self._beside.halts.get((session.plan.id, at)))
        ids = Ids(UUID(int=len(self._decisions)), self._new_order_id)
        self._proposals = 0
        evaluation = self._evaluate_event(session, inputs, ids) if isinstance(inputs, EventInputs) else evaluate(inputs, self._desk, ids)
        self._keep(session, inputs, evaluation)
        if self._watched_key == (session.plan.id, at):
            self._watched = evaluation
        self._wishes.append(evaluation)
        if evaluation.outcome is Outcome.FAILED:
            session.is_active = False
            self._failed[session.plan.id] = evaluation.sentence
        return True

    def _evaluate_event(self, session: RunningSession, inputs: EventInputs, ids: Ids) -> Evaluation:
        """As `evaluate`; where the strategy raised, what was approved before holds nothing any more."""
        assert session.events is not None
        evaluation = evaluate_event(inputs, self._desk, ids)
        drop_refused_changes(evaluation, inputs, self._venue, self._desk)
        session.events.keep(inputs, evaluation)
        if evaluation.error is not None:
            for number in range(self._proposals):
                self._desk.release(self._order_id(number))
        return evaluation

    def _send(self, at: datetime) -> None:
        """What the sessions want, as the executor carries it out: cancels, changes, then new orders, in each round those whose parent is sent."""
        wishes, self._wishes = self._wishes, []
        changes = {order_id: amendment for wish in wishes for order_id, amendment in wish.amendments.items()}
        waiting = [_as_changed(order, changes.pop(order.id, None)) for wish in wishes for order in wish.orders]
        cancels = [order_id for wish in wishes for order_id in wish.cancels]
        waiting = self._without_cancelled(waiting, cancels)
        self._settle([], self._venue.cancel([order_id for order_id in cancels if self._venue.has(order_id)], at=at))
        for order_id, amendment in changes.items():
            self._venue.amend(order_id, amendment, at=at)
        while waiting:
            unsent = {order.id for order in waiting}
            ready = [order for order in waiting if order.parent_id not in unsent][:CLAIM_AT_MOST]
            for order in ready:
                self._place(order, at)
            gone = {order.id for order in ready}
            waiting = [order for order in waiting if order.id not in gone]

    def _without_cancelled(self, orders: list[OrderRequest], cancels: list[UUID]) -> list[OrderRequest]:
        """What was ordered and cancelled at once never leaves, and what was to wait for it neither."""
        over = set(cancels)
        kept: list[OrderRequest] = []
        for order in orders:
            if order.id in over or order.parent_id in over:
                over.add(order.id)
                self._desk.release(order.id)
                self._cancelled.add(order.id)
            else:
                kept.append(order)
        return kept

    def _place(self, order: OrderRequest, at: datetime) -> None:
        """Send an approved order; one that the venue refuses holds nothing any more."""
        self._orders.append(order)
        refusal = self._venue.accept(order, at=at)
        if refusal is not Reason.NONE:
            self._desk.release(order.id)
            self._ended[order.id] = refusal

    def _inputs(self, session: RunningSession, closed: int, at: datetime, place: int) -> Inputs | EventInputs:
        series, strategy = self._series[session.plan.instrument_id], session.strategy_at(closed)
        window = series.window(place, session.bars_needed)
        forecast = self._forecasts.forecast(window, series.look(place), horizon_bars=strategy.forecast_horizon_bars)
        if isinstance(strategy, EventStrategy):
            assert session.events is not None
            return session.events.inputs(
                strategy,
                session.terms_at(at),
                at,
                window=window,
                position=session.position,
                forecast=forecast,
                venue=self._venue,
                margin_call=self._books.margin_call,
            )
        return Inputs(
            terms=session.terms_at(at),
            bar_at=at,
            is_late=False,
            strategy=strategy,
            window=window,
            position=session.position,
            has_open_order=self._venue.has_order_of(session.plan.id),
            forecast=forecast,
        )

    def _keep(self, session: RunningSession, inputs: Inputs | EventInputs, evaluation: Evaluation) -> None:
        forecast = evaluation.forecast
        self._decisions.append(
            SessionDecision(
                session_id=session.plan.id,
                instrument_id=session.plan.instrument_id,
                bar_at=inputs.bar_at,
                outcome=evaluation.outcome,
                sentence=evaluation.sentence,
                data_hash=self._series[session.plan.instrument_id].hash_of(inputs.window),
                bars_used=len(inputs.window),
                position=evaluation.position,
                signal=evaluation.signal,
                forecast_return=forecast.expected_return if isinstance(forecast, ForecastView) else None,
                forecast_refusal=forecast if isinstance(forecast, NoForecast) else None,
                risk_factor=evaluation.risk_factor,
                sizing=evaluation.sizing,
                verdict=evaluation.verdict,
                order_id=evaluation.order.id if evaluation.order else None,
                order_ids=tuple(order.id for order in evaluation.orders),
            )
        )

    def _end_if_over(self, session: RunningSession, closed: int) -> None:
        """A session whose instrument has no further bars ends, and no bar can fill what it has open."""
        if self._series[session.plan.instrument_id].is_over(closed):
            session.is_active = False
            self._cancel_of(session)

    def _cancel_of(self, session: RunningSession) -> None:
        for order_id in self._venue.cancel_of(session.plan.id):
            self._desk.release(order_id)
            self._cancelled.add(order_id)

    def _new_order_id(self) -> UUID:
        """A proposal's number is that of its decision, plus one; further ones of the same decision are told apart beyond 64 bits."""
        self._proposals += 1
        return self._order_id(self._proposals - 1)

    def _order_id(self, number: int) -> UUID:
        return UUID(int=(number << 64) + len(self._decisions) + 1)


def _as_changed(order: OrderRequest, amendment: Amendment | None) -> OrderRequest:
    """An order that is changed before it leaves."""
    return order if amendment is None else replace(order, **vars(amended(order.terms, amendment)))
