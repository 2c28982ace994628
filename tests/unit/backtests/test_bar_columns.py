"""Bars on their way from a source into compiled kernels."""

from __future__ import annotations

import numpy as np

from apps.backtests.domain.pool import bar_columns
from tests.factories.windows import make_window


def test_bars_that_a_source_only_lends_are_copied_for_the_kernels() -> None:
    window = make_window(np.array([10_000_000, 11_000_000, 12_000_000]))
    for name in ("opened_at", "closed_at", "close"):
        getattr(window, name).flags.writeable = False
    columns = bar_columns(window)
    assert all(getattr(columns, name).flags.writeable for name in ("opened_at", "closed_at", "open", "high", "low", "close", "volume"))
    assert columns.close.tolist() == [10_000_000, 11_000_000, 12_000_000]
