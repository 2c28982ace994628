"""What a vector strategy may say at a close; the bits of one int8."""

from __future__ import annotations

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
