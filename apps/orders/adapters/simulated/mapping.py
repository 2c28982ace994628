"""Between the rows of the simulated venue, the engine's columns and the broker port (pure)."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.markets.contracts import Bar
from apps.orders.contracts import Amendment, Liquidity, SlippageChoice, VenueProfile
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import EngineBar
from apps.orders.domain.engine_codes import EngineOrderState, EngineOrderType, EngineTimeInForce, Reason
from apps.orders.domain.engine_terms import terms_columns
from apps.orders.domain.instants import microseconds, moment
from apps.orders.domain.reasons import sentence
from apps.orders.domain.terms import OrderTerms
from apps.orders.domain.venue_profiles import VenueTerms, tiers_of
from apps.orders.models import SimulatedAccount, SimulatedFill, SimulatedOrder
from apps.orders.ports import NOTHING_TOLD, BrokerFill, BrokerOrder, BrokerOrderState, VenueOrderStatus

STATES = {
    VenueOrderStatus.WAITING: EngineOrderState.WAITING,
    VenueOrderStatus.OPEN: EngineOrderState.OPEN,
    VenueOrderStatus.FILLED: EngineOrderState.FILLED,
    VenueOrderStatus.CANCELLED: EngineOrderState.CANCELLED,
    VenueOrderStatus.EXPIRED: EngineOrderState.EXPIRED,
    VenueOrderStatus.REJECTED: EngineOrderState.REFUSED,
}
_STATUSES = {state: status for status, state in STATES.items()}
_ENDED_WITHOUT = (VenueOrderStatus.CANCELLED, VenueOrderStatus.EXPIRED, VenueOrderStatus.REJECTED)


def venue_terms(account: SimulatedAccount) -> VenueTerms:
    """The account's settings; raises InvalidInput if somebody set them off the grid."""
    values = {field.name: getattr(account, field.name) for field in fields(VenueTerms)}
    return VenueTerms(
        **values
        | {
            "profile": VenueProfile(account.profile),
            "slippage_model": SlippageChoice(account.slippage_model),
            "fee_tiers": tiers_of(account.fee_tiers),
        }
    )


def to_row(order: BrokerOrder, *, account_id: UUID, accepted_at: datetime) -> SimulatedOrder:
    """The venue's row of an order that it accepts now."""
    return SimulatedOrder(
        account_id=account_id,
        client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        side=order.side,
        group_id=order.group_id,
        accepted_at=accepted_at,
        **asdict(order.terms),
    )


def to_columns(row: SimulatedOrder, spec: InstrumentSpec, *, place: int, parent: int, group: int) -> dict[int, int]:
    """The row as the engine's book has it."""
    ends_at = row.day_ends_at or row.expires_at
    columns = terms_columns(row.terms, spec)
    columns[code.O_FLAGS] |= row.flags
    return columns | {
        code.O_PLACE: place,
        code.O_SIDE: Side(row.side).sign,
        code.O_TYPE: EngineOrderType[row.order_type],
        code.O_TIF: EngineTimeInForce[row.time_in_force],
        code.O_FILLED: spec.quantity_lots(row.filled),
        code.O_BEST: spec.price_units(row.best_price) if row.best_price is not None else 0,
        code.O_STATE: STATES[VenueOrderStatus(row.status)],
        code.O_SUBMITTED_AT: microseconds(row.accepted_at),
        code.O_ACTIVE_AT: microseconds(row.active_at or row.accepted_at),
        code.O_EXPIRES_AT: microseconds(ends_at) if ends_at else code.NEVER,
        code.O_PARENT: parent,
        code.O_GROUP: group,
        code.O_WAS_RAISED: row.trail_was_raised,
    }


def working_terms(row: SimulatedOrder) -> OrderTerms:
    """The terms that may be amended: where a trailing stop stands follows from the market, and a price that is fixed is relative no more."""
    terms = row.terms
    return replace(
        terms,
        stop_price=terms.stop_price if terms.order_type.takes_stop else None,
        limit_offset_percent=terms.limit_offset_percent if terms.limit_price is None else None,
        stop_offset_percent=terms.stop_offset_percent if terms.stop_price is None else None,
    )


