"""How an open position can be taken back by hand."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from apps.core.errors import NotFound
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side
from apps.dashboard.selectors.overview import chart_path
from apps.dashboard.selectors.shapes import ClosePlan, Exit, direction_of
from apps.markets import selectors as markets
from apps.orders import selectors as orders
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import PositionView
from apps.strategies import selectors as strategies

ALL, HALF = "all", "half"


def close_plan(account_id: UUID, instrument_id: UUID) -> ClosePlan:
    """What can still be taken back of a position, with the orders for it; raises NotFound where nothing is held."""
    position = next((item for item in portfolio.positions(account_id) if item.instrument_id == instrument_id), None)
    if position is None:
        raise NotFound("Nothing of that instrument is held any more.", where="instrument", hint="The portfolio shows what is.")
    side = Side.SELL if position.quantity > 0 else Side.BUY
    leaving = _leaving(account_id, instrument_id, side)
    return ClosePlan(
        position=position,
        direction=direction_of(position.quantity),
        side=side,
        leaving=leaving,
        exits=_exits(position, leaving, markets.instrument_spec(instrument_id)),
        sessions=tuple(
            item
            for item in strategies.sessions(markets.instrument_spec(instrument_id).venue_id)
            if item.state.is_active and item.instrument_id == instrument_id and item.account_id == account_id
        ),
        chart_path=chart_path(position.symbol),
    )


def _leaving(account_id: UUID, instrument_id: UUID, side: Side) -> Decimal:
    """What open orders on that side may still take back."""
    open_here = (item for item in orders.open_orders(account_id) if item.instrument_id == instrument_id and item.side is side)
    return sum((item.remaining for item in open_here), Decimal(0))


def _exits(position: PositionView, leaving: Decimal, instrument: InstrumentSpec) -> tuple[Exit, ...]:
    """All that is not on its way out, and half of it in whole lots where that is another quantity."""
    closable = max(abs(position.quantity) - leaving, Decimal(0))
    half = closable / 2 // instrument.lot_size * instrument.lot_size
    wanted = [(ALL, closable), (HALF, half)] if 0 < half < closable else [(ALL, closable)] if closable > 0 else []
    return tuple(
        Exit(share, quantity, closable - quantity, None if position.mark_price is None else quantity * position.mark_price)
        for share, quantity in wanted
    )
