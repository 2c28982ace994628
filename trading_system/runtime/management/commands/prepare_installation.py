"""Migrate and open the first world; the child of `manage.py up` that does what needs Django. Reports JSON lines on standard output."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand

from apps.core.errors import TradingError
from apps.core.vocabulary import Timeframe, TradingMode
from trading_system.runtime.bootstrap import FirstWorld, bootstrap


class Command(BaseCommand):
    help = "Migrate the database and make what a fresh installation needs (administrator, risk limits, first world). Idempotent."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--venue", default="")
        parser.add_argument("--symbol", default="BTC/USDT")
        parser.add_argument("--timeframe", type=Timeframe, default=Timeframe.M1)
        parser.add_argument("--mode", type=TradingMode, default=TradingMode.PAPER)

    def handle(self, *args: Any, **options: Any) -> None:
        self._refuse_misconfiguration()
        call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr, stderr=sys.stderr)
        self._report(stage="migrated")
        try:
            installation = bootstrap(FirstWorld(options["venue"], options["symbol"], options["timeframe"], options["mode"]))
        except TradingError as error:
            self._report(stage="refused", sentence=str(error))
            raise SystemExit(2) from None
        self._report(stage="ready", **asdict(installation))

    def _refuse_misconfiguration(self) -> None:
        errors = [message for message in run_checks() if message.is_serious()]
        if errors:
            self._report(
                stage="refused", sentence=" ".join(f"{error.msg} {error.hint or ''} ({error.id})".replace("  ", " ") for error in errors)
            )
            raise SystemExit(2)

    def _report(self, **report: Any) -> None:
        self.stdout.write(json.dumps(report))
        self.stdout.flush()
