"""The log names each way of tampering with it."""

from __future__ import annotations

import signal

from tests.invariants import resume, settle
from tests.prove.registry import Measured, proof
from tests.prove.workshop import Workshop
from tests.system import RunningSystem, wait_until

RECORD_BYTES = 40
"""What the anchor file keeps of a row, as `apps/events/adapters/anchor.py` says."""

CHANGE_A_ROW = """
    UPDATE event_log SET payload = payload || '{"quantity": "999999"}'::jsonb
    WHERE position = (SELECT position FROM event_log WHERE event_type = 'trading.trade_executed' ORDER BY position DESC LIMIT 1)
    RETURNING position
"""
DELETE_THE_TAIL = "DELETE FROM event_log WHERE position > (SELECT max(position) FROM event_log) - 3 RETURNING position"


def tamper(system: RunningSystem, sql: str) -> tuple[int, int, str]:
    """Run `sql` with the triggers off, verify, put everything back; returns (a touched position, exit code, what verify_log said)."""
    with system.database() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("CREATE TABLE saved_log AS SELECT * FROM event_log")
        try:
            cursor.execute(sql)
            position = int(cursor.fetchall()[0][0])
            done = system.manage("verify_log")
        finally:
            cursor.execute("DELETE FROM event_log")
            cursor.execute("INSERT INTO event_log SELECT * FROM saved_log")
            cursor.execute("DROP TABLE saved_log")
    return position, done.returncode, " ".join((done.stdout + done.stderr).split())


def stop_sealing(system: RunningSystem) -> None:
    """Freeze the sealer at a moment at which the anchor has every sealed row; between the two it promises nothing yet."""

    def is_anchored() -> bool:
        system.kill("events", signal.SIGSTOP)
        anchored = sum(path.stat().st_size // RECORD_BYTES for path in (system.data_dir / "anchor").glob("*.anchor"))
        if anchored and anchored == system.value("SELECT max(position) FROM event_log"):
            return True
        system.kill("events", signal.SIGCONT)
        return False

    wait_until(is_anchored, within=60, what="an anchor that has every row", every=0.2)


@proof(
    cap="spine",
    name="tamper-log",
    line="A changed row, a deleted tail and a recomputed chain, by raw SQL with triggers off",
    bound="verify_log names each",
)
def tampering_is_named(workshop: Workshop) -> Measured:
    system = workshop.system
    settle(system)
    stop_sealing(system)
    details, named = [], 0
    try:
        for name, sql in (("changed row", CHANGE_A_ROW), ("deleted tail", DELETE_THE_TAIL), ("recomputed chain", None)):
            position, code, said = recompute_chain(system) if sql is None else tamper(system, sql)
            is_named = code == 1 and str(position) in said
            named += is_named
            details.append(f"{name} at {position}: exit {code}: {said[:150]}")
        clean = system.manage("verify_log")
        details.append(f"put back: exit {clean.returncode}: {clean.stdout.strip()[-120:]}")
    finally:
        system.kill("events", signal.SIGCONT)
        resume(system)
    return Measured(f"{named} of 3 named, clean log passes: {clean.returncode == 0}", named == 3 and clean.returncode == 0, tuple(details))


def recompute_chain(system: RunningSystem) -> tuple[int, int, str]:
    """Alter a row and recompute every hash after it, as somebody would who knows the code."""
    with system.database() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("CREATE TABLE saved_log AS SELECT * FROM event_log")
        try:
            cursor.execute(CHANGE_A_ROW)
            position = int(cursor.fetchall()[0][0])
            script = (
                "from django.db import connection\n"
                "from tests.forgery import rechain_from\n"
                "connection.cursor().execute('SET session_replication_role = replica')\n"
                f"rechain_from({position})"
            )
            rechained = system.manage("shell", "-c", script)
            if rechained.returncode:
                return position, 99, rechained.stderr[-300:]
            done = system.manage("verify_log")
        finally:
            cursor.execute("DELETE FROM event_log")
            cursor.execute("INSERT INTO event_log SELECT * FROM saved_log")
            cursor.execute("DROP TABLE saved_log")
    return position, done.returncode, " ".join((done.stdout + done.stderr).split())
