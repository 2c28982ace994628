from __future__ import annotations

import math

import numpy as np
import pytest

from apps.backtests.domain import monte_carlo
from apps.backtests.domain.monte_carlo import (
    LEVELS,
    Blocks,
    bootstrap_returns,
    bootstrap_trades,
    circular_indexes,
    generator,
    random_costs,
    random_starts,
    randomise,
    stationary_indexes,
)
from apps.core.errors import InvalidInput
from tests.unit.backtests.seeds import fresh_generator, fresh_seed

PINNED_DRAWS = [0, 0, 5, 3, 4, 4, 4, 0, 3, 1]
PINNED_STARTS = [81, 8, 18, 23, 18]
TRADES = [0.05, -0.03, 0.02, -0.01, 0.04, -0.02, 0.01]


def test_the_same_seed_gives_the_same_histories_for_ever() -> None:
    first = bootstrap_trades(TRADES, histories=4, seed=11)
    assert first.final_returns.tolist() == bootstrap_trades(TRADES, histories=4, seed=11).final_returns.tolist()
    assert first.final_returns.tolist() != bootstrap_trades(TRADES, histories=4, seed=12).final_returns.tolist()
    assert generator(11).integers(0, 7, 10).tolist() == PINNED_DRAWS
    assert random_starts(latest_start=100, histories=5, seed=3) == PINNED_STARTS


def test_shuffling_keeps_the_end_and_changes_the_way() -> None:
    result = bootstrap_trades(TRADES, histories=500, seed=fresh_seed(), with_replacement=False)
    end = math.prod(1 + trade for trade in TRADES) - 1
    assert result.final_returns == pytest.approx([end] * 500)
    assert result.max_drawdowns.max() == pytest.approx(1 - 0.97 * 0.99 * 0.98)
    assert result.max_drawdowns.min() == pytest.approx(0.03)
    assert result.probability_of_loss == 0.0


def test_bands_begin_at_one_are_ordered_and_end_with_the_final_returns() -> None:
    result = bootstrap_trades(TRADES, histories=300, seed=fresh_seed())
    assert result.points.tolist() == list(range(8))
    assert result.bands.shape == (len(LEVELS), 8)
    assert result.bands[:, 0].tolist() == [1.0] * 5
    assert (np.diff(result.bands, axis=0) >= 0).all()
    for row, level in enumerate(LEVELS):
        assert result.bands[row, -1] - 1 == pytest.approx(result.final_return(level))
    assert result.histories == 300


def test_the_mean_of_resampled_trades_is_the_mean_of_the_trades() -> None:
    result = bootstrap_trades(TRADES, histories=20_000, seed=fresh_seed())
    expected = (1 + np.mean(TRADES)) ** len(TRADES) - 1
    assert result.final_returns.mean() == pytest.approx(expected, abs=0.005)


def test_loss_and_ruin_of_a_coin_that_halves_or_doubles() -> None:
    result = bootstrap_trades([1.0, -0.5], histories=20_000, seed=fresh_seed(), ruin_level=0.25)
    assert sorted(set(np.round(result.final_returns, 12).tolist())) == [-0.75, 0.0, 3.0]
    assert result.probability_of_loss == pytest.approx(0.25, abs=0.02)
    assert result.probability_of_ruin == pytest.approx(0.25, abs=0.02)


def test_what_is_lost_stays_lost() -> None:
    result = bootstrap_trades([-1.5], histories=3, seed=1)
    assert result.final_returns.tolist() == [-1.0] * 3
    assert result.max_drawdowns.tolist() == [1.0] * 3
    assert result.probability_of_ruin == 1.0


def test_circular_blocks_are_runs_of_neighbours_of_one_length() -> None:
    rows = circular_indexes(fresh_generator(), rows=200, bars=23, block_bars=5)
    assert rows.shape == (200, 23)
    for row in rows:
        for begun in range(0, 23, 5):
            block = row[begun : begun + 5]
            assert block.tolist() == [(int(block[0]) + k) % 23 for k in range(len(block))]
    assert set(np.unique(rows).tolist()) == set(range(23))


