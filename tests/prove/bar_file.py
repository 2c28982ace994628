"""Series of the benchmarks as CSV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.benchmarks._series import minute_bars

_SECOND = 1_000_000


def write(path: str, count: int, seed: int) -> None:
    """Minute bars of a random walk with prices of two decimals; volumes are drawn as well."""
    bars = minute_bars(count, seed)
    volume = np.random.default_rng(seed).integers(1_000, 100_000, count)
    columns = (bars.opened_at // _SECOND, *(getattr(bars, name) for name in ("open", "high", "low", "close")), volume)
    rows = (
        f"{at},{o // 100}.{o % 100:02},{h // 100}.{h % 100:02},{low // 100}.{low % 100:02},{c // 100}.{c % 100:02},{v}"
        for at, o, h, low, c, v in zip(*(column.tolist() for column in columns), strict=True)
    )
    Path(path).write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
