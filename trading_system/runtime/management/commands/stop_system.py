"""Stop the system that `manage.py up` runs on this data directory."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading_system.runtime.instance import stop_instance
from trading_system.runtime.places import DataPlaces
from trading_system.settings.environment import DATA_DIR


class Command(BaseCommand):
    help = "Stop the running system cleanly and wait for its end."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            was_running = stop_instance(DataPlaces(DATA_DIR))
        except (TimeoutError, PermissionError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Stopped." if was_running else f"Nothing runs on {DATA_DIR}.")
