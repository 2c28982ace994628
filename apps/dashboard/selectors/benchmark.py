"""What the account would be worth had its capital bought the market's first index and held it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from apps.dashboard.selectors.frame import account_at
from apps.markets import selectors as markets
from apps.portfolio import selectors as portfolio

_MOST_BARS = 20_000


@dataclass(frozen=True)
class Benchmark:
    """A line beside the equity: (seconds since 1970, value in the account's currency), oldest first."""

    label: str
    points: tuple[tuple[int, float], ...]


def benchmark(venue_id: UUID) -> Benchmark | None:
    """None where the venue lists no index, or none with a close at the opening of the account. Numbers for drawing only."""
    account, detail = account_at(venue_id), portfolio.market_index(venue_id)
    if account is None or detail is None:
        return None
    window = markets.bar_window(detail.spec, detail.timeframe, until=None, count=_MOST_BARS)
    seconds = np.asarray(window.closed_at) // 1_000_000
    start = int(np.searchsorted(seconds, account.opened_at.timestamp(), side="right")) - 1
    if start < 0 or not window.close[start]:
        return None
    values = float(account.initial_capital) * np.asarray(window.close[start:], dtype=np.float64) / float(window.close[start])
    points = tuple((int(at), round(float(value), 2)) for at, value in zip(seconds[start:], values, strict=True))
    return Benchmark(f"{detail.spec.symbol} bought and held", points)
