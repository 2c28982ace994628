"""Compare our orders and fills with the simulated venue's own book; exit status 1 names every difference."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand

from apps.orders.selectors import audit


class Command(BaseCommand):
    help = "Compare orders and fills with the simulated venue's book. Exit 0: equal; 1: differences, one per line."

    def handle(self, *args: object, **options: object) -> None:
        differences = audit()
        for item in differences:
            self.stdout.write(f"{item.code} {item.subject}: {item.message}")
        if differences:
            self.stderr.write(f"{len(differences)} differences.")
            sys.exit(1)
        self.stdout.write("Orders and fills equal the venue's.")
