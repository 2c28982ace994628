"""Remove the data directory of this installation and what belongs to it elsewhere, after asking."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading_system.runtime.instance import running_instance
from trading_system.runtime.places import DataPlaces, outside_folders
from trading_system.settings.environment import DATA_DIR


class Command(BaseCommand):
    help = "Remove all data of this installation: database, models, secrets, logs. Asks first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if running_instance(DataPlaces(DATA_DIR)) is not None:
            raise CommandError("The system is running; stop it first (`make stop`).")
        folders = [folder for folder in (DATA_DIR, *outside_folders(DATA_DIR)) if folder.exists()]
        if not folders:
            self.stdout.write("There is no data to remove.")
            return
        self.stdout.write("This removes the database with all trades, models, secrets and logs:")
        for folder in folders:
            self.stdout.write(f"  {folder}")
        if not options["yes"] and not self._is_wanted():
            raise CommandError("Nothing was removed.")
        for folder in folders:
            shutil.rmtree(folder)
        self.stdout.write("Removed.")

    def _is_wanted(self) -> bool:
        self.stdout.write("Type yes to remove them: ", ending="")
        self.stdout.flush()
        return sys.stdin.readline().strip() == "yes"
