"""Prove the books: the journal sums to zero and everything kept beside it agrees with it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.portfolio import selectors


class Command(BaseCommand):
    help = "Print the trial balance of every account; ends with an error that names each difference if there is one."

    def handle(self, *args: Any, **options: Any) -> None:
        balance = selectors.trial_balance()
        self.stdout.write(f"{'account':<28} {'column':<10} {'asset':<12} {'total':>28}")
        for row in balance.rows:
            self.stdout.write(f"{row.account[:28]:<28} {row.ledger_account:<10} {row.asset:<12} {row.total:>28.10f}")
        self.stdout.write(f"{balance.entries} booked fills, {balance.fills} fills.")
        if not balance.is_balanced:
            raise CommandError("The books do not agree:\n" + "\n".join(balance.differences))
        self.stdout.write(self.style.SUCCESS("The books agree: every asset sums to zero; cash, positions and fills equal the journal."))
