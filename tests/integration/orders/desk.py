"""A trading desk for tests: an account, an executor that can be restarted, brackets and pairs, and what became of it all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core.clock import WallClock
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side
from apps.orders import selectors
from apps.orders.contracts import ExitPrices, FillView, ManualOrderResult, OrderView
from apps.orders.models import Order, SimulatedAccount
from apps.orders.ports import AccountDirectory
from apps.orders.services import submit_manual_order
from apps.orders.services.executing import AccountExecutor
from apps.orders.services.ownership import Ownership
from apps.portfolio.selectors import trial_balance
from apps.risk.models import Reservation, RiskLimit
from apps.risk.services import seed_default_limits
from tests.factories.trading_world import World, add_bar, open_world


class Desk:
    """One account at a daily market of one instrument, whose last close is 100."""

    def __init__(self, *, capital: Decimal = Decimal(1_000_000), **account: Any) -> None:
        self.world: World = open_world(capital=capital)
        add_bar(self.world, "100", "100", "100", "100")
        SimulatedAccount.objects.filter(pk=self.world.account_id).update(**account)
        seed_default_limits()
        RiskLimit.objects.filter(code__in=("DUPLICATE_ORDER", "PRICE_COLLAR")).update(is_enabled=False)
        self.restart()

    def restart(self) -> None:
        """A fresh executor that knows nothing but what is stored."""
        ownership = Ownership.take(self.world.account_id)
        assert ownership is not None
        self.executor = AccountExecutor(port(AccountDirectory).account(self.world.account_id), ownership)
        self.settle()

    def settle(self) -> None:
        while self.executor.step():
            pass

    def bar(self, open_: str, high: str, low: str, close: str, *, volume: int = 1_000) -> None:
        """The next day, and everything that follows from it; then whether the books agree."""
        add_bar(self.world, open_, high, low, close, volume=volume)
        self.settle()
        self.check()

    def submit(self, side: Side = Side.BUY, quantity: str = "10", **terms: Any) -> ManualOrderResult:
        """An order by hand through the gate."""
        arguments = {"order_type": OrderType.MARKET} | terms
        return submit_manual_order(
            account_id=self.world.account_id,
            instrument_id=self.world.instrument.id,
            side=side,
            quantity=Decimal(quantity),
            actor="anna",
            now=WallClock().now(),
            **arguments,
        )

    def enter(self, side: Side = Side.BUY, quantity: str = "10", *, is_sent: bool = True, **terms: Any) -> UUID:
        """The same, which must pass; its id."""
        result = self.submit(side, quantity, **terms)
        assert result.order_id is not None, result.verdict.first_failure
        if is_sent:
            self.settle()
        return result.order_id

    def bracket(self, quantity: str = "10", *, exits: ExitPrices, **terms: Any) -> tuple[UUID, list[UUID]]:
        """An entry and its exits: target, stop, trailing, as far as given."""
        result = self.submit(quantity=quantity, exits=exits, **terms)
        assert result.order_id is not None, result.verdict.first_failure
        self.settle()
        return result.order_id, list(result.leg_ids)

    def order(self, order_id: UUID) -> OrderView:
        return selectors.order(order_id)

    def statuses(self, *order_ids: UUID) -> list[str]:
        return [str(self.order(order_id).status) for order_id in order_ids]

    def fills(self, order_id: UUID) -> list[FillView]:
        return selectors.fills(order_id=order_id)[::-1]

    @property
    def position(self) -> Decimal:
        return port(AccountDirectory).position(self.world.account_id, self.world.instrument.id)

    def check(self) -> None:
        """Our books equal the venue's, the ledger balances, and what is reserved belongs to an open order."""
        assert [(item.code, item.message) for item in selectors.audit()] == []
        assert trial_balance().is_balanced
        working = {order.id for order in selectors.open_orders(self.world.account_id)}
        holding = set(Reservation.objects.filter(ended_at=None, account_id=self.world.account_id).values_list("order_id", flat=True))
        by_the_gate = set(Order.objects.filter(verdict_id__isnull=False).values_list("id", flat=True))
        assert holding == working & by_the_gate
