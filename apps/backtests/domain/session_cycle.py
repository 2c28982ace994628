"""The decision cycle of paper's sessions over stored bars, in memory: the same evaluation, gate, matching and ledger, in the same order.

At each close of the market, as in the lock step of paper: the book meets the bars, fills are booked, the account is valued; then every
session with a bar there decides, one after the other, and what it orders rests in the book until the next bar. Nothing here reads a clock,
a file or a database, and the same arguments give the same run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import numpy as np

from apps.backtests.domain.session_books import ClosedTrip, EquityPoint, MemoryBooks
from apps.backtests.domain.session_desk import MemoryDesk
from apps.backtests.domain.session_plan import AccountPlan, SessionPlan
from apps.backtests.domain.session_series import InstrumentSeries
from apps.backtests.domain.session_venue import Ended, MemoryVenue, Traded
from apps.core.errors import InvalidInput
from apps.core.ids import client_order_id
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.forecasts.domain.features import WARMUP_BARS
from apps.forecasts.ports import ForecastSource
from apps.markets.contracts import BarWindow, Int64Array
from apps.markets.domain.bars import from_micros, to_micros
from apps.orders.contracts import OrderOrigin, OrderRequest
from apps.orders.domain.engine import Engine
from apps.orders.domain.engine_codes import Reason
from apps.portfolio.domain.ledger import Holding
from apps.risk.domain.values import RiskFactor, Sizing, Verdict
from apps.strategies.domain.deciding import evaluate
from apps.strategies.domain.evaluation import Evaluation, Ids, Inputs, Terms
from apps.strategies.domain.outcomes import Outcome
from apps.strategies.domain.signals import Signal
from apps.strategies.domain.strategy import Strategy

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SessionDecision:
    """What a Decision row would hold, but for the bars and features, which the hash stands for."""

    session_id: UUID
    instrument_id: UUID
    bar_at: datetime
    outcome: Outcome
    sentence: str
    data_hash: str
    bars_used: int
    position: Decimal
    signal: Signal | None
    forecast_return: float | None
    forecast_refusal: NoForecast | None
    risk_factor: RiskFactor | None
    sizing: Sizing | None
    verdict: Verdict | None
    order_id: UUID | None


@dataclass(frozen=True)
class SessionRun:
    """Everything that a run leaves behind. `equity` begins with the opening of the account; `failed` says which sessions stopped and why.

    `ended` are orders that the venue refused or ended without filling them (wholly), `cancelled` those whose session ended first.
    """

    account: AccountPlan
    instruments: dict[UUID, InstrumentSpec]
    decisions: list[SessionDecision]
    orders: list[OrderRequest]
    fills: list[Traded]
    trips: list[ClosedTrip]
    equity: list[EquityPoint]
    holdings: dict[UUID, Holding]
    cash: Decimal
    ended: dict[UUID, Reason]
    cancelled: frozenset[UUID]
    failed: dict[UUID, str]
    engine: Engine
    """The venue's book with every order and fill as the engine has them."""

    @property
    def outcomes(self) -> dict[str, int]:
        """How many decisions ended how."""
        return dict(Counter(str(item.outcome) for item in self.decisions))


def run_sessions(
    account: AccountPlan,
    sessions: Sequence[SessionPlan],
    bars: Sequence[BarWindow],
    *,
    forecasts: ForecastSource,
    closes: Int64Array | None = None,
    closes_at_end: bool = False,
    after_close: Callable[[int, int], None] | None = None,
) -> SessionRun:
    """Play the closes after the account's opening.

    `bars` hold the whole history of each instrument, with what lies before the opening. `closes` are all closes of the market in
    microseconds (None: those of `bars`); the account is valued at each. `after_close(done, total)` is called after each and may raise.
    With `closes_at_end` whatever is held is given up at the last closes; paper does not do that.
    Raises InvalidInput for a session without bars.
    """
    engine = _Cycle(account, sessions, bars, forecasts)
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


