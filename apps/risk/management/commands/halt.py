"""Stop trading, or let it go on, from the command line: needs PostgreSQL alone."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.risk import selectors, services


class Command(BaseCommand):
    help = 'Engage the emergency stop: manage.py halt "reason" [--flatten]. Release it: manage.py halt "reason" --reset.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reason", nargs="?", default="", help="Why, in a few words; kept and shown.")
        parser.add_argument("--flatten", action="store_true", help="Close every position too.")
        parser.add_argument("--reset", action="store_true", help="Release every engaged halt.")

    def handle(self, *args: Any, **options: Any) -> None:
        actor, now = f"cli:{getpass.getuser()}", datetime.now(UTC)
        reason: str = options["reason"]
        if options["reset"]:
            self._reset(actor, reason or "reset on the command line", now)
            return
        if not reason:
            raise CommandError('Say why: manage.py halt "reason".')
        halt_id = services.engage_halt(actor=actor, reason=reason, now=now, flatten=options["flatten"])
        self.stdout.write(f"Halted ({halt_id}). Nothing that increases exposure leaves until: manage.py halt --reset")

    def _reset(self, actor: str, reason: str, now: datetime) -> None:
        engaged = [item for item in selectors.halts(limit=1000) if item.is_engaged]
        for item in engaged:
            services.reset_halt(halt_id=item.id, actor=actor, reason=reason, now=now)
            self.stdout.write(f"Reset {item.id}: {item.reason}")
        if not engaged:
            self.stdout.write("No halt is engaged.")
