"""Random days of people and strategies at one account: orders of every kind, cancels, halts, crashes, bars, the end of the account.

After every action: what is reserved belongs to an open order and every open order has its reservation (15); open exits together never exceed
the position (7); the books equal the venue's and balance (6, 13).
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.core.errors import TradingError
from apps.core.ports import port
from apps.core.vocabulary import OrderType, Side, TimeInForce
from apps.orders import selectors
from apps.orders.contracts import OPEN_STATUSES, Amendment, ExitPrices
from apps.orders.management.commands.run_executor import ExecutorDaemon
from apps.orders.models import Fill, Order, OrderEvent, SimulatedAccount, SimulatedOrder
from apps.orders.ports import AccountDirectory
from apps.orders.services import OtherLeg, request_amend, request_cancel, submit_manual_order
from apps.portfolio import selectors as books
from apps.portfolio.services import close_account
from apps.risk.models import Halt, Reservation, RiskLimit
from apps.risk.services import engage_halt, reset_halt, seed_default_limits
from tests.factories.trading_world import World, add_bar, open_world

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = int(os.environ.get("TRADING_FAULT_SEEDS", "5"))
ACTIONS = 60
NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)
KINDS = {"order": 10, "bracket": 3, "pair": 2, "amend": 3, "work": 8, "bar": 6, "cancel": 3, "crash": 2, "halt": 1, "reset": 2}


@dataclass(frozen=True)
class Action:
    """One thing that happens; what it concerns is chosen by `pick`."""

    kind: str
    pick: int


def plan_of(source: random.Random) -> list[Action]:
    """A day: a function of the seed alone."""
    return [Action(source.choices(list(KINDS), list(KINDS.values()))[0], source.randrange(10**6)) for _ in range(ACTIONS)]


def newest_order(world: World) -> UUID:
    """The account's newest order."""
    return Order.objects.filter(account_id=world.account_id).latest("id").id


