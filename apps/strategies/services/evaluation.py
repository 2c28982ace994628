"""What the cycle works out for one bar: inputs, forecast, signal, size, verdict, order. Writes only through the services of lower apps."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.forecasts import services as forecasts
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.forecasts.domain.features import WARMUP_BARS
from apps.markets import selectors as markets
from apps.markets.contracts import BarWindow
from apps.orders import selectors as orders
from apps.orders.contracts import Standing
from apps.risk.contracts import RiskFactor, Sizing, Verdict
from apps.strategies.contracts import Outcome, SessionState
from apps.strategies.domain.plan import Action, plan_action
from apps.strategies.domain.signals import Signal
from apps.strategies.domain.strategy import Context, Strategy, build_strategy
from apps.strategies.models import TradingSession
from apps.strategies.services.trading import enter, leave

log = structlog.get_logger(__name__)

BARS_KEPT = 10
HORIZONS = (1, 5)


@dataclass
class Evaluation:
    """What will be stored in the Decision."""

    window: BarWindow
    parameters: dict[str, Any] = field(default_factory=dict)
    forecast: ForecastView | NoForecast | None = None
    signal: Signal | None = None
    position: Decimal = Decimal(0)
    risk_factor: RiskFactor | None = None
    sizing: Sizing | None = None
    verdict: Verdict | None = None
    order_id: UUID | None = None
    outcome: Outcome = Outcome.NO_SIGNAL
    sentence: str = ""

    def close_with(self, outcome: Outcome, sentence: str) -> Evaluation:
        """Set how the decision ends."""
        self.outcome = outcome
        self.sentence = sentence[:500]
        return self

    def decision_fields(self) -> dict[str, Any]:
        """The columns of the Decision."""
        forecast = self.forecast
        return {
            "outcome": self.outcome,
            "sentence": self.sentence,
            "close": self.window.instrument.price(int(self.window.close[-1])),
            "bars": _kept_bars(self.window),
            "bars_used": len(self.window),
            "data_hash": _data_hash(self.window),
            "features": forecast.features if forecast is not None else {},
            "forecast_id": forecast.id if isinstance(forecast, ForecastView) else None,
            "forecast_refusal": {"code": str(forecast.refusal), "reason": forecast.reason} if isinstance(forecast, NoForecast) else {},
            "signal": self.signal.as_dict() if self.signal else {},
            "position_before": self.position,
            "risk_factor": self.risk_factor.value if self.risk_factor else None,
            "risk_factor_reasons": list(self.risk_factor.reasons) if self.risk_factor else [],
            "sizing": _sizing_dict(self.sizing),
            "verdict_id": self.verdict.id if self.verdict else None,
            "checks": [check.as_dict() for check in self.verdict.checks] if self.verdict else [],
            "order_id": self.order_id,
        }


@dataclass(frozen=True)
class Inputs:
    """What one session's bar is decided on."""

    session: TradingSession
    bar_at: datetime
    is_late: bool
    strategy: Strategy
    instrument: InstrumentSpec
    window: BarWindow
    standing: Standing
    forecast: ForecastView | NoForecast | None


def gather_inputs(wanted: Sequence[tuple[TradingSession, datetime, bool]]) -> list[Inputs | None]:
    """Read the inputs of several sessions' bars (session, close, whether it came late) together; None where an instrument has no bar there.

    Every horizon is forecast on each bar that is not late (each forecast is stored and published); a session's is the one it goes by.
    """
    strategies = [build_strategy(session.strategy.kind, session.strategy.parameters) for session, _, _ in wanted]
    windows = _windows(wanted, strategies)
    timely = [window for (_, _, is_late), window in zip(wanted, windows, strict=True) if window is not None and not is_late]
    made = iter(forecasts.forecast_windows(timely, horizons=HORIZONS))
    standings = orders.standings([(session.id, session.account_id, session.instrument_id) for session, _, _ in wanted])
    return [
        Inputs(
            session=session,
            bar_at=bar_at,
            is_late=is_late,
            strategy=strategy,
            instrument=window.instrument,
            window=window,
            standing=standings[session.id],
            forecast=None if is_late else next(made)[strategy.forecast_horizon_bars],
        )
        if window is not None
        else None
        for (session, bar_at, is_late), strategy, window in zip(wanted, strategies, windows, strict=True)
    ]


