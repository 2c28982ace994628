"""The terms of an order in the engine's columns and units: the same for paper and for runs in memory."""

from __future__ import annotations

from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import NewOrder
from apps.orders.domain.engine_codes import EngineOrderType, EngineTimeInForce
from apps.orders.domain.instants import microseconds
from apps.orders.domain.terms import OrderTerms, ppm_of_percent


def new_order(terms: OrderTerms, spec: InstrumentSpec, *, side: Side, place: int, parent: int = code.NO_ROW, group: int = 0) -> NewOrder:
    """The order as it is submitted; `parent` is the row of the order that it waits for, `group` the engine's number of its group."""
    columns = terms_columns(terms, spec)
    return NewOrder(
        place=place,
        side=side.sign,
        order_type=EngineOrderType[terms.order_type],
        lots=columns[code.O_LOTS],
        limit=columns[code.O_LIMIT],
        stop=columns[code.O_STOP],
        trail=columns[code.O_TRAIL],
        trail_ppm=columns[code.O_TRAIL_PPM],
        time_in_force=EngineTimeInForce[terms.time_in_force],
        flags=columns[code.O_FLAGS],
        expires_at=microseconds(terms.expires_at) if terms.expires_at else code.NEVER,
        parent=parent,
        group=group,
        stop_ppm=columns[code.O_STOP_PPM],
        limit_ppm=columns[code.O_LIMIT_PPM],
    )


def terms_columns(terms: OrderTerms, spec: InstrumentSpec) -> dict[int, int]:
    """Quantities, prices and flags by column. A trailing order's stop is where it stands now."""
    return {
        code.O_LOTS: spec.quantity_lots(terms.quantity),
        code.O_LIMIT: spec.price_units(terms.limit_price) if terms.limit_price is not None else 0,
        code.O_STOP: spec.price_units(terms.stop_price) if terms.stop_price is not None else 0,
        code.O_TRAIL: spec.price_units(terms.trail_amount) if terms.trail_amount is not None else 0,
        code.O_TRAIL_PPM: ppm_of_percent(terms.trail_percent) if terms.trail_percent is not None else 0,
        code.O_STOP_PPM: ppm_of_percent(terms.stop_offset_percent) if terms.stop_offset_percent is not None else 0,
        code.O_LIMIT_PPM: ppm_of_percent(terms.limit_offset_percent) if terms.limit_offset_percent is not None else 0,
        code.O_FLAGS: code.POST_ONLY * terms.is_post_only | code.REDUCE_ONLY * terms.is_reduce_only,
    }
