"""Whose position it is, when people and halts trade the account of several sessions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

ZERO = Decimal(0)


def position_of(origin_id: UUID, net: Mapping[UUID | None, Decimal]) -> Decimal:
    """What `origin_id` holds of one instrument of one account, `net` being the signed quantity that each origin has traded (None: nobody's).

    What nobody's orders traded against the others' positions is taken from these, the oldest origin first (ids grow with time), and never
    beyond zero; the rest of it is nobody's. So the positions of all origins and nobody's add up to the account's.
    """
    left = net.get(None, ZERO)
    for origin in sorted(key for key in net if key is not None):
        held = net[origin]
        taken = ZERO if held * left >= 0 else min(abs(held), abs(left)) * (1 if held > 0 else -1)
        if origin == origin_id:
            return held - taken
        left += taken
    return ZERO
