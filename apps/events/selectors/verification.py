"""Verifying the log: the whole chain, recomputed from the rows, against the stored hashes and the anchor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.events.adapters.anchor import AnchorFile
from apps.events.adapters.copying import copy_lines
from apps.events.contracts import LogFinding, LogVerification
from apps.events.domain.chain import CANONICAL_COLUMNS
from apps.events.domain.verification import ChainVerifier
from apps.events.models import LoggedEvent, LogIdentity

SEAL_BATCH = 2000
"""Most rows that are sealed before the anchor is written: what a crash in between can leave unanchored."""

_ROWS = f"SELECT encode(hash, 'hex'), position, {CANONICAL_COLUMNS} FROM event_log WHERE position IS NOT NULL ORDER BY position"


def anchor_of(log_id: UUID) -> AnchorFile:
    """The anchor file of a log in this installation's data directory."""
    return AnchorFile(Path(settings.DATA_DIR) / "anchor", log_id)


def verify_log() -> LogVerification:
    """Stream the whole log and judge it. Safe beside a running sealer: the anchor is read first, the log in one snapshot."""
    log_id = LogIdentity.objects.filter(pk=1).values_list("log_id", flat=True).first()
    if log_id is None:
        return _without_identity()
    anchor = anchor_of(log_id)
    is_anchored = anchor.exists()
    verifier = ChainVerifier(log_id, anchor.read(), may_be_unanchored=SEAL_BATCH)
    copy_lines(_ROWS, verifier.take)
    if not is_anchored:
        verifier.report("anchor_missing", 0, f"The anchor file {anchor.path} is missing.")
    verdict = verifier.verdict(unsealed=LoggedEvent.objects.filter(position=None).count())
    return replace(verdict, other_anchors=tuple(path.name for path in anchor.others()))


def _without_identity() -> LogVerification:
    """A log nobody has sealed yet is empty; sealed rows or anchors without an identity mean that it was removed."""
    anchor = anchor_of(UUID(int=0))
    sealed = LoggedEvent.objects.filter(position__isnull=False).count()
    findings: list[LogFinding] = []
    if sealed:
        findings.append(LogFinding("identity_missing", 0, f"The log's identity row was removed while {sealed} events are sealed."))
    elif others := anchor.others():
        known = ", ".join(path.name for path in others[:3])
        findings.append(LogFinding("log_missing", 0, f"The log is empty and has no identity, but anchors of a log are here: {known}."))
    unsealed = LoggedEvent.objects.filter(position=None).count()
    return LogVerification(
        count=sealed, unsealed=unsealed, unanchored=0, head_hash="", findings=tuple(findings), findings_total=len(findings)
    )
