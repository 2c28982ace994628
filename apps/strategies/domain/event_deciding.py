"""A bar of a session that runs an event strategy: what it is told, what it orders, and how the decision ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.core.errors import TradingError
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.markets.contracts import BarWindow
from apps.orders.contracts import OrderRequest
from apps.orders.domain.engine import NewOrder
from apps.orders.domain.engine_codes import BUY, REDUCE_ONLY, SELL, EngineOrderType
from apps.risk.domain.sizing import size_position
from apps.risk.domain.values import CheckCode
from apps.strategies.domain.evaluation import NOTHING_ASSUMED, AccountDesk, Assumed, Evaluation, Ids, Terms, parameters_of
from apps.strategies.domain.event_session import BookedFill, EventSession, OrderStanding, bar_events
from apps.strategies.domain.event_strategy import TAG_EXIT
from apps.strategies.domain.margin_event import MarginCallEvent
from apps.strategies.domain.order_calls import OrderCalls, Prices, base_request
from apps.strategies.domain.outcomes import Outcome

FLATTEN = "The session is stopping"


@dataclass(frozen=True)
class EventInputs:
    """What the bar is decided on. The window ends with the bar; `fills` are those that the strategy was not told yet, in their order;
    `standings` are the session's orders by ticket, and `strays` its open orders that have none."""

    terms: Terms
    bar_at: datetime
    is_late: bool
    """The bar is told, and nothing can be ordered any more."""
    is_missed: bool
    """Newer bars were told already: this one is recorded and not told."""
    kind: str
    life: str
    session: EventSession
    window: BarWindow
    position: Decimal
    fills: Sequence[BookedFill]
    standings: Mapping[int, OrderStanding]
    strays: Mapping[Any, OrderStanding]
    forecast: ForecastView | NoForecast | None
    assumed: Assumed = NOTHING_ASSUMED
    margin_call: MarginCallEvent | None = None
    """One that begins at this close, for a strategy that listens."""

    @property
    def instrument(self) -> InstrumentSpec:
        return self.window.instrument


def evaluate_event(inputs: EventInputs, desk: AccountDesk, ids: Ids, *, passed_on: tuple[type[Exception], ...] = ()) -> Evaluation:
    """Tell the strategy the bar and work out what is ordered. What it raises ends the decision as FAILED and nothing of the bar is ordered,
    but for the types `passed_on`."""
    evaluation = Evaluation(window=inputs.window, parameters=parameters_of(inputs.session.strategy), position=inputs.position)
    if inputs.is_missed:
        return evaluation.close_with(
            Outcome.LATE_BAR,
            f"The bar of {inputs.bar_at:%Y-%m-%d %H:%M} UTC arrived after newer ones were decided on; it is recorded and not traded.",
        )
    evaluation.forecast = inputs.forecast
    inputs.session.settle(inputs.standings)
    calls = _calls(inputs, desk, ids, evaluation)
    if inputs.terms.is_stopping and not inputs.is_late:
        return _stop(inputs, calls, evaluation)
    session = inputs.session
    bar = bar_events(inputs.window.last(1), first_index=session.bars_told)[0]
    called = inputs.margin_call if session.hears_margin_calls and not inputs.is_late else None
    try:
        made = session.tell(bar, position=inputs.position, fills=inputs.fills, taker=None if inputs.is_late else calls, margin_call=called)
    except passed_on:
        raise
    except Exception as error:
        evaluation.error = error
        return evaluation.close_with(Outcome.FAILED, _failure(session.strategy.title, error))
    evaluation.actions = {
        "kind": inputs.kind,
        "index": bar.index,
        "is_late": inputs.is_late,
        "fills": [str(fill.id) for fill in inputs.fills],
        "calls": made,
    }
    if called is not None:
        evaluation.actions["margin_call"] = called.stored
    _take(calls, evaluation)
    return _close(inputs, calls, evaluation)


def _calls(inputs: EventInputs, desk: AccountDesk, ids: Ids, evaluation: Evaluation) -> OrderCalls:
    closes, spec = inputs.window.close, inputs.instrument
    prices = Prices(spec.price(int(closes[-1])), spec.price(int(closes[-2])) if len(closes) > 1 else None)
    return OrderCalls(
        session=inputs.session,
        terms=inputs.terms,
        account=desk,
        ids=ids,
        life=inputs.life,
        kind=inputs.kind,
        position=inputs.position,
        prices=prices,
        sizer=lambda: _sized_lots(inputs, desk, evaluation, prices.last),
        assumed=inputs.assumed,
        base=base_request(inputs.terms, ids, inputs.session, inputs.bar_at),
    )


def _sized_lots(inputs: EventInputs, desk: AccountDesk, evaluation: Evaluation, price: Decimal) -> int:
    """What the session's risk per trade buys now, as for every strategy that leaves the size to its session."""
    forecast, terms = inputs.forecast, inputs.terms
    features = forecast.features if forecast else {}
    evaluation.risk_factor = desk.risk_factor(
        confidence=forecast.confidence if isinstance(forecast, ForecastView) else None,
        drawdown=desk.drawdown(),
        volatility_ratio=features.get("volatility_ratio"),
        at=inputs.bar_at,
    )
    evaluation.sizing = size_position(
        instrument=inputs.instrument,
        capital=terms.capital,
        risk_per_trade=terms.risk_per_trade,
        risk_factor=evaluation.risk_factor.value,
        volatility=features.get("volatility_20", float("nan")),
        price=price,
        bars_per_year=terms.timeframe.bars_per_year,
    )
    return inputs.instrument.quantity_lots(evaluation.sizing.quantity)