def _windows(wanted: Sequence[tuple[TradingSession, datetime, bool]], strategies: Sequence[Strategy]) -> list[BarWindow | None]:
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


def evaluate(inputs: Inputs, *, decision_id: UUID) -> Evaluation:
    """Work out what the session does on its bar."""
    session, strategy, window, bar_at = inputs.session, inputs.strategy, inputs.window, inputs.bar_at
    evaluation = Evaluation(window=window, parameters=asdict(strategy.parameters))
    evaluation.position = inputs.standing.position
    if inputs.is_late:
        return evaluation.close_with(
            Outcome.LATE_BAR,
            f"The bar of {bar_at:%Y-%m-%d %H:%M} UTC arrived after newer ones were decided on; it is recorded and not traded.",
        )
    evaluation.forecast = inputs.forecast
    if len(window) < strategy.warmup_bars:
        return evaluation.close_with(
            Outcome.WARMING_UP, f"{strategy.title} needs {strategy.warmup_bars} bars and has {len(window)}; it waits."
        )
    if not _judge(evaluation, strategy, inputs.instrument):
        return evaluation
    _act(session, evaluation, inputs, decision_id=decision_id)
    return evaluation


def _judge(evaluation: Evaluation, strategy: Strategy, instrument: InstrumentSpec) -> bool:
    """Ask the strategy. A strategy that raises yields FAILED, and the session is failed by its owner; a database error goes up."""
    forecast = evaluation.forecast
    assert forecast is not None
    context = Context(instrument, evaluation.window, dict(forecast.features), forecast, evaluation.position)
    try:
        evaluation.signal = strategy.decide(context)
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("strategy_raised", strategy=strategy.kind, symbol=instrument.symbol)
        evaluation.close_with(
            Outcome.FAILED, f"{strategy.title} raised {type(error).__name__}: {error}. The session stops and keeps what it holds."
        )
        return False
    return True


def _act(session: TradingSession, evaluation: Evaluation, inputs: Inputs, *, decision_id: UUID) -> None:
    signal, instrument, bar_at = evaluation.signal, inputs.instrument, inputs.bar_at
    assert signal is not None
    is_stopping = session.state == SessionState.STOPPING and not session.keep_positions
    action = plan_action(
        signal=signal, position=evaluation.position, has_open_order=inputs.standing.has_open_order, is_stopping=is_stopping
    )
    symbol = instrument.symbol
    match action:
        case Action.WAIT_FOR_ORDER:
            evaluation.close_with(
                Outcome.ORDER_OPEN, f"An order of this session on {symbol} is still open; nothing is added. {signal.reason}"
            )
        case Action.REFUSE:
            evaluation.close_with(Outcome.FORECAST_REFUSED, f"Nothing is traded on {symbol}. {signal.reason}")
        case Action.KEEP:
            evaluation.close_with(Outcome.HOLD, f"Keep {evaluation.position.normalize():f} {symbol}. {signal.reason}")
        case Action.STAY_OUT:
            evaluation.close_with(Outcome.NO_SIGNAL, f"Stay out of {symbol}. {signal.reason}")
        case Action.EXIT:
            leave(session, evaluation, instrument, decision_id=decision_id, bar_at=bar_at)
        case Action.ENTER_LONG | Action.ENTER_SHORT:
            enter(session, evaluation, instrument, decision_id=decision_id, bar_at=bar_at)


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


def _data_hash(window: BarWindow) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for column in (window.opened_at, window.open, window.high, window.low, window.close, window.volume, window.flags):
        digest.update(column.tobytes())
    return digest.hexdigest()


def _sizing_dict(sizing: Sizing | None) -> dict[str, Any]:
    if sizing is None:
        return {}
    return {"quantity": str(sizing.quantity), "reason": sizing.reason, "inputs": sizing.inputs}
