"""The family of a run as the ledger keys it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from apps.backtests.domain.trials import Family

LONGEST_SYMBOLS = 200


def family_of(strategy: str, symbols: Sequence[str], timeframe: str) -> Family:
    """What is searched together; the instruments of a portfolio are one name, in alphabetical order."""
    return Family(strategy, " ".join(sorted(symbols)), timeframe)


def family_key(family: Family) -> str:
    """32 hex digits that stand for the family."""
    return hashlib.blake2b(f"{family.strategy}|{family.instrument}|{family.timeframe}".encode(), digest_size=16).hexdigest()


def symbols_text(symbols: Sequence[str]) -> str:
    """The instruments in the order of the run, cut to what a column holds."""
    text = " ".join(symbols)
    return text if len(text) <= LONGEST_SYMBOLS else f"{text[: LONGEST_SYMBOLS - 2]} …"
