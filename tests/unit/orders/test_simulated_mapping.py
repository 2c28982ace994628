"""What the simulated venue tells of an order that ended in the moment in which it grew."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.orders.adapters.simulated.mapping import take_columns, to_state
from apps.orders.contracts import Amendment
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine_codes import EngineOrderState
from apps.orders.models import SimulatedOrder
from apps.orders.ports import NOTHING_TOLD, VenueOrderStatus
from tests.unit.risk.proposals import INSTRUMENT


@pytest.mark.parametrize(
    ("lots", "filled", "told"),
    [(49, 49, Amendment(Decimal(49))), (30, 30, Amendment(Decimal(39))), (39, 0, NOTHING_TOLD)],
    ids=["grown and traded", "traded less", "not traded"],
)
def test_a_cancelled_child_tells_a_quantity_that_its_fills_fit_into(lots: int, filled: int, told: Amendment) -> None:
    """Its parent filled 39 and then 10 more; of the 49 or 50 that it then was, some traded before the rest was cancelled."""
    row = SimulatedOrder(side="SELL", order_type="LIMIT", time_in_force="GTC", status=VenueOrderStatus.OPEN, quantity=Decimal(39))
    columns = [0] * code.BOOK_COLUMNS
    columns[code.O_STATE], columns[code.O_LOTS], columns[code.O_FILLED] = EngineOrderState.CANCELLED, lots, filled
    take_columns(row, columns, INSTRUMENT)
    assert (row.status, row.filled, to_state(row).terms) == (VenueOrderStatus.CANCELLED, Decimal(filled), told)
