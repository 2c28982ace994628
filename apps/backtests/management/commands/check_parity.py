"""`manage.py check_parity`: did paper do on each finished day what a backtest of the stored bars does?"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.backtests.selectors.parity import parity_days, parity_differences
from apps.backtests.services.parity import Checked, check_account
from apps.core.clock import WallClock
from apps.core.errors import TradingError
from apps.portfolio import selectors as portfolio

SHOWN = 20


class Command(BaseCommand):
    help = "Compare the finished days of accounts with their repetition, as the nightly job does. Ends with 1 beyond the tolerance."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", type=UUID, default=None, help="the account's id; without it every account")
        parser.add_argument("--day", type=date.fromisoformat, default=None, help="compare this day (YYYY-MM-DD) again; needs one account")

    def handle(self, *args: Any, **options: Any) -> None:
        day, account_id = options["day"], options["account"] or (portfolio.default_account_id() if options["day"] else None)
        if day is not None and account_id is None:
            raise CommandError("There is no default account; name one with --account.")
        account_ids = [account_id] if account_id else [item.id for item in portfolio.accounts()]
        done = [self._check(key, day) for key in account_ids]
        if any(item is None or item.breached for item in done):
            raise CommandError("Paper is beside the backtest by more than the tolerance, or could not be compared.", returncode=1)

    def _check(self, account_id: UUID, day: date | None) -> Checked | None:
        try:
            checked = check_account(account_id=account_id, now=WallClock().now(), day=day)
        except TradingError as error:
            self.stderr.write(str(error))
            return None
        self.stdout.write(f"{checked.account}: {len(checked.days)} days compared, {checked.differences} differences.")
        different = [item for item in parity_days(account_id=account_id, only_different=True, limit=SHOWN) if item.day in checked.days]
        for item in different:
            breach = " — beyond the tolerance" if item.is_breached else ""
            self.stdout.write(f"  {item.day}: {item.deviation_bps:.2f} of {item.tolerance_bps.normalize():f} bps{breach}")
            for row in parity_differences(day_id=item.id, limit=SHOWN)[::-1]:
                self.stdout.write(f"    {row.kind} {row.symbol} {row.what}: paper {row.paper} | backtest {row.backtest}")
        return checked