def take_terms(row: SimulatedOrder, terms: OrderTerms) -> None:
    """Keep what an amendment has changed and the engine's columns do not bring back."""
    row.trail_amount, row.trail_percent = terms.trail_amount, terms.trail_percent


def take_columns(row: SimulatedOrder, columns: list[int], spec: InstrumentSpec) -> None:
    """Bring the row to what the engine's book has. An order that ended without filling wholly keeps the quantity that it had, unless it grew with its
    parent and traded more than that in the moment in which it ended."""
    row.status = _STATUSES[EngineOrderState(columns[code.O_STATE])]
    row.filled = spec.quantity(columns[code.O_FILLED])
    if row.status not in _ENDED_WITHOUT:
        row.quantity = spec.quantity(columns[code.O_LOTS])
    row.quantity = max(row.quantity, row.filled)
    row.limit_price = spec.price(columns[code.O_LIMIT]) if columns[code.O_LIMIT] else None
    row.stop_price = spec.price(columns[code.O_STOP]) if columns[code.O_STOP] else None
    row.best_price = spec.price(columns[code.O_BEST]) if columns[code.O_BEST] else None
    row.flags = columns[code.O_FLAGS] & ~(code.POST_ONLY | code.REDUCE_ONLY)
    row.trail_was_raised = bool(columns[code.O_WAS_RAISED])
    row.active_at = moment(columns[code.O_ACTIVE_AT])
    row.reason = Reason(columns[code.O_REASON]).name if columns[code.O_REASON] else row.reason


def to_engine_bar(bar: Bar, spec: InstrumentSpec) -> EngineBar:
    """The bar in the engine's units; a bar without volume does not know it."""
    volume = int(Decimal(bar.volume).scaleb(-spec.volume_scale) // spec.lot_size) if bar.volume > 0 else -1
    return EngineBar(
        opened_at=microseconds(bar.opened_at),
        closed_at=microseconds(bar.closed_at),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=volume,
    )


def to_state(row: SimulatedOrder, *, made_by_venue: BrokerOrder | None = None) -> BrokerOrderState:
    """The port's view of a row."""
    status = VenueOrderStatus(row.status)
    return BrokerOrderState(
        client_order_id=row.client_order_id,
        venue_order_id=str(row.venue_order_id),
        status=status,
        filled=row.filled,
        reason=sentence(Reason[row.reason]) if row.reason and status in _ENDED_WITHOUT else "",
        terms=_told(row),
        made_by_venue=made_by_venue,
    )


def _told(row: SimulatedOrder) -> Amendment:
    """With what the order works or has filled; of one that ended otherwise there is at most its quantity to tell, where some of it traded."""
    if row.status in _ENDED_WITHOUT:
        return Amendment(row.quantity) if row.filled else NOTHING_TOLD
    stop = row.stop_price if OrderType(row.order_type).takes_stop else None
    return Amendment(row.quantity, row.limit_price, stop, row.trail_amount, row.trail_percent)


def to_broker_order(row: SimulatedOrder, *, symbol: str) -> BrokerOrder:
    """An order that the venue made itself, as if it had been sent."""
    return BrokerOrder(
        client_order_id=row.client_order_id,
        instrument_id=row.instrument_id,
        symbol=symbol,
        side=Side(row.side),
        order_type=OrderType(row.order_type),
        time_in_force=TimeInForce(row.time_in_force),
        quantity=row.quantity,
        limit_price=None,
        stop_price=None,
        is_reduce_only=row.is_reduce_only,
    )


def to_fill(row: SimulatedFill, *, fee_asset: str) -> BrokerFill:
    """The port's view of a trade."""
    return BrokerFill(
        sequence=row.sequence,
        client_order_id=row.order.client_order_id,
        venue_order_id=str(row.order_id),
        venue_trade_id=row.venue_trade_id,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_asset=fee_asset,
        liquidity=Liquidity(row.liquidity),
        reason=row.reason,
        occurred_at=row.occurred_at,
    )
