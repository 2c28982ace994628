"""Rebuild the projection of the event log from the log itself and compare it row by row."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from apps.events.services import replay_activity


class Command(BaseCommand):
    help = "Rebuild the projection (events by type and day) from the log and compare it with the stored one. Names every difference; exit code 1 then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Write what the log says where the projection differs.")

    def handle(self, *args: object, **options: bool) -> None:
        report = replay_activity(repair=options["repair"])
        for sentence in [*report.undecodable, *[difference.sentence for difference in report.differences]]:
            self.stderr.write(sentence)
        through = f"{report.events} events up to position {report.through_position}"
        if report.is_equal:
            self.stdout.write(f"The projection equals the log: {through}.")
            return
        if options["repair"] and report.differences:
            self.stdout.write(f"Repaired {len(report.differences)} rows from {through}.")
        if report.undecodable or not options["repair"]:
            found = f"{len(report.differences)} differences, {len(report.undecodable)} events that cannot be decoded"
            raise CommandError(f"The projection does NOT equal the log ({found}) in {through}.", returncode=1)
