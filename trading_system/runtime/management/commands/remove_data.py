"""Remove the data directory of this installation and what belongs to it elsewhere, after asking."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading_system.runtime.instance import running_instance
from trading_system.runtime.places import DataPlaces, outside_paths
from trading_system.settings.environment import DATA_DIR


class Command(BaseCommand):
    help = "Remove all data of this installation: database, models, secrets, logs. Asks first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if running_instance(DataPlaces(DATA_DIR)) is not None:
            raise CommandError("The system is running; stop it first (`make stop`).")
        paths = [path for path in (DATA_DIR, *outside_paths(DATA_DIR)) if path.exists()]
        if not paths:
            self.stdout.write("There is no data to remove.")
            return
        self.stdout.write("This removes the database with all trades, models, secrets and logs:")
        for path in paths:
            self.stdout.write(f"  {path}")
        if not options["yes"] and not self._is_wanted():
            raise CommandError("Nothing was removed.")
        for path in reversed(paths):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.stdout.write("Removed.")

    def _is_wanted(self) -> bool:
        self.stdout.write("Type yes to remove them: ", ending="")
        self.stdout.flush()
        return sys.stdin.readline().strip() == "yes"
