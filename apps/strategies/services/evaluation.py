"""The decision's inputs read from rows, and its account met through the services of lower apps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError

from apps.core.ids import uuid7
from apps.core.vocabulary import Timeframe, TradingMode
from apps.forecasts import services as forecasts
from apps.forecasts.contracts import HORIZONS, ForecastView, NoForecast
from apps.forecasts.domain.features import WARMUP_BARS
from apps.markets import selectors as markets
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import to_micros
from apps.orders import selectors as orders
from apps.orders import services as order_services
from apps.orders.contracts import Standing
from apps.portfolio import selectors as portfolio
from apps.risk import services as risk
from apps.risk.contracts import OrderProposal, RiskFactor, Sizing, Verdict
from apps.strategies.contracts import SessionState
from apps.strategies.domain import deciding
from apps.strategies.domain.catalog import is_event_kind
from apps.strategies.domain.evaluation import Evaluation, Ids, Inputs, Terms
from apps.strategies.domain.event_deciding import EventInputs
from apps.strategies.domain.event_strategy import EventStrategy
from apps.strategies.domain.margin_event import MarginCallEvent
from apps.strategies.domain.strategy import Strategy, build_strategy
from apps.strategies.models import TradingSession
from apps.strategies.services.event_evaluation import EventCase, evaluate_event_case
from apps.strategies.services.event_sessions import Living, Standings, keep_living, standings_of, take_living, untold_fills

log = structlog.get_logger(__name__)

BARS_KEPT = 10


class LedgerDesk:
    """The account of a session as its rows have it, inside the caller's transaction (the domain's `AccountDesk`)."""

    def __init__(self, account_id: UUID) -> None:
        self._account_id = account_id

    def open_positions(self) -> int:
        return len(portfolio.positions(self._account_id))

    def drawdown(self) -> Decimal:
        return portfolio.account_summary(self._account_id).drawdown

    def equity(self) -> Decimal:
        return portfolio.account_summary(self._account_id).equity

    def risk_factor(self, *, confidence: float | None, drawdown: Decimal, volatility_ratio: float | None, at: datetime) -> RiskFactor:
        return risk.current_factor(
            account_id=self._account_id, confidence=confidence, drawdown=drawdown, volatility_ratio=volatility_ratio, at=at
        )

    def assess(self, proposal: OrderProposal) -> Verdict:
        return risk.assess_and_reserve(proposal, now=datetime.now(UTC))


@dataclass(frozen=True)
class Case:
    """A session's row and what its bar is decided on."""

    session: TradingSession
    inputs: Inputs


def gather_inputs(wanted: Sequence[tuple[TradingSession, datetime, bool]]) -> list[Case | EventCase | None]:
    """Read the inputs of several sessions' bars (session, close, whether it came late) together; None where an instrument has no bar there.

    Every horizon is forecast on each bar that is not late (each forecast is stored and published); a session's is the one it goes by.
    """
    living = {session.id: take_living(session) for session, _, _ in wanted if is_event_kind(session.strategy.kind)}
    strategies = [
        living[session.id].session.strategy if session.id in living else build_strategy(session.strategy.kind, session.strategy.parameters)
        for session, _, _ in wanted
    ]
    windows = _windows(wanted, strategies)
    timely = [window for (_, _, is_late), window in zip(wanted, windows, strict=True) if window is not None and not is_late]
    made = iter(forecasts.forecast_windows(timely, horizons=HORIZONS))
    known = _Known(
        living=living,
        positions=orders.standings([(session.id, session.account_id, session.instrument_id) for session, _, _ in wanted]),
        standings=standings_of(list(living.values())) if living else {},
    )
    keep_living(
        living[session.id] for (session, _, _), window in zip(wanted, windows, strict=True) if window is None and session.id in living
    )
    return [
        known.case(item, strategy, window, None if item[2] else next(made)[strategy.forecast_horizon_bars]) if window is not None else None
        for item, strategy, window in zip(wanted, strategies, windows, strict=True)
    ]


@dataclass(frozen=True)
class _Known:
    """What was read for all sessions of a round together."""

    living: dict[UUID, Living]
    positions: dict[UUID, Standing]
    standings: dict[UUID, Standings]

    def case(
        self,
        item: tuple[TradingSession, datetime, bool],
        strategy: Strategy | EventStrategy,
        window: BarWindow,
        forecast: ForecastView | NoForecast | None,
    ) -> Case | EventCase:
        """One session's bar."""
        session, bar_at, is_late = item
        position = self.positions[session.id]
        if isinstance(strategy, EventStrategy):
            return self._event_case(item, window, forecast)
        inputs = Inputs(
            terms=_terms(session),
            bar_at=bar_at,
            is_late=is_late,
            strategy=strategy,
            window=window,
            position=position.position,
            has_open_order=position.has_open_order,
            forecast=forecast,
        )
        return Case(session, inputs)

    def _event_case(
        self, item: tuple[TradingSession, datetime, bool], window: BarWindow, forecast: ForecastView | NoForecast | None
    ) -> EventCase:
        session, bar_at, is_late = item
        living, standings = self.living[session.id], self.standings[session.id]
        is_missed = session.last_bar_at is not None and session.last_bar_at >= bar_at
        inputs = EventInputs(
            terms=_terms(session),
            bar_at=bar_at,
            is_late=is_late,
            is_missed=is_missed,
            kind=session.strategy.kind,
            life=living.starts_after.isoformat(),
            session=living.session,
            window=window,
            position=self.positions[session.id].position,
            fills=[] if is_missed else untold_fills(living, until=bar_at),
            standings=standings.by_ticket,
            strays=standings.strays,
            forecast=forecast,
            margin_call=_margin_call(session, bar_at) if living.session.hears_margin_calls and not is_late else None,
        )
        return EventCase(session, living, inputs)


