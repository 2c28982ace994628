"""An engine whose book is put together from orders that are stored elsewhere: the venue of paper accounts keeps its orders as rows of a table.

`restore` brings one back exactly as it stood; orders come in the order of their submission, and `accept_in_order` says which acts first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal

from apps.core.values import INT64_SAFE, InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine
from apps.orders.domain.engine_codes import EngineOrderState
from apps.orders.domain.profiles import EngineProfile


def engine_for(
    instruments: Sequence[InstrumentSpec],
    profile: EngineProfile,
    *,
    currency: str,
    cash: Decimal,
    cash_scale: int,
    traded_value: Decimal,
) -> Engine:
    """An empty engine over the instruments, all of which settle in `currency`. `cash` is rounded down to the cash unit.

    Instruments that count cash more coarsely than another one are put on the finest unit; their largest quantity follows from it.
    """
    scale = max([cash_scale, *(spec.cash_scale for spec in instruments)])
    specs = [on_scale(spec, scale) for spec in instruments]
    unit = Decimal(1).scaleb(-scale)
    rounded = (cash / unit).to_integral_value(rounding=ROUND_FLOOR) * unit
    engine = Engine(specs, [profile] * len(specs), cash={currency: rounded}, capacity=32)
    engine.account[code.A_TRADED_VALUE] = min(int(traded_value / unit), INT64_SAFE)
    return engine


def on_scale(spec: InstrumentSpec, scale: int) -> InstrumentSpec:
    """The instrument with cash counted in a finer unit, 10^-`scale`; its largest quantity is what can then still be counted exactly."""
    if spec.cash_scale == scale:
        return spec
    finer = replace(spec, cash_scale=scale)
    value_of_lot = finer.price_units(finer.max_price) * finer.cash_units_per_price_unit_lot
    lots = min(finer.quantity_lots(finer.max_quantity), INT64_SAFE // value_of_lot)
    return replace(finer, max_quantity=finer.quantity(lots))


def restore(engine: Engine, values: Mapping[int, int]) -> int:
    """Put an order into the book as it stood, by column; columns left out are zero. Returns its row."""
    engine.make_room()
    row = engine.orders_used
    engine.account[code.A_ORDERS] = row + 1
    book = engine.book
    book[row, code.O_PARENT] = code.NO_ROW
    book[row, code.O_CHILDREN] = book[row, code.O_NEXT] = code.NO_ROW
    book[row, code.O_QUEUE] = -1
    for column, value in values.items():
        book[row, column] = value
    parent = int(book[row, code.O_PARENT])
    if parent != code.NO_ROW:
        book[row, code.O_NEXT] = book[parent, code.O_CHILDREN]
        book[parent, code.O_CHILDREN] = row
    if book[row, code.O_STATE] == EngineOrderState.WAITING:
        engine.account[code.A_WAITING] += 1
    engine.account[code.A_NEXT_GROUP] = max(int(engine.account[code.A_NEXT_GROUP]), int(book[row, code.O_GROUP]) + 1)
    return row


def accept_in_order(engine: Engine, rows: Sequence[int]) -> None:
    """Let the open orders act in this order."""
    engine.make_room()
    engine.active[: len(rows)] = rows
    engine.account[code.A_ACTIVE] = len(rows)
    engine.make_room()


def acting_rows(engine: Engine) -> list[int]:
    """The open orders in the order of their acceptance."""
    rows: list[int] = engine.active[: int(engine.account[code.A_ACTIVE])].tolist()
    return rows
