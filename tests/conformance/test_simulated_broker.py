"""The simulated venue keeps every promise of the broker port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction

from apps.core.ids import client_order_id
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.orders.adapters.simulated.broker import SimulatedBroker
from apps.orders.ports import AccountDirectory, BrokerOrder
from tests.conformance.broker import AMENDING_PROMISES, LINKING_PROMISES, PROMISES, LinkingBench
from tests.factories.trading_world import World, add_bar, open_world

pytestmark = pytest.mark.django_db(transaction=True)


class SimulatedBench:
    def __init__(self, world: World) -> None:
        self._world = world

    def broker(self) -> SimulatedBroker:
        return SimulatedBroker(port(AccountDirectory).account(self._world.account_id))

    def resting_order(self, name: str) -> BrokerOrder:
        return self._order(name, Decimal(90))

    def impossible_order(self, name: str) -> BrokerOrder:
        return self._order(name, Decimal("90.001"))

    def exit_order(self, name: str, parent: BrokerOrder) -> BrokerOrder:
        order = replace(self._order(name, Decimal(94)), side=Side.SELL, is_reduce_only=True)
        return replace(order, parent_client_order_id=parent.client_order_id)

    def trade(self) -> None:
        closed_at = add_bar(self._world, "100", "100", "80", "95")
        with transaction.atomic():
            self.broker().match(closed_at)

    def _order(self, name: str, limit_price: Decimal) -> BrokerOrder:
        instrument = self._world.instrument
        return BrokerOrder(
            client_order_id=client_order_id(account_id=self._world.account_id, origin=name),
            instrument_id=instrument.id,
            symbol=instrument.symbol,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=Decimal(5),
            limit_price=limit_price,
            stop_price=None,
        )


@pytest.mark.parametrize("promise", [*PROMISES, *AMENDING_PROMISES, *LINKING_PROMISES], ids=lambda promise: promise.__name__)
def test_promise(promise: Callable[[LinkingBench], None]) -> None:
    """A promise asserts by itself what the venue then says, see `broker.py`."""
    promise(SimulatedBench(open_world()))
