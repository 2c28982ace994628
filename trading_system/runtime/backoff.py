"""How long to wait before a crashed process is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class BackOff:
    """Doubling pauses from `first` to `longest` seconds; the first one again after `healthy_after` seconds of health."""

    first: float = 0.2
    longest: float = 10.0
    healthy_after: float = 30.0
    failures: int = 0

    def next_pause(self, *, ran_for: float) -> float:
        """Seconds to wait after a run of `ran_for` seconds that ended by itself."""
        if ran_for >= self.healthy_after:
            self.failures = 0
        pause = min(self.first * 2.0 ** min(self.failures, 30), self.longest)
        self.failures += 1
        return pause
