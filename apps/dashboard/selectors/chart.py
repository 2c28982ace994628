"""One instrument: bars, fills, forecasts, what is held and what is open."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.dashboard.domain import pictures
from apps.dashboard.domain.formatting import price_places
from apps.dashboard.selectors.frame import account_at
from apps.dashboard.selectors.overview import chart_path
from apps.dashboard.selectors.shapes import BarRow, Chart, ForecastOnChart, SymbolLink
from apps.forecasts import selectors as forecasts
from apps.forecasts.contracts import ForecastView
from apps.markets import selectors as markets
from apps.markets.contracts import Bar, VenueView
from apps.orders import selectors as orders
from apps.orders.contracts import FillView
from apps.portfolio import selectors as portfolio
from apps.strategies import selectors as strategies

BARS_ON_PAGE = 250
BARS_IN_DATA = 2500
_PAST_CONES = 60
_HORIZON = 5
_FILLS_IN_TABLE = 12


def chart(venue: VenueView, symbol: str) -> Chart:
    """The page of one instrument; raises NotFound for a symbol that the venue does not list."""
    instrument = markets.instrument_by_symbol(venue.id, symbol)
    detail = markets.instrument_detail(instrument.id)
    account = account_at(venue.id)
    bars = _bars(instrument, detail.timeframe, venue.now_at, BARS_ON_PAGE)
    held = portfolio.positions(account.id) if account else []
    return Chart(
        symbol=symbol,
        instrument_id=instrument.id,
        detail=detail,
        timeframe=str(detail.timeframe),
        price_places=price_places(instrument.tick_size),
        account_id=account.id if account and account.closed_at is None else None,
        data_path=f"/chart-data/{symbol}/?{urlencode({'venue': venue.code})}",
        symbols=tuple(SymbolLink(item.symbol, chart_path(item.symbol)) for item in markets.instruments(venue.id)),
        bars=tuple(bars),
        line=pictures.line([float(bar.close) for bar in bars]),
        position=next((item for item in held if item.instrument_id == instrument.id), None),
        forecasts=tuple(on_chart(item) for item in forecasts.latest_forecasts(venue.id) if item.instrument_id == instrument.id),
        open_orders=tuple(item for item in orders.open_orders(account.id) if item.instrument_id == instrument.id) if account else (),
        fills=tuple(orders.fills(account_id=account.id, instrument_id=instrument.id, limit=_FILLS_IN_TABLE)) if account else (),
    )


def first_symbol(venue_id: UUID) -> str | None:
    """Where the chart begins: the instrument of an active session, else the first one listed."""
    traded = [item.symbol for item in strategies.sessions(venue_id) if item.state.is_active]
    listed = [item.symbol for item in markets.instruments(venue_id)]
    return next(iter([*sorted(traded), *listed]), None)


def chart_data(venue: VenueView, symbol: str, *, since: datetime | None) -> dict[str, Any]:
    """What the script draws: bars (all, or those closed after `since`), fills, forecasts, price lines. Prices are numbers for drawing only."""
    instrument = markets.instrument_by_symbol(venue.id, symbol)
    timeframe = markets.instrument_detail(instrument.id).timeframe
    account = account_at(venue.id)
    count = BARS_IN_DATA if since is None else 500
    bars = [bar for bar in _bars(instrument, timeframe, venue.now_at, count) if since is None or bar.closed_at > since]
    return {
        "now": venue.now_at.isoformat(),
        "closes_only": instrument.is_closes_only,
        "bars": [_drawn_bar(bar) for bar in bars],
        "fills": [_drawn_fill(item) for item in orders.fills(account_id=account.id, instrument_id=instrument.id)] if account else [],
        "forecasts": _drawn_forecasts(instrument, timeframe, venue.now_at),
        "lines": _lines(instrument, account.id) if account else [],
    }


def on_chart(forecast: ForecastView) -> ForecastOnChart:
    """The forecast with its picture."""
    return ForecastOnChart(forecast, pictures.interval(forecast.lower, forecast.expected_return, forecast.upper))


def _bars(instrument: InstrumentSpec, timeframe: Timeframe, until: datetime, count: int) -> list[BarRow]:
    window = markets.bar_window(instrument, timeframe, until=until, count=count)
    return [_bar_row(instrument, window.bar(index)) for index in range(len(window))]


def _bar_row(instrument: InstrumentSpec, bar: Bar) -> BarRow:
    price = instrument.price
    volume = Decimal(bar.volume).scaleb(-instrument.volume_scale)
    return BarRow(bar.closed_at, price(bar.open), price(bar.high), price(bar.low), price(bar.close), volume)


def _drawn_bar(bar: BarRow) -> list[float]:
    stamp = int(bar.closed_at.timestamp())
    return [stamp, float(bar.open), float(bar.high), float(bar.low), float(bar.close), float(bar.volume)]


def _drawn_fill(fill: FillView) -> dict[str, Any]:
    return {
        "time": int(fill.occurred_at.timestamp()),
        "side": str(fill.side),
        "quantity": f"{fill.quantity:f}",
        "price": float(fill.price),
        "order": str(fill.order_id),
    }


def _drawn_forecasts(instrument: InstrumentSpec, timeframe: Timeframe, now_at: datetime) -> list[dict[str, Any]]:
    """The newest cones, oldest first; each starts at the close of the bar that it was made on."""
    made = forecasts.forecasts_for_instrument(instrument.id, horizon_bars=_HORIZON, limit=_PAST_CONES)
    return [
        {
            "as_of": int(item.as_of.timestamp()),
            "until": int((item.as_of + timeframe.duration * item.horizon_bars).timestamp()),
            "bars": item.horizon_bars,
            "expected": item.expected_return,
            "lower": item.lower,
            "upper": item.upper,
            "coverage": item.coverage,
        }
        for item in made
        if item.as_of <= now_at
    ]


def _lines(instrument: InstrumentSpec, account_id: UUID) -> list[dict[str, Any]]:
    """Entry of the position, limits and stops of open orders."""
    lines: list[dict[str, Any]] = [
        {"kind": "entry", "price": float(item.average_price), "title": "entry"}
        for item in portfolio.positions(account_id)
        if item.instrument_id == instrument.id
    ]
    for order in orders.open_orders(account_id):
        price = order.limit_price or order.stop_price
        if order.instrument_id == instrument.id and price is not None:
            kind = "limit" if order.limit_price is not None else "stop"
            lines.append({"kind": kind, "price": float(price), "title": f"{order.side.lower()} {kind}"})
    return lines