def _take(calls: OrderCalls, evaluation: Evaluation) -> None:
    """What was ordered becomes part of the decision; the verdict shown is the first refusal, or else that of the first order."""
    evaluation.order, evaluation.others = (calls.requests[0], calls.requests[1:]) if calls.requests else (None, [])
    evaluation.cancels, evaluation.amendments = calls.cancels, calls.amendments
    refused = [verdict for verdict in calls.verdicts if verdict.first_failure is not None]
    evaluation.verdict = next(iter(refused or calls.verdicts), None)


def _stop(inputs: EventInputs, calls: OrderCalls, evaluation: Evaluation) -> Evaluation:
    """Cancel what is open and, unless it is kept, give up what is held; an exit that is under way already is waited for."""
    exits = [order_id for order_id, item in inputs.strays.items() if item.terms.order_type is OrderType.MARKET]
    calls.cancels += [order_id for order_id in inputs.strays if order_id not in exits]
    calls.cancels += inputs.session.unsettled.values()
    held, symbol = inputs.position, inputs.instrument.symbol
    if exits:
        _take(calls, evaluation)
        return evaluation.close_with(Outcome.ORDER_OPEN, f"{FLATTEN}; its exit from {symbol} is still open.")
    if held and not inputs.terms.keeps_positions:
        lots, side = inputs.instrument.quantity_lots(abs(held)), SELL if held > 0 else BUY
        order = NewOrder(0, side, EngineOrderType.MARKET, lots, flags=REDUCE_ONLY, tag=TAG_EXIT)
        calls.submit(len(inputs.session.desk.tickets), order)
    _take(calls, evaluation)
    return _close(inputs, calls, evaluation)


def _close(inputs: EventInputs, calls: OrderCalls, evaluation: Evaluation) -> Evaluation:
    """The outcome, and what was done in a sentence."""
    done = _done(calls, inputs.instrument)
    refused = f" Refused: {calls.refusals[0]}" if calls.refusals else ""
    if done:
        return evaluation.close_with(Outcome.TRADE, f"{_why(inputs)}{done}.{refused}")
    if calls.refusals:
        failure = evaluation.verdict.first_failure if evaluation.verdict else None
        is_halted = failure is not None and failure.code == CheckCode.HALT
        return evaluation.close_with(Outcome.HALTED if is_halted else Outcome.REFUSED_BY_RISK, f"{_why(inputs)}Nothing ordered.{refused}")
    return evaluation.close_with(*_quiet(inputs))


def _why(inputs: EventInputs) -> str:
    return f"{FLATTEN}. " if inputs.terms.is_stopping else ""


def _quiet(inputs: EventInputs) -> tuple[Outcome, str]:
    """The end of a bar on which nothing was ordered."""
    session, symbol = inputs.session, inputs.instrument.symbol
    title, held = session.strategy.title, inputs.position
    if inputs.is_late:
        return Outcome.LATE_BAR, f"The bar of {inputs.bar_at:%Y-%m-%d %H:%M} UTC came late: {title} was told it, and nothing is ordered."
    if session.bars_told <= session.strategy.warmup_bars:
        return Outcome.WARMING_UP, f"{title} needs {session.strategy.warmup_bars} bars and has {session.bars_told}; it waits."
    if held:
        return Outcome.HOLD, f"Keep {held.normalize():f} {symbol}. {title} orders nothing on this bar."
    if inputs.session.unsettled:
        return Outcome.ORDER_OPEN, f"An order of this session on {symbol} is still open. {title} orders nothing more on this bar."
    return Outcome.NO_SIGNAL, f"Stay out of {symbol}. {title} orders nothing on this bar."


def _done(calls: OrderCalls, instrument: InstrumentSpec) -> str:
    """What was ordered, cancelled and changed, in words."""
    parts = [_words(request, instrument) for request in calls.requests if request.parent_id is None]
    waiting = len(calls.requests) - len(parts)
    if waiting:
        parts.append(f"with {waiting} order{'s' if waiting > 1 else ''} that wait{'' if waiting > 1 else 's'} for its fill")
    for verb, count in (("cancel", len(calls.cancels)), ("change", len(calls.amendments))):
        if count:
            parts.append(f"{verb} {count} open order{'s' if count > 1 else ''}")
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def _words(request: OrderRequest, instrument: InstrumentSpec) -> str:
    verb = "buy" if request.side is Side.BUY else "sell"
    text = f"{verb} {request.quantity.normalize():f} {instrument.symbol}"
    if request.order_type is OrderType.MARKET:
        return f"{text} at the next {'close' if instrument.is_closes_only else 'open'}"
    price = request.limit_price or request.stop_price
    return f"{text}, {request.order_type.value.lower().replace('_', ' ')}" + (f" {price.normalize():f}" if price is not None else "")


def _failure(title: str, error: Exception) -> str:
    what = error.message if isinstance(error, TradingError) else f"{type(error).__name__}: {error}"
    return f"{title} raised {what.rstrip('.')}. The session stops and keeps what it holds."
