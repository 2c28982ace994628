"""What the executor does for one account: one bounded step at a time, each found again from rows after a crash."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.core.errors import TradingError
from apps.core.ports import port
from apps.events.contracts import AlertLevel
from apps.events.services import raise_alert
from apps.orders.adapters import open_broker
from apps.orders.contracts import AT_THE_VENUE, OPEN_STATUSES, OrderStatus
from apps.orders.models import Order
from apps.orders.ports import AccountDirectory, AccountRef, Broker, Fenced
from apps.orders.services.amending import carry_out_amendments
from apps.orders.services.cancelling import carry_out_cancels
from apps.orders.services.cancels import request_cancel_all
from apps.orders.services.matching import match_closes
from apps.orders.services.ownership import Ownership
from apps.orders.services.reconciliation import Lookups, reconcile, recover, resolve_unknown
from apps.orders.services.sending import send_intents
from apps.risk.services import verify_halts

RECONCILE_SECONDS = 30.0


class AccountExecutor:
    """Trades one account while it owns it. The gate opens only after `recover` has come through."""

    def __init__(self, account: AccountRef, ownership: Ownership, broker: Broker | None = None) -> None:
        self.account = account
        self.ownership = ownership
        self._broker = broker or open_broker(account)
        if isinstance(self._broker, Fenced):
            self._broker.fence_with(ownership.check)
        self._lookups = Lookups()
        self._agreed_at: float | None = None

    def step(self) -> bool:
        """Do all the work that is there now; True if there may be more at once. Matching comes first: an order meets only later bars."""
        self.ownership.keep()
        self._agree()
        matched = self._match_or_wind_up()
        waiting = _open_work(self.account)
        if waiting.cancels:
            carry_out_cancels(self.account, self._broker, self.ownership)
        carry_out_amendments(self.account, self._broker, self.ownership)
        if waiting.unknown:
            resolve_unknown(self.account, self._broker, self.ownership, self._lookups)
        sent = send_intents(self.account, self._broker, self.ownership) if waiting.intents else 0
        return matched or sent > 0

    def _match_or_wind_up(self) -> bool:
        """Meet the bars; in a closed account, end what is open instead: it meets no more bars."""
        if self.account.is_open:
            return match_closes(self.account, self._broker, self.ownership)
        request_cancel_all(account_id=self.account.id, actor="executor", reason="The account is closed.")
        return False

    def _agree(self) -> None:
        """Recover at first, reconcile from time to time after that."""
        now = time.monotonic()
        if self._agreed_at is None:
            recover(self.account, self._broker, self.ownership)
        elif now - self._agreed_at >= RECONCILE_SECONDS:
            reconcile(self.account, self._broker, self.ownership)
        else:
            return
        self._agreed_at = now


@dataclass(frozen=True)
class _OpenWork:
    """What the open orders of an account ask for."""

    intents: bool
    unknown: bool
    cancels: bool


def _open_work(account: AccountRef) -> _OpenWork:
    """One read instead of three: most of the time there is nothing to do."""
    rows = Order.objects.filter(account_id=account.id, status__in=OPEN_STATUSES).values_list("status", "cancel_requested_by").distinct()
    found = list(rows.order_by())
    return _OpenWork(
        intents=any(status == OrderStatus.PENDING for status, _ in found),
        unknown=any(status == OrderStatus.UNKNOWN for status, _ in found),
        cancels=any(status in AT_THE_VENUE and wanted for status, wanted in found),
    )


def accounts_to_serve() -> list[AccountRef]:
    """The open accounts, and the closed ones that still have orders to end: an order's life goes on after its account's."""
    directory = port(AccountDirectory)
    accounts = list(directory.open_accounts())
    known = {account.id for account in accounts}
    with_orders = Order.objects.filter(status__in=OPEN_STATUSES).order_by("account_id").values_list("account_id", flat=True).distinct()
    return accounts + [directory.account(account_id) for account_id in with_orders if account_id not in known]


def report_shut(account: AccountRef, error: TradingError) -> None:
    """Tell people that nothing is sent for the account until what is wrong with it is settled."""
    raise_alert(
        AlertLevel.CRITICAL,
        f"Account {account.name} is shut",
        f"The executor cannot go on with it: {error} It is tried again at every wake-up.",
        actor="executor",
        subject=str(account.id),
    )


def enforce_halts() -> int:
    """Have risk enforce and verify its halts; returns how many it verified."""
    return verify_halts(now=datetime.now(UTC))