class Day:
    """Plays a plan and checks after every action."""

    def __init__(self) -> None:
        self.world = open_world(symbols=2)
        self.executor = ExecutorDaemon()
        self.price = Decimal(100)
        self.asked: dict[UUID, Decimal] = {}
        """What each order of a group was for when it was given."""
        seed_default_limits()
        RiskLimit.objects.filter(code="DUPLICATE_ORDER").update(is_enabled=False)
        SimulatedAccount.objects.filter(pk=self.world.account_id).update(volume_percent=Decimal(10))

    def play(self, plan: list[Action]) -> None:
        for action in plan:
            getattr(self, action.kind)(random.Random(action.pick))
            self.check()
        close_account(self.world.account_id, closed_at=self.world.now_at)
        self.settle()
        self.check()
        assert not Order.objects.filter(status__in=OPEN_STATUSES).exists()
        assert not Reservation.objects.filter(ended_at=None).exists()

    def order(self, source: random.Random) -> None:
        """Any kind, also such as cannot be."""
        time_in_force = source.choice(list(TimeInForce))
        self.submit(
            source,
            time_in_force=time_in_force,
            expires_at=self.world.now_at + timedelta(days=source.randrange(3)) if time_in_force is TimeInForce.GTD else None,
            is_post_only=source.random() < 0.1,
            is_reduce_only=source.random() < 0.1,
            **self.prices(source, source.choice(list(OrderType))),
        )

    def bracket(self, source: random.Random) -> None:
        exits = ExitPrices(
            take_profit_percent=source.choice([None, Decimal(1), Decimal(4)]),
            stop_loss_percent=source.choice([None, Decimal(1), Decimal(4)]),
            trail_percent=source.choice([None, Decimal(2)]),
        )
        self.submit(source, exits=exits, **self.prices(source, source.choice([OrderType.MARKET, OrderType.LIMIT])))

    def pair(self, source: random.Random) -> None:
        other = OtherLeg(**self.prices(source, source.choice([OrderType.STOP, OrderType.LIMIT, OrderType.TRAILING])))
        self.submit(source, other=other, **self.prices(source, OrderType.LIMIT))

    def prices(self, source: random.Random, order_type: OrderType) -> dict[str, Any]:
        """A type with the prices that it needs."""
        price, limit = ((self.price * Decimal(source.randrange(90, 111)) / 100).quantize(Decimal("0.01")) for _ in range(2))
        return {
            "order_type": order_type,
            "limit_price": limit if order_type.takes_limit else None,
            "stop_price": price if order_type.takes_stop else None,
            "trail_percent": Decimal(source.choice([1, 3])) if order_type is OrderType.TRAILING else None,
        }

    def submit(self, source: random.Random, **terms: Any) -> None:
        """What cannot be is refused in words, what may not be by the gate."""
        try:
            taken = submit_manual_order(
                account_id=self.world.account_id,
                instrument_id=source.choice(self.world.instruments).id,
                side=source.choice(list(Side)),
                quantity=Decimal(source.choice([1, 5, 10, 50, 400, 3_000])),
                actor="person",
                now=NOW,
                request_id=uuid4(),
                **terms,
            )
        except TradingError as error:
            assert error.message
            return
        order = Order.objects.filter(id=taken.order_id).first()
        if order is not None and order.is_reducing and not order.is_reduce_only and order.status in OPEN_STATUSES:
            self.check_room(order)

    def amend(self, source: random.Random) -> None:
        """Other numbers for some open order, also such as come too late."""
        working = list(Order.objects.filter(status__in=OPEN_STATUSES).order_by("id").values_list("id", flat=True))
        if not working:
            return
        numbers = self.prices(source, source.choice([OrderType.LIMIT, OrderType.STOP, OrderType.MARKET]))
        amendment = Amendment(
            quantity=source.choice([None, Decimal(7), Decimal(60)]), limit_price=numbers["limit_price"], stop_price=numbers["stop_price"]
        )
        try:
            request_amend(order_id=source.choice(working), amendment=amendment, actor="person", now=NOW)
        except TradingError as error:
            assert error.message

    def work(self, source: random.Random) -> None:
        self.executor.work()

    def bar(self, source: random.Random) -> None:
        open_, close = (self.price + Decimal(source.randrange(-300, 301)) / 100 for _ in range(2))
        high, low = max(open_, close) + 1, min(open_, close) - 1
        self.price = max(close, Decimal(50))
        add_bar(self.world, *(str(item) for item in (open_, high, low, close)), volume=source.choice([200, 2_000, 100_000]))

    def cancel(self, source: random.Random) -> None:
        working = list(Order.objects.filter(status__in=OPEN_STATUSES).order_by("id").values_list("id", flat=True))
        if working:
            request_cancel(order_id=source.choice(working), actor="person", reason="at random")

    def crash(self, source: random.Random) -> None:
        """The executor forgets everything that is not in the database."""
        self.executor.prepare()

    def halt(self, source: random.Random) -> None:
        engage_halt(actor="person", reason="at random", now=NOW, flatten=source.random() < 0.5)

    def reset(self, source: random.Random) -> None:
        for halt_id in Halt.objects.filter(reset_at=None).values_list("id", flat=True):
            reset_halt(halt_id=halt_id, actor="person", reason="go on", now=NOW)

    def settle(self) -> None:
        for _ in range(10):
            self.executor.work()

    def check(self) -> None:
        working = set(Order.objects.filter(status__in=OPEN_STATUSES).values_list("id", flat=True))
        holding = set(Reservation.objects.filter(ended_at=None).values_list("order_id", flat=True))
        assert working == holding
        for instrument in self.world.instruments:
            self.check_exits(instrument.id)
        self.check_groups()
        assert [(item.code, item.message) for item in selectors.audit()] == []
        assert books.trial_balance().is_balanced

    def check_room(self, order: Order) -> None:
        """An exit is taken only where all plain ones together are no more than the position; later fills of other orders may shrink it."""
        plain = Order.objects.filter(instrument_id=order.instrument_id, side=order.side, is_reducing=True, is_reduce_only=False)
        leaving = sum((row.quantity - row.filled_quantity for row in plain.filter(status__in=OPEN_STATUSES)), Decimal(0))
        held = port(AccountDirectory).position(self.world.account_id, order.instrument_id)
        assert leaving <= -held * Side(order.side).sign, "exits exceed the position"

    def check_exits(self, instrument_id: UUID) -> None:
        """The venue holds every exit as one, so that it trades no more than there is, also when the position has shrunk or turned since."""
        sent = Order.objects.filter(instrument_id=instrument_id, is_reducing=True).values_list("client_order_id", flat=True)
        assert all(SimulatedOrder.objects.filter(client_order_id__in=list(sent)).values_list("is_reduce_only", flat=True))
        position = Decimal(0)
        for fill in Fill.objects.filter(instrument_id=instrument_id).select_related("order").order_by("id"):
            signed = fill.quantity * Side(fill.side).sign
            if fill.order.is_reducing:
                assert position * signed < 0 and fill.quantity <= abs(position), "an exit has traded more than there was"
            position += signed

    def check_groups(self) -> None:
        """What one of a group trades, the others no longer may; and a bracket's exits trade no more than its entry has."""
        mine = Order.objects.filter(account_id=self.world.account_id)
        members = mine.exclude(group_id=None).select_related("parent").order_by("group_id")
        for _, group in groupby(members, key=lambda order: order.group_id):
            orders = list(group)
            parent = orders[0].parent
            if parent:
                assert sum(order.filled_quantity for order in orders) <= parent.filled_quantity
                continue
            fills = list(Fill.objects.filter(order__in=orders).order_by("id"))
            for order in orders:
                self.check_member(order, fills)

    def check_member(self, order: Order, fills: list[Fill]) -> None:
        """Up to its last fill, the order and the others since it was last asked for have traded no more than what was asked for."""
        asked, since = self.asked.setdefault(order.id, order.quantity), order.created_at
        for event in OrderEvent.objects.filter(order=order, trigger="AMEND", detail__startswith="As asked").order_by("id"):
            found = re.search(r"quantity (\d+)", event.detail)
            if found is not None:
                asked, since = Decimal(found.group(1)), event.recorded_at
        own = others = Decimal(0)
        for fill in fills:
            if fill.order_id == order.id:
                own += fill.quantity
                assert own + others <= asked, "a group has traded more than it may"
            elif fill.recorded_at > since:
                others += fill.quantity


def test_whatever_happens_reservations_follow_orders_and_exits_the_position() -> None:
    for seed in [random.SystemRandom().randrange(10**9) for _ in range(SEEDS)]:
        print(f"seed {seed}")
        day = Day()
        day.play(plan_of(random.Random(seed)))
        day.check()
        Halt.objects.update(reset_at=NOW)