@dataclass
class _Session:
    """A session on its way."""

    plan: SessionPlan
    strategy: Strategy
    terms: Terms
    bars_needed: int
    starts_after: int
    ends_at: int | None
    position: Decimal = ZERO
    is_active: bool = True
    changes: list[tuple[int, Strategy]] = field(default_factory=list)

    def strategy_at(self, closed: int) -> Strategy:
        """The strategy with the parameters in force at this bar."""
        while self.changes and self.changes[0][0] <= closed:
            self.strategy = self.changes.pop(0)[1]
            self.bars_needed = _bars_needed(self.strategy)
        return self.strategy


class _Cycle:
    def __init__(self, account: AccountPlan, sessions: Sequence[SessionPlan], bars: Sequence[BarWindow], forecasts: ForecastSource) -> None:
        self._account = account
        self._series = {window.instrument.id: InstrumentSeries(window) for window in bars}
        self._is_daily = any(window.timeframe.duration.days >= 1 for window in bars)
        self._sessions = [_started(account, plan, self._series) for plan in sessions]
        self._by_id = {session.plan.id: session for session in self._sessions}
        self._forecasts = forecasts
        self._books = MemoryBooks(account)
        specs = [window.instrument for window in bars]
        self._venue = MemoryVenue(specs, account.profile, currency=account.currency, capital=account.capital)
        self._desk = MemoryDesk(account, self._books, {plan.id: plan.limits for plan in sessions})
        self._decisions: list[SessionDecision] = []
        self._orders: list[OrderRequest] = []
        self._fills: list[Traded] = []
        self._ended: dict[UUID, Reason] = {}
        self._cancelled: set[UUID] = set()
        self._failed: dict[UUID, str] = {}

    def play(self, closed: int) -> None:
        """One close of the market: match, book, value, decide."""
        at = from_micros(closed)
        places = {key: place for key, series in self._series.items() if (place := series.move_to(closed)) is not None}
        self._match(places)
        closes = {key: self._series[key].close(place) for key, place in places.items()}
        self._venue.mark(closes)
        self._books.mark(at, closes)
        ended = [session for session in self._sessions if session.is_active and not self._decide(session, closed, at, places)]
        for session in ended:
            self._end_if_over(session, closed)

    def close_out(self, at: datetime) -> None:
        """Give up what the sessions hold at the last closes."""
        for number, session in enumerate(self._sessions, start=1):
            for order_id in self._venue.cancel_of(session.plan.id):
                self._desk.release(order_id)
                self._cancelled.add(order_id)
            if session.position:
                self._place(
                    _exit(session, self._series[session.plan.instrument_id].bars.instrument, at, number=len(self._decisions) + number), at
                )
        self._settle(*self._venue.fill_at_close())
        self._books.restate()

    def result(self) -> SessionRun:
        """What has come of it."""
        return SessionRun(
            account=self._account,
            instruments={key: series.bars.instrument for key, series in self._series.items()},
            decisions=self._decisions,
            orders=self._orders,
            fills=self._fills,
            trips=self._books.trips,
            equity=self._books.points,
            holdings=self._books.holdings(),
            cash=self._books.cash,
            ended=self._ended,
            cancelled=frozenset(self._cancelled),
            failed=self._failed,
            engine=self._venue.engine,
        )

    def _match(self, places: dict[UUID, int]) -> None:
        met = {key: self._series[key].bar(places[key]) for key in self._venue.awaited() if key in places}
        if not met:
            return
        self._settle(*self._venue.meet(met, is_daily=self._is_daily))

    def _settle(self, fills: list[Traded], ended: list[Ended]) -> None:
        """Book what was filled and release what has ended."""
        for traded in fills:
            self._books.book(traded)
            self._by_id[traded.session_id].position += traded.side.sign * traded.quantity
            self._desk.after_fill(traded.order_id, remaining=traded.remaining)
        self._fills += fills
        for item in ended:
            self._desk.release(item.order_id)
            self._ended[item.order_id] = item.reason

    def _decide(self, session: _Session, closed: int, at: datetime, places: dict[UUID, int]) -> bool:
        """Whether the session had a bar to decide on, or it is not its time."""
        if closed <= session.starts_after or (session.ends_at is not None and closed > session.ends_at):
            return True
        place = places.get(session.plan.instrument_id)
        if place is None:
            return False
        inputs = self._inputs(session, closed, at, place)
        evaluation = evaluate(inputs, self._desk, Ids(UUID(int=len(self._decisions)), self._new_order_id))
        self._keep(session, inputs, evaluation)
        if evaluation.order is not None:
            self._place(evaluation.order, at)
        if evaluation.outcome is Outcome.FAILED:
            session.is_active = False
            self._failed[session.plan.id] = evaluation.sentence
        return True

    def _place(self, order: OrderRequest, at: datetime) -> None:
        """Send an approved order; one that the venue refuses holds nothing any more."""
        self._orders.append(order)
        refusal = self._venue.accept(order, at=at)
        if refusal is not Reason.NONE:
            self._desk.release(order.id)
            self._ended[order.id] = refusal

    def _inputs(self, session: _Session, closed: int, at: datetime, place: int) -> Inputs:
        series, strategy = self._series[session.plan.instrument_id], session.strategy_at(closed)
        window = series.window(place, session.bars_needed)
        forecast = self._forecasts.forecast(window, series.look(place), horizon_bars=strategy.forecast_horizon_bars)
        return Inputs(
            terms=session.terms,
            bar_at=at,
            is_late=False,
            strategy=strategy,
            window=window,
            position=session.position,
            has_open_order=self._venue.has_order_of(session.plan.id),
            forecast=forecast,
        )

    def _keep(self, session: _Session, inputs: Inputs, evaluation: Evaluation) -> None:
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
            )
        )

    def _end_if_over(self, session: _Session, closed: int) -> None:
        """A session whose instrument has no further bars ends, and no bar can fill what it has open."""
        if self._series[session.plan.instrument_id].is_over(closed):
            session.is_active = False
            for order_id in self._venue.cancel_of(session.plan.id):
                self._desk.release(order_id)
                self._cancelled.add(order_id)

    def _new_order_id(self) -> UUID:
        """A proposal's number is that of its decision, plus one."""
        return UUID(int=len(self._decisions) + 1)


