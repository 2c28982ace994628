"""Entering and leaving: size, ask the risk gate, record the intent. The last steps of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from apps.core.ids import client_order_id, uuid7
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, Timeframe, TradingMode
from apps.forecasts.contracts import ForecastView
from apps.orders import services as orders
from apps.orders.contracts import OrderOrigin, OrderRequest
from apps.portfolio import selectors as portfolio
from apps.risk import services as risk
from apps.risk.contracts import CheckCode, OrderProposal
from apps.risk.domain.sizing import size_position
from apps.strategies.contracts import Outcome
from apps.strategies.domain.signals import Signal
from apps.strategies.models import TradingSession

if TYPE_CHECKING:
    from apps.strategies.services.evaluation import Evaluation


@dataclass(frozen=True)
class Wish:
    """The order that a decision wants."""

    side: Side
    quantity: Decimal
    is_reducing: bool
    decision_id: UUID
    bar_at: datetime


def enter(session: TradingSession, evaluation: Evaluation, instrument: InstrumentSpec, *, decision_id: UUID, bar_at: datetime) -> None:
    """Open a position in the direction of the signal, if size, room and risk allow it."""
    signal = evaluation.signal
    assert signal is not None
    held = len(portfolio.positions(session.account_id))
    if session.max_positions and held >= session.max_positions:
        evaluation.close_with(
            Outcome.REFUSED_BY_RISK,
            f"The account holds {held} positions and this session opens none beyond {session.max_positions}. {signal.reason}",
        )
        return
    price = instrument.price(int(evaluation.window.close[-1]))
    _size(session, evaluation, instrument, price=price, bar_at=bar_at)
    sizing = evaluation.sizing
    assert sizing is not None
    if sizing.quantity <= 0:
        evaluation.close_with(Outcome.TOO_SMALL, f"No order for {instrument.symbol}: {sizing.reason} {signal.reason}")
        return
    side = Side.BUY if signal.direction == "LONG" else Side.SELL
    _propose(session, evaluation, instrument, Wish(side, sizing.quantity, is_reducing=False, decision_id=decision_id, bar_at=bar_at))


def leave(session: TradingSession, evaluation: Evaluation, instrument: InstrumentSpec, *, decision_id: UUID, bar_at: datetime) -> None:
    """Close what the session holds. Never depends on forecast, factor or counts."""
    side = Side.SELL if evaluation.position > 0 else Side.BUY
    _propose(
        session, evaluation, instrument, Wish(side, abs(evaluation.position), is_reducing=True, decision_id=decision_id, bar_at=bar_at)
    )


def _size(session: TradingSession, evaluation: Evaluation, instrument: InstrumentSpec, *, price: Decimal, bar_at: datetime) -> None:
    features = evaluation.forecast.features if evaluation.forecast else {}
    confidence = evaluation.forecast.confidence if isinstance(evaluation.forecast, ForecastView) else None
    evaluation.risk_factor = risk.current_factor(
        account_id=session.account_id,
        confidence=confidence,
        drawdown=portfolio.account_summary(session.account_id).drawdown,
        volatility_ratio=features.get("volatility_ratio"),
        at=bar_at,
    )
    evaluation.sizing = size_position(
        instrument=instrument,
        capital=session.capital,
        risk_per_trade=session.risk_per_trade,
        risk_factor=evaluation.risk_factor.value,
        volatility=features.get("volatility_20", float("nan")),
        price=price,
        bars_per_year=Timeframe(session.timeframe).bars_per_year,
    )


def _propose(session: TradingSession, evaluation: Evaluation, instrument: InstrumentSpec, wish: Wish) -> None:
    """Ask the gate; place the order or say which check refused it."""
    signal = evaluation.signal
    assert signal is not None
    order_id = uuid7()
    verdict = risk.assess_and_reserve(_proposal(session, evaluation, instrument, wish, order_id), now=datetime.now(UTC))
    evaluation.verdict = verdict
    verb = f"{'Buy' if wish.side is Side.BUY else 'Sell'} {wish.quantity.normalize():f} {instrument.symbol}"
    failure = verdict.first_failure
    if failure is not None:
        outcome = Outcome.HALTED if failure.code == CheckCode.HALT else Outcome.REFUSED_BY_RISK
        evaluation.close_with(outcome, f"{verb} was refused: {failure.message} {signal.reason}")
        return
    evaluation.order_id = order_id
    orders.place_order(_request(session, instrument, wish, order_id=order_id, verdict_id=verdict.id, reason=signal.reason))
    price = "close" if instrument.is_closes_only else "open"
    evaluation.close_with(Outcome.TRADE, f"{verb} at the next {price}. {_why(session, signal, is_reducing=wish.is_reducing)}")


def _proposal(session: TradingSession, evaluation: Evaluation, instrument: InstrumentSpec, wish: Wish, order_id: UUID) -> OrderProposal:
    """The order as the gate judges it, with the newest close as its reference."""
    signal, closes = evaluation.signal, evaluation.window.close
    assert signal is not None
    return OrderProposal(
        order_id=order_id,
        account_id=session.account_id,
        instrument=instrument,
        side=wish.side,
        order_type=OrderType.MARKET,
        quantity=wish.quantity,
        reference_price=instrument.price(int(closes[-1])),
        previous_close=instrument.price(int(closes[-2])) if len(closes) > 1 else None,
        data_at=wish.bar_at,
        is_reducing=wish.is_reducing,
        mode=TradingMode(session.mode),
        confidence=Decimal(str(round(signal.confidence, 6))),
        data_age_bars=0,
        strategy=session.strategy.kind,
        origin_id=session.id,
    )


def _request(
    session: TradingSession, instrument: InstrumentSpec, wish: Wish, *, order_id: UUID, verdict_id: UUID, reason: str
) -> OrderRequest:
    """The approved order as an intent; its client id depends on session and bar alone."""
    return OrderRequest(
        id=order_id,
        client_order_id=client_order_id(account_id=session.account_id, origin=f"{session.id}|{wish.bar_at.isoformat()}"),
        account_id=session.account_id,
        instrument=instrument,
        side=wish.side,
        order_type=OrderType.MARKET,
        quantity=wish.quantity,
        mode=TradingMode(session.mode),
        market_at=wish.bar_at,
        origin=OrderOrigin.SESSION,
        is_reducing=wish.is_reducing,
        origin_id=session.id,
        decision_id=wish.decision_id,
        verdict_id=verdict_id,
        reason=reason[:300],
    )


def _why(session: TradingSession, signal: Signal, *, is_reducing: bool) -> str:
    if is_reducing and session.state == "STOPPING":
        return "The session is stopping and flattens."
    return signal.reason
