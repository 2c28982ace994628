"""The account at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote
from uuid import UUID

from apps.dashboard.domain import pictures
from apps.dashboard.selectors.frame import account_at
from apps.dashboard.selectors.shapes import ForecastRow, Overview, PositionRow, SessionCard, direction_of
from apps.forecasts import selectors as forecasts
from apps.forecasts.contracts import ForecastView
from apps.markets import selectors as markets
from apps.orders import selectors as orders
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import AccountSummary, AccountView, PositionView
from apps.risk import selectors as risk
from apps.strategies import selectors as strategies
from apps.strategies.selectors import DecisionView, SessionView

EQUITY_POINTS = 3000
_DECISIONS_SHOWN = 8
_DECISIONS_READ = 30


def overview(venue_id: UUID | None) -> Overview:
    """Everything that the first page shows of a venue."""
    if venue_id is None:
        return Overview(None, None, None, None, None, None, None, (), (), (), None, (), None)
    account = account_at(venue_id)
    positions = portfolio.positions(account.id) if account else []
    latest = strategies.decisions(venue_id=venue_id, limit=_DECISIONS_READ)
    summary = portfolio.account_summary(account.id) if account else None
    equity = [point.equity for point in portfolio.equity_curve(account.id, limit=EQUITY_POINTS)] if account else []
    return Overview(
        account=summary,
        opened_at=account.opened_at if account else None,
        performance=portfolio.performance(account.id) if account else None,
        exposure=_exposure(summary, positions),
        equity_line=pictures.line([float(value) for value in equity]),
        equity_first=equity[0] if equity else None,
        equity_last=equity[-1] if equity else None,
        positions=tuple(_position_row(item) for item in positions),
        sessions=_sessions(venue_id, positions, latest),
        decisions=tuple(latest[:_DECISIONS_SHOWN]),
        factor=risk.factor(account.id) if account else None,
        forecasts=tuple(_forecast_row(item) for item in forecasts.latest_forecasts(venue_id)),
        training=forecasts.training_state(venue_id),
        margin=portfolio.margin_state(account.id) if account else None,
    )


def equity_points(venue_id: UUID, *, since: datetime | None = None) -> list[tuple[int, str]]:
    """(seconds since 1970, equity) of the venue's account, oldest first."""
    account: AccountView | None = account_at(venue_id)
    curve = portfolio.equity_curve(account.id, limit=EQUITY_POINTS) if account else []
    return [(int(point.at.timestamp()), f"{point.equity:f}") for point in curve if since is None or point.at > since]


def chart_path(symbol: str) -> str:
    """The address of an instrument's chart."""
    return f"/chart/{quote(symbol)}/"


def _exposure(summary: AccountSummary | None, positions: Iterable[PositionView]) -> Decimal | None:
    if summary is None or summary.equity <= 0:
        return None
    gross = sum((abs(item.market_value) for item in positions), Decimal(0))
    return gross / summary.equity


def _position_row(item: PositionView) -> PositionRow:
    return PositionRow(item, direction_of(item.quantity), chart_path(item.symbol), close_path=f"/positions/{item.instrument_id}/close/")


def _sessions(venue_id: UUID, positions: Iterable[PositionView], latest: list[DecisionView]) -> tuple[SessionCard, ...]:
    cards = sorted(strategies.sessions(venue_id), key=lambda item: (not item.state.is_active, item.strategy, item.symbol))
    traded_by = Counter(item.instrument_id for item in cards)
    held = {item.instrument_id: item for item in positions}
    newest: dict[UUID, DecisionView] = {}
    for decision in latest:
        newest.setdefault(decision.session_id, decision)
    return tuple(
        _session_card(item, newest, held.get(item.instrument_id) if traded_by[item.instrument_id] == 1 else None) for item in cards
    )


def _session_card(session: SessionView, newest: dict[UUID, DecisionView], held: PositionView | None) -> SessionCard:
    """The result of a position is the session's only where the session holds all of it."""
    position = orders.session_position(session.id, session.instrument_id)
    return SessionCard(
        session=session,
        latest=newest.get(session.id) or strategies.latest_decision(session.id),
        position=position,
        unrealised=held.unrealised_pnl if held is not None and held.quantity == position else None,
        chart_path=chart_path(session.symbol),
    )


def _forecast_row(forecast: ForecastView) -> ForecastRow:
    symbol = markets.instrument_spec(forecast.instrument_id).symbol
    return ForecastRow(symbol, forecast, chart_path(symbol))
