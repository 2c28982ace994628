"""`python -m trading_system.runtime.heartbeat_check NAME`: exit code 0 when that process completed work lately. For container health checks."""

from __future__ import annotations

import os
import sys

from trading_system.runtime.addresses import named_database
from trading_system.runtime.probes import BeatAge, HeartbeatQuestion

_MISSED_BEATS = 3


def is_alive(beat: BeatAge | None) -> bool:
    """Whether the heartbeat is younger than three of its intervals."""
    return beat is not None and beat.age_seconds <= _MISSED_BEATS * beat.expected_every


def main(process: str) -> int:
    """0 alive, 1 not; a database that does not answer is not."""
    try:
        beats = HeartbeatQuestion(named_database(os.environ))()
    except Exception as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if is_alive(beats.get(process)) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