def _margin_call(session: TradingSession, bar_at: datetime) -> MarginCallEvent | None:
    """A call of the account that begins at this close."""
    call = portfolio.margin_call_at(session.account_id, bar_at)
    return None if call is None else MarginCallEvent(to_micros(bar_at), call.equity, call.required)


def _terms(session: TradingSession) -> Terms:
    return Terms(
        session_id=session.id,
        account_id=session.account_id,
        timeframe=Timeframe(session.timeframe),
        mode=TradingMode(session.mode),
        capital=session.capital,
        risk_per_trade=session.risk_per_trade,
        max_positions=session.max_positions,
        is_stopping=session.state == SessionState.STOPPING,
        keeps_positions=session.keep_positions,
    )


def _windows(
    wanted: Sequence[tuple[TradingSession, datetime, bool]], strategies: Sequence[Strategy | EventStrategy]
) -> list[BarWindow | None]:
    """The bars each session needs; one read where several trade the same instrument."""
    needed = [max(strategy.warmup_bars, WARMUP_BARS) for strategy in strategies]
    most: dict[tuple[UUID, str, datetime], int] = {}
    keys = [(session.instrument_id, session.timeframe, bar_at) for session, bar_at, _ in wanted]
    for key, count in zip(keys, needed, strict=True):
        most[key] = max(count, most.get(key, 0))
    read = {
        (instrument_id, timeframe, bar_at): markets.bar_window(
            markets.instrument_spec(instrument_id), Timeframe(timeframe), until=bar_at, count=count
        )
        for (instrument_id, timeframe, bar_at), count in most.items()
    }
    return [
        read[key].last(count) if len(read[key]) and read[key].last_closed_at == key[2] else None
        for key, count in zip(keys, needed, strict=True)
    ]


def evaluate(case: Case | EventCase, *, decision_id: UUID) -> Evaluation:
    """Work out what the session does on its bar and record what it wants ordered as intents. A database error goes up."""
    if isinstance(case, EventCase):
        return evaluate_event_case(case, LedgerDesk(case.inputs.terms.account_id), decision_id=decision_id)
    inputs = case.inputs
    ids = Ids(decision_id, uuid7)
    evaluation = deciding.evaluate(inputs, LedgerDesk(inputs.terms.account_id), ids, passed_on=(DatabaseError,))
    if evaluation.error is not None:
        log.error("strategy_raised", strategy=inputs.strategy.kind, symbol=inputs.instrument.symbol, exc_info=evaluation.error)
    if evaluation.order is not None:
        order_services.place_order(evaluation.order)
    return evaluation


def decision_fields(evaluation: Evaluation) -> dict[str, Any]:
    """The columns of the Decision."""
    forecast, window = evaluation.forecast, evaluation.window
    return {
        "outcome": evaluation.outcome,
        "sentence": evaluation.sentence,
        "close": window.instrument.price(int(window.close[-1])),
        "bars": _kept_bars(window),
        "bars_used": len(window),
        "data_hash": evaluation.data_hash,
        "features": forecast.features if forecast is not None else {},
        "forecast_id": forecast.id if isinstance(forecast, ForecastView) else None,
        "forecast_refusal": {"code": str(forecast.refusal), "reason": forecast.reason} if isinstance(forecast, NoForecast) else {},
        "parameters": evaluation.parameters,
        "signal": evaluation.signal.as_dict() if evaluation.signal else {},
        "position_before": evaluation.position,
        "risk_factor": evaluation.risk_factor.value if evaluation.risk_factor else None,
        "risk_factor_reasons": list(evaluation.risk_factor.reasons) if evaluation.risk_factor else [],
        "sizing": _sizing_dict(evaluation.sizing),
        "verdict_id": evaluation.verdict.id if evaluation.verdict else None,
        "checks": [check.as_dict() for check in evaluation.verdict.checks] if evaluation.verdict else [],
        "order_id": evaluation.order.id if evaluation.order else None,
        "actions": evaluation.actions,
    }


def _kept_bars(window: BarWindow) -> dict[str, Any]:
    last = [window.bar(index) for index in range(max(0, len(window) - BARS_KEPT), len(window))]
    price = window.instrument.price
    return {
        "closed_at": [bar.closed_at.isoformat() for bar in last],
        "open": [str(price(bar.open)) for bar in last],
        "high": [str(price(bar.high)) for bar in last],
        "low": [str(price(bar.low)) for bar in last],
        "close": [str(price(bar.close)) for bar in last],
        "volume": [bar.volume for bar in last],
    }


def _sizing_dict(sizing: Sizing | None) -> dict[str, Any]:
    if sizing is None:
        return {}
    return {"quantity": str(sizing.quantity), "reason": sizing.reason, "inputs": sizing.inputs}