def _started(account: AccountPlan, plan: SessionPlan, series: dict[UUID, InstrumentSeries]) -> _Session:
    found = series.get(plan.instrument_id)
    if found is None:
        raise InvalidInput(f"There are no bars of the instrument {plan.instrument_id}.", where="bars")
    terms = Terms(
        session_id=plan.id,
        account_id=account.id,
        timeframe=found.bars.timeframe,
        mode=account.mode,
        capital=plan.capital,
        risk_per_trade=plan.risk_per_trade,
        max_positions=plan.max_positions,
    )
    changes = sorted((to_micros(at), strategy) for at, strategy in plan.parameters_since.items())
    after = to_micros(max(account.opened_at, plan.starts_after or account.opened_at))
    ends_at = to_micros(plan.ends_at) if plan.ends_at else None
    return _Session(plan, plan.strategy, terms, _bars_needed(plan.strategy), after, ends_at, changes=changes)


def _exit(session: _Session, instrument: InstrumentSpec, at: datetime, *, number: int) -> OrderRequest:
    """The order that gives up what a session holds."""
    account_id, session_id = session.terms.account_id, session.plan.id
    return OrderRequest(
        id=UUID(int=number),
        client_order_id=client_order_id(account_id=account_id, origin=f"{session_id}|end|{at.isoformat()}"),
        account_id=account_id,
        instrument=instrument,
        side=Side.SELL if session.position > 0 else Side.BUY,
        order_type=OrderType.MARKET,
        quantity=abs(session.position),
        mode=session.terms.mode,
        market_at=at,
        origin=OrderOrigin.SESSION,
        is_reducing=True,
        origin_id=session_id,
        reason="The run ends.",
    )


def _bars_needed(strategy: Strategy) -> int:
    return max(strategy.warmup_bars, WARMUP_BARS)
