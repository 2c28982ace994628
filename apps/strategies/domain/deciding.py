"""The steps of an evaluation in their order; each ends it with an outcome and a sentence or lets the next one go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from apps.core.ids import client_order_id
from apps.core.vocabulary import Direction, OrderType, Side
from apps.forecasts.contracts import ForecastView
from apps.orders.contracts import OrderOrigin, OrderRequest
from apps.risk.domain.sizing import size_position
from apps.risk.domain.values import CheckCode, OrderProposal, Sizing
from apps.strategies.domain.evaluation import AccountDesk, Evaluation, Ids, Inputs, parameters_of
from apps.strategies.domain.outcomes import Outcome
from apps.strategies.domain.plan import Action, plan_action
from apps.strategies.domain.signals import Signal
from apps.strategies.domain.strategy import Context

REASON_LENGTH = 300


def evaluate(inputs: Inputs, desk: AccountDesk, ids: Ids, *, passed_on: tuple[type[Exception], ...] = ()) -> Evaluation:
    """Work out what the session does on its bar. What a strategy raises ends the decision as FAILED, but for the types `passed_on`."""
    strategy, window = inputs.strategy, inputs.window
    evaluation = Evaluation(window=window, parameters=parameters_of(strategy), position=inputs.position)
    if inputs.is_late:
        return evaluation.close_with(
            Outcome.LATE_BAR,
            f"The bar of {inputs.bar_at:%Y-%m-%d %H:%M} UTC arrived after newer ones were decided on; it is recorded and not traded.",
        )
    evaluation.forecast = inputs.forecast
    if len(window) < strategy.warmup_bars:
        return evaluation.close_with(
            Outcome.WARMING_UP, f"{strategy.title} needs {strategy.warmup_bars} bars and has {len(window)}; it waits."
        )
    signal = _judge(inputs, evaluation, passed_on)
    if signal is not None:
        _act(_Case(inputs, evaluation, signal, desk, ids))
    return evaluation


@dataclass(frozen=True)
class _Case:
    """An evaluation whose strategy has spoken."""

    inputs: Inputs
    evaluation: Evaluation
    signal: Signal
    desk: AccountDesk
    ids: Ids


def _judge(inputs: Inputs, evaluation: Evaluation, passed_on: tuple[type[Exception], ...]) -> Signal | None:
    """Ask the strategy. One that raises yields FAILED, and the session is failed by its owner."""
    forecast, strategy = inputs.forecast, inputs.strategy
    assert forecast is not None
    context = Context(inputs.instrument, inputs.window, dict(forecast.features), forecast, inputs.position)
    try:
        evaluation.signal = _as_sure_as_assumed(strategy.decide(context), inputs)
    except passed_on:
        raise
    except Exception as error:
        evaluation.error = error
        evaluation.close_with(
            Outcome.FAILED, f"{strategy.title} raised {type(error).__name__}: {error}. The session stops and keeps what it holds."
        )
    return evaluation.signal


def _as_sure_as_assumed(signal: Signal, inputs: Inputs) -> Signal:
    confidence = inputs.assumed.confidence
    return signal if confidence is None else replace(signal, confidence=confidence)


def _act(case: _Case) -> None:
    inputs, evaluation, signal = case.inputs, case.evaluation, case.signal
    terms, symbol = inputs.terms, inputs.instrument.symbol
    action = plan_action(
        signal=signal,
        position=inputs.position,
        has_open_order=inputs.has_open_order,
        is_stopping=terms.is_stopping and not terms.keeps_positions,
    )
    match action:
        case Action.WAIT_FOR_ORDER:
            evaluation.close_with(
                Outcome.ORDER_OPEN, f"An order of this session on {symbol} is still open; nothing is added. {signal.reason}"
            )
        case Action.REFUSE:
            evaluation.close_with(Outcome.FORECAST_REFUSED, f"Nothing is traded on {symbol}. {signal.reason}")
        case Action.KEEP:
            evaluation.close_with(Outcome.HOLD, f"Keep {inputs.position.normalize():f} {symbol}. {signal.reason}")
        case Action.STAY_OUT:
            evaluation.close_with(Outcome.NO_SIGNAL, f"Stay out of {symbol}. {signal.reason}")
        case Action.EXIT:
            side = Side.SELL if inputs.position > 0 else Side.BUY
            _propose(case, side=side, quantity=abs(inputs.position), is_reducing=True)
        case Action.ENTER_LONG | Action.ENTER_SHORT:
            _enter(case)


def _enter(case: _Case) -> None:
    """Open a position in the direction of the signal, if size, room and risk allow it."""
    evaluation, signal, terms = case.evaluation, case.signal, case.inputs.terms
    held = case.desk.open_positions()
    if terms.max_positions and held >= terms.max_positions:
        evaluation.close_with(
            Outcome.REFUSED_BY_RISK,
            f"The account holds {held} positions and this session opens none beyond {terms.max_positions}. {signal.reason}",
        )
        return
    sizing = _size(case)
    if sizing.quantity <= 0:
        evaluation.close_with(Outcome.TOO_SMALL, f"No order for {case.inputs.instrument.symbol}: {sizing.reason} {signal.reason}")
        return
    side = Side.BUY if signal.direction is Direction.LONG else Side.SELL
    _propose(case, side=side, quantity=sizing.quantity, is_reducing=False)


def _size(case: _Case) -> Sizing:
    """The quantity for the risk that the session may take now, and how it came about."""
    inputs, evaluation = case.inputs, case.evaluation
    terms, instrument, forecast = inputs.terms, inputs.instrument, inputs.forecast
    features = forecast.features if forecast else {}
    evaluation.risk_factor = case.desk.risk_factor(
        confidence=forecast.confidence if isinstance(forecast, ForecastView) else None,
        drawdown=case.desk.drawdown(),
        volatility_ratio=features.get("volatility_ratio"),
        at=inputs.bar_at,
    )
    evaluation.sizing = size_position(
        instrument=instrument,
        capital=terms.capital,
        risk_per_trade=terms.risk_per_trade,
        risk_factor=evaluation.risk_factor.value,
        volatility=features.get("volatility_20", float("nan")),
        price=instrument.price(int(inputs.window.close[-1])),
        bars_per_year=terms.timeframe.bars_per_year,
    )
    quantity = inputs.assumed.quantity
    if quantity is not None:
        reason = f"{quantity.normalize():f} {instrument.symbol}: assumed, not worked out."
        evaluation.sizing = Sizing(quantity, reason, {"assumed_quantity": f"{quantity.normalize():f}"})
    return evaluation.sizing


def _propose(case: _Case, *, side: Side, quantity: Decimal, is_reducing: bool) -> None:
    """Ask the gate; set the order or say which check refused it. An exit never depends on forecast, factor or counts."""
    inputs, evaluation, signal = case.inputs, case.evaluation, case.signal
    instrument = inputs.instrument
    proposal = _proposal(case, side=side, quantity=quantity, is_reducing=is_reducing)
    evaluation.verdict = verdict = case.desk.assess(proposal)
    verb = f"{'Buy' if side is Side.BUY else 'Sell'} {quantity.normalize():f} {instrument.symbol}"
    failure = verdict.first_failure
    if failure is not None:
        outcome = Outcome.HALTED if failure.code == CheckCode.HALT else Outcome.REFUSED_BY_RISK
        evaluation.close_with(outcome, f"{verb} was refused: {failure.message} {signal.reason}")
        return
    evaluation.order = _request(case, proposal, verdict_id=verdict.id)
    price = "close" if instrument.is_closes_only else "open"
    why = "The session is stopping and flattens." if is_reducing and inputs.terms.is_stopping else signal.reason
    evaluation.close_with(Outcome.TRADE, f"{verb} at the next {price}. {why}")


def _proposal(case: _Case, *, side: Side, quantity: Decimal, is_reducing: bool) -> OrderProposal:
    """The order as the gate judges it, with the newest close as its reference."""
    inputs = case.inputs
    terms, instrument, closes = inputs.terms, inputs.instrument, inputs.window.close
    return OrderProposal(
        order_id=case.ids.new_order_id(),
        account_id=terms.account_id,
        instrument=instrument,
        side=side,
        order_type=OrderType.MARKET,
        quantity=quantity,
        reference_price=instrument.price(int(closes[-1])),
        previous_close=instrument.price(int(closes[-2])) if len(closes) > 1 else None,
        data_at=inputs.bar_at,
        is_reducing=is_reducing,
        mode=terms.mode,
        confidence=Decimal(str(round(case.signal.confidence, 6))),
        data_age_bars=0,
        strategy=inputs.strategy.kind,
        origin_id=terms.session_id,
    )


def _request(case: _Case, proposal: OrderProposal, *, verdict_id: UUID) -> OrderRequest:
    """The approved order as an intent; its client id depends on session and bar alone."""
    inputs, terms = case.inputs, case.inputs.terms
    return OrderRequest(
        id=proposal.order_id,
        client_order_id=client_order_id(account_id=terms.account_id, origin=f"{terms.session_id}|{inputs.bar_at.isoformat()}"),
        account_id=terms.account_id,
        instrument=proposal.instrument,
        side=proposal.side,
        order_type=proposal.order_type,
        quantity=proposal.quantity,
        mode=terms.mode,
        market_at=inputs.bar_at,
        origin=OrderOrigin.SESSION,
        is_reducing=proposal.is_reducing,
        origin_id=terms.session_id,
        decision_id=case.ids.decision_id,
        verdict_id=verdict_id,
        reason=case.signal.reason[:REASON_LENGTH],
    )