def test_stationary_blocks_have_geometric_lengths_around_the_mean() -> None:
    rows = stationary_indexes(fresh_generator(), rows=400, bars=500, block_bars=10)
    follows = (rows[:, 1:] - rows[:, :-1]) % 500 == 1
    # A new block begins with probability 1/10 and happens to go on where the last one ended in 1 of 500 cases.
    assert follows.mean() == pytest.approx(0.9 + 0.1 / 500, abs=0.005)
    counts = np.bincount(rows.ravel(), minlength=500)
    assert counts.mean() == 400 and counts.std() < 200, "wrapping round gives every bar the same weight"


@pytest.mark.parametrize("blocks", list(Blocks))
def test_a_block_as_long_as_the_series_only_turns_it_round(blocks: Blocks) -> None:
    returns = fresh_generator().normal(0, 0.01, 50)
    result = bootstrap_returns(returns, histories=20, seed=fresh_seed(), block_bars=50, blocks=Blocks.CIRCULAR)
    assert result.final_returns == pytest.approx([np.prod(1 + returns) - 1] * 20)
    single = bootstrap_returns(returns, histories=50, seed=fresh_seed(), block_bars=1, blocks=blocks)
    assert len(set(single.final_returns.tolist())) == 50


def test_blocks_keep_what_hangs_together() -> None:
    """Gains and losses in long runs: single bars make mild drawdowns, blocks keep the deep ones."""
    returns = np.tile(np.repeat([0.01, -0.01], 25), 10)
    seed = fresh_seed()
    apart = bootstrap_returns(returns, histories=400, seed=seed, block_bars=1)
    together = bootstrap_returns(returns, histories=400, seed=seed, block_bars=50)
    assert together.max_drawdown(50) > 1.2 * apart.max_drawdown(50)


def test_long_series_are_drawn_in_pieces_and_shown_at_most_at_250_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monte_carlo, "_CELLS_AT_ONCE", 3000)
    result = bootstrap_returns(fresh_generator().normal(0, 0.01, 1000), histories=10, seed=5, block_bars=20)
    assert result.histories == 10
    assert len(result.points) == 250 and result.points[0] == 0 and result.points[-1] == 1000
    assert (np.diff(result.points) > 0).all()
    assert result.bands.shape == (5, 250)


def test_random_starts_run_again_from_every_start() -> None:
    returns = fresh_generator().normal(0, 0.01, 100)
    starts = random_starts(latest_start=30, histories=200, seed=fresh_seed())
    assert set(starts) <= set(range(31)) and len(set(starts)) > 20
    result = randomise(starts, lambda start: returns[start:], bars=70, seed=1)
    assert result.final_returns == pytest.approx([np.prod(1 + returns[start:]) - 1 for start in starts])
    assert result.points[-1] == 70
    with pytest.raises(InvalidInput, match="at least 71"):
        randomise([30], lambda start: returns[start:], bars=71, seed=1)


def test_random_costs_eat_an_edge() -> None:
    costs = random_costs(lowest=0.5, highest=3.0, histories=300, seed=fresh_seed())
    assert 0.5 <= min(costs) < 0.7 and 2.8 < max(costs) <= 3.0
    result = randomise(costs, lambda multiple: np.full(50, 0.002 - 0.001 * multiple), bars=50, seed=1)
    assert result.probability_of_loss == sum(cost > 2.0 for cost in costs) / 300


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InvalidInput, match="At least one history"):
        bootstrap_trades(TRADES, histories=0, seed=1)
    with pytest.raises(InvalidInput, match="1 to 7 bars"):
        bootstrap_returns(TRADES, histories=5, seed=1, block_bars=8)
    with pytest.raises(InvalidInput, match="below 1"):
        bootstrap_trades(TRADES, histories=5, seed=1, ruin_level=1.0)
    with pytest.raises(InvalidInput, match="not negative"):
        bootstrap_trades(TRADES, histories=5, seed=-1)
    with pytest.raises(InvalidInput, match="position 1"):
        bootstrap_trades([0.1, float("inf")], histories=5, seed=1)
    with pytest.raises(InvalidInput, match="0 or more"):
        random_costs(lowest=2, highest=1, histories=5, seed=1)
