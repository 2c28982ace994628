"""A paper account as a run of sessions that can be repeated, and its rows as they are compared with the repetition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from apps.backtests.domain.session_beside import Beside, GivenTrade
from apps.backtests.domain.session_change import DecisionChange
from apps.backtests.domain.session_cycle import run_sessions
from apps.backtests.domain.session_forecasts import ForecastKey, RecordedForecasts
from apps.backtests.domain.session_parity import DecisionRow, EquityRow, FillRow, PositionRow, RunRows
from apps.backtests.domain.session_plan import AccountPlan, SessionPlan
from apps.backtests.domain.session_result import SessionRun
from apps.backtests.selectors.paper_beside import beside, limits_as_they_stood, stops_since
from apps.core.errors import NotFound
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.forecasts.ports import ForecastSource
from apps.markets import selectors as markets
from apps.markets.contracts import BarWindow, Int64Array
from apps.markets.domain.bars import to_micros
from apps.orders import selectors as orders
from apps.orders.contracts import FillView
from apps.orders.domain.profiles import EngineProfile
from apps.orders.selectors.simulated import profiles_over_time
from apps.portfolio import selectors as portfolio
from apps.risk import selectors as risk
from apps.strategies import selectors as strategies
from apps.strategies.contracts import SessionState
from apps.strategies.domain.catalog import AnyStrategy, build_for_session
from apps.strategies.selectors import RecordedDecision, SessionView

_ALL = 10**9
_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class PaperRun:
    """What a paper account began with and was fed, through the last close that it has met."""

    account: AccountPlan
    sessions: tuple[SessionPlan, ...]
    bars: tuple[BarWindow, ...]
    closes: Int64Array
    forecasts: RecordedForecasts
    beside: Beside
    rows: RunRows

    def profile_at(self, at: datetime) -> EngineProfile:
        """The rules and costs of the venue for what trades after this close."""
        later = [profile for since, profile in sorted(self.beside.profiles.items(), key=lambda item: item[0]) if since <= to_micros(at)]
        return later[-1] if later else self.account.profile

    def repeat(
        self,
        forecasts: ForecastSource | None = None,
        *,
        change: DecisionChange | None = None,
        after_close: Callable[[int, int], None] | None = None,
        corrections: Iterable[GivenTrade] = (),
        watched: tuple[UUID, datetime] | None = None,
    ) -> SessionRun:
        """The same run in memory, with the forecasts of the record or others; one decision changed, or what is held corrected, if asked for.
        The decision of the `watched` session and bar is kept whole."""
        return run_sessions(
            self.account,
            self.sessions,
            self.bars,
            forecasts=forecasts or self.forecasts,
            closes=self.closes,
            beside=self.beside.with_trades(corrections),
            change=change,
            after_close=after_close,
            watched=watched,
        )


def paper_run(account_id: UUID, *, until: datetime | None = None) -> PaperRun:
    """Everything of a paper account at the simulated venue that a repetition needs, through the close `until` that it has met, or the last.

    What people and halts did to the account is taken as it was. Without `until` call it between two bars; with it only the positions and
    the cash among the rows are those of now. Raises NotFound.
    """
    account = portfolio.account(account_id)
    met = orders.matched_through(account_id)
    if met is None:
        raise NotFound(f"The account {account.name} has not met a bar yet.", where="account_id")
    through = met if until is None else min(until, met)
    decisions = list(strategies.recorded_decisions(account_id, until=through))
    sessions = sorted((item for item in strategies.sessions(account.venue_id) if item.account_id == account_id), key=lambda item: item.id)
    timeframe = markets.venue(account.venue_id).timeframe
    fills = [item for item in _all_fills(account_id) if item.occurred_at <= through]
    bars = tuple(markets.bars_between(spec, timeframe, until=through) for spec in markets.instruments(account.venue_id))
    return PaperRun(
        account=AccountPlan(
            id=account.id,
            currency=account.currency,
            capital=account.initial_capital,
            opened_at=account.opened_at,
            profile=[profile for since, profile in profiles_over_time(account_id) if since <= account.opened_at][-1],
            mode=account.mode,
            factor_rules=risk.factor_rules(),
        ),
        sessions=tuple(_plan(item, [made for made in decisions if made.session_id == item.id]) for item in sessions),
        bars=bars,
        closes=np.unique(np.concatenate([window.closed_at for window in bars])),
        forecasts=RecordedForecasts(_forecasts(sessions, decisions)),
        beside=beside(account_id, decisions, fills),
        rows=paper_rows(account_id, decisions, fills, through),
    )


def paper_rows(account_id: UUID, decisions: Sequence[RecordedDecision], fills: Sequence[FillView], through: datetime) -> RunRows:
    """The rows of a paper account as they are compared."""
    ordered = {order_id: item for item in decisions for order_id in item.order_ids}
    points = [point for point in portfolio.equity_curve(account_id, limit=_ALL) if point.at <= through]
    held = portfolio.positions(account_id, with_closed=True)
    return RunRows(
        decisions=tuple(_decision_row(item) for item in decisions),
        fills=tuple(_fill_row(item, ordered[item.order_id]) for item in fills if item.order_id in ordered),
        equity=tuple(EquityRow(point.at, point.cash, point.holdings_value, point.equity, point.drawdown) for point in points),
        positions=tuple(PositionRow(item.instrument_id, item.quantity, item.cost_basis, item.realised_pnl) for item in held),
        cash=portfolio.account_summary(account_id).cash,
    )


def _plan(session: SessionView, decisions: Sequence[RecordedDecision]) -> SessionPlan:
    changes = _parameter_changes(session, decisions)
    limits = limits_as_they_stood(session, decisions)
    current = strategies.strategy(session.strategy_id).parameters
    first = next(iter(changes.values()), None) or build_for_session(session.kind, current)
    return SessionPlan(
        id=session.id,
        strategy=first,
        instrument_id=session.instrument_id,
        capital=session.capital,
        risk_per_trade=session.risk_per_trade,
        limits=next(iter(limits.values()), {}),
        max_positions=session.max_positions,
        starts_after=decisions[0].bar_at - _A_MOMENT if decisions else session.last_bar_at,
        ends_at=decisions[-1].bar_at if decisions and session.state is SessionState.STOPPED else None,
        parameters_since=changes,
        limits_since=limits,
        stops_since=stops_since(session, decisions),
        keeps_positions=session.keep_positions,
    )


def _parameter_changes(session: SessionView, decisions: Sequence[RecordedDecision]) -> dict[datetime, AnyStrategy]:
    """The strategy as it was from each bar on at which its parameters were others than before."""
    changes: dict[datetime, AnyStrategy] = {}
    known: dict[str, object] | None = None
    for made in decisions:
        if made.parameters != known:
            known = made.parameters
            changes[made.bar_at] = build_for_session(session.kind, made.parameters)
    return changes


def _forecasts(sessions: Sequence[SessionView], decisions: Sequence[RecordedDecision]) -> dict[ForecastKey, ForecastView | NoForecast]:
    kinds = {item.id: item.kind for item in sessions}
    horizons: dict[tuple[str, str], int] = {}
    made: dict[ForecastKey, ForecastView | NoForecast] = {}
    for item in decisions:
        if item.forecast is None:
            continue
        key = (kinds[item.session_id], repr(item.parameters))
        if key not in horizons:
            horizons[key] = build_for_session(key[0], item.parameters).forecast_horizon_bars
        made[item.instrument_id, horizons[key], to_micros(item.bar_at)] = item.forecast
    return made


def _all_fills(account_id: UUID) -> list[FillView]:
    """Oldest first."""
    found: list[FillView] = []
    before: UUID | None = None
    while page := orders.fills(account_id=account_id, before=before):
        found += page
        before = page[-1].id
    return found[::-1]


def _decision_row(item: RecordedDecision) -> DecisionRow:
    forecast = item.forecast
    return DecisionRow(
        session_id=item.session_id,
        bar_at=item.bar_at,
        data_hash=item.data_hash,
        bars_used=item.bars_used,
        forecast_return=forecast.expected_return if isinstance(forecast, ForecastView) else None,
        forecast_refusal=forecast.reason if isinstance(forecast, NoForecast) else "",
        position=item.position_before,
        signal=item.signal,
        risk_factor=item.risk_factor,
        risk_factor_reasons=tuple(item.risk_factor_reasons),
        sizing=item.sizing,
        checks=tuple(item.checks),
        outcome=str(item.outcome),
        sentence=item.sentence,
    )


def _fill_row(fill: FillView, decision: RecordedDecision) -> FillRow:
    return FillRow(
        session_id=decision.session_id,
        decided_at=decision.bar_at,
        filled_at=fill.occurred_at,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        liquidity=str(fill.liquidity),
        reason=fill.reason,
    )
