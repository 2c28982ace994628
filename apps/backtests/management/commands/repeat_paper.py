"""`manage.py repeat_paper`: does a backtest of the same bars do what paper trading did, to the unit?"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.backtests.domain.session_parity import Difference
from apps.backtests.services.repeating import repeat_paper
from apps.portfolio import selectors as portfolio

SHOWN = 20


class Command(BaseCommand):
    help = "Repeat what the sessions of a paper account did, in memory, and list every difference. Ends with 1 if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", type=UUID, default=None, help="the account's id; without it the default account")
        parser.add_argument("--retrain", action="store_true", help="train the models anew instead of taking the recorded forecasts")

    def handle(self, *args: Any, **options: Any) -> None:
        account_id = options["account"] or portfolio.default_account_id()
        if account_id is None:
            raise CommandError("There is no default account; name one with --account.")
        began = time.perf_counter()
        found = repeat_paper(account_id, is_retrained=options["retrain"])
        for difference in found.differences[:SHOWN]:
            self.stdout.write(_line(difference))
        rows = found.paper.rows
        self.stdout.write(
            f"{len(rows.decisions)} decisions, {len(rows.fills)} fills, {len(rows.equity)} values of equity repeated in"
            f" {time.perf_counter() - began:.1f} s: {len(found.differences)} differences."
        )
        if found.differences:
            raise CommandError("The backtest does not do what paper did.", returncode=1)


def _line(difference: Difference) -> str:
    at = f"{difference.at:%Y-%m-%d %H:%M}" if difference.at else "at the end"
    return f"{at} {difference.kind}: {difference.what}: paper {difference.paper} | backtest {difference.backtest}"
