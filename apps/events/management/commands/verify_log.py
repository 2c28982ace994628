"""Verify the event log against its hash chain and its anchor outside the database."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from apps.events.contracts import LogVerification
from apps.events.selectors import verify_log
from apps.events.services import accept_log


class Command(BaseCommand):
    help = "Recompute the event log's hash chain and compare it with the anchor file. Names what was changed, deleted or recomputed; exit code 1 then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--start-new-anchor",
            metavar="REASON",
            help="Accept the log as it stands (after restoring a backup, say): keep the old anchor file aside and start a new one. Logged with the reason.",
        )
        parser.add_argument("--actor", default="console", help="Who accepts it.")

    def handle(self, *args: object, **options: str | None) -> None:
        if reason := options["start_new_anchor"]:
            position = accept_log(reason=reason, actor=options["actor"] or "console")
            self.stdout.write(f"A new anchor holds the {position} events of the log as they stand.")
            return
        found = verify_log()
        if found.other_anchors:
            named = ", ".join(found.other_anchors[:3])
            self.stdout.write(
                f"Note: anchors of other logs lie here, too ({named}). If this database was not replaced on purpose, ask who did."
            )
        if found.is_intact:
            self.stdout.write(_sound(found))
            return
        for finding in found.findings:
            self.stderr.write(finding.sentence)
        if found.findings_total > len(found.findings):
            self.stderr.write(f"... and {found.findings_total - len(found.findings)} more.")
        raise CommandError(f"The event log is NOT intact: {found.findings_total} findings in {found.count} events.", returncode=1)


def _sound(found: LogVerification) -> str:
    notes = []
    if found.unsealed:
        notes.append(f"{found.unsealed} wait to be sealed")
    if found.unanchored:
        notes.append(f"{found.unanchored} wait to be anchored")
    beside = f" ({', '.join(notes)})" if notes else ""
    return f"The event log is intact: {found.count} events{beside}, head {found.head_hash or 'none'}."
