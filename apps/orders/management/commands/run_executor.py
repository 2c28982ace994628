"""The execution worker: owns accounts by lease, matches the simulated books, sends intents, recovers after a crash."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError

from apps.common.daemon import Daemon, DaemonCommand
from apps.common.notify import Channel
from apps.core.errors import OwnershipLost, TradingError
from apps.orders.ports import AccountRef
from apps.orders.services.executing import AccountExecutor, accounts_to_serve, enforce_halts, report_shut
from apps.orders.services.ownership import Ownership

log = structlog.get_logger(__name__)


class ExecutorDaemon(Daemon):
    """Every account with something to do in turn; an account that another executor owns, or that cannot be reconciled, does not hold up the others."""

    name = "executor"
    channels = (Channel.MARKET, Channel.INTENTS, Channel.CONTROL)

    def __init__(self) -> None:
        super().__init__()
        self._owned: dict[UUID, AccountExecutor] = {}
        self._troubled: dict[UUID, str] = {}

    def prepare(self) -> None:
        """After every reconnection the accounts are taken and reconciled afresh: what was under way may have been cut off."""
        self._owned.clear()

    def work(self) -> bool:
        accounts = accounts_to_serve()
        self._forget_done({account.id for account in accounts})
        more = [self._guarded(account) for account in accounts]
        enforce_halts()
        self.detail = f"{len(self._owned)} of {len(accounts)} accounts" + (f", {len(self._troubled)} shut" if self._troubled else "")
        return any(more)

    def finish(self) -> None:
        for executor in self._owned.values():
            executor.ownership.give_back()
        self._owned.clear()

    def _guarded(self, account: AccountRef) -> bool:
        """Step one account. What is wrong with it is told once and tried again at the next wake-up; a lost database goes up."""
        try:
            more = self._step(account)
        except (DatabaseError, InterfaceError):
            self._owned.pop(account.id, None)
            raise
        except OwnershipLost as error:
            self._owned.pop(account.id, None)
            log.warning("ownership_lost", account=account.name, error=str(error))
            return False
        except TradingError as error:
            self._owned.pop(account.id, None)
            if self._troubled.get(account.id) != str(error):
                log.exception("account_shut", account=account.name)
                report_shut(account, error)
                self._troubled[account.id] = str(error)
            return False
        self._troubled.pop(account.id, None)
        return more

    def _step(self, account: AccountRef) -> bool:
        executor = self._owned.get(account.id)
        if executor is None:
            ownership = Ownership.take(account.id)
            if ownership is None:
                return False
            executor = self._owned[account.id] = AccountExecutor(account, ownership)
        executor.account = account
        return executor.step()

    def _forget_done(self, served_ids: set[UUID]) -> None:
        for account_id in set(self._owned) - served_ids:
            self._owned.pop(account_id).ownership.give_back()


class Command(DaemonCommand):
    help = "Run the execution worker: match, send, recover."
    daemon_class = ExecutorDaemon
