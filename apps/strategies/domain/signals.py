"""What a strategy says about a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.core.vocabulary import Direction


@dataclass(frozen=True)
class Signal:
    """What the strategy wants to hold, how strongly (0..1), how sure it is (0..1, 0.5 = no better than chance) and why, in words.

    `is_refused` means that the strategy cannot judge (no usable forecast): nothing new is opened, and what is held is kept.
    """

    direction: Direction
    strength: float
    confidence: float
    reason: str
    is_refused: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "direction": str(self.direction),
            "strength": self.strength,
            "confidence": self.confidence,
            "reason": self.reason,
            "is_refused": self.is_refused,
        }
