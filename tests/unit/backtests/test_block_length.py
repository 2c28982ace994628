from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

from apps.backtests.domain.block_length import best_block_bars
from apps.backtests.domain.monte_carlo import Blocks
from tests.factories.windows import real_window
from tests.unit.backtests.seeds import fresh_generator


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.8, -0.5])
@pytest.mark.parametrize("bars", [25, 300, 2000])
def test_agrees_with_arch(memory: float, bars: int) -> None:
    noise = fresh_generator().standard_normal(bars)
    series = np.zeros(bars)
    for bar in range(1, bars):
        series[bar] = memory * series[bar - 1] + noise[bar]
    known = optimal_block_length(series)
    assert abs(best_block_bars(series, Blocks.STATIONARY) - max(1.0, float(known["stationary"].iloc[0]))) <= 0.501
    assert abs(best_block_bars(series, Blocks.CIRCULAR) - max(1.0, float(known["circular"].iloc[0]))) <= 0.501


def test_longer_memory_needs_longer_blocks() -> None:
    closes = real_window("sp500").close.astype(np.float64)
    returns = np.diff(np.log(closes))
    assert best_block_bars(np.abs(returns)) > best_block_bars(returns)


def test_what_does_not_move_or_is_short_is_drawn_bar_by_bar() -> None:
    assert best_block_bars(np.full(100, 0.01)) == 1
    assert best_block_bars([0.1, -0.1, 0.2]) == 1
