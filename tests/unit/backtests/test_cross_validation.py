"""CSCV against a slow oracle written from the paper, on noise and on a planted edge."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from apps.backtests.domain import cross_validation
from apps.backtests.domain.cross_validation import backtest_overfitting
from apps.core.errors import InvalidInput
from tests.unit.backtests.seeds import fresh_generator


def slow_logits(matrix: npt.NDArray[np.float64], blocks: int) -> list[float]:
    """Step by step as the paper says, with whole halves joined in their order."""
    parts = np.array_split(matrix, blocks)
    found = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[i] for i in chosen])
        outside = np.concatenate([parts[i] for i in range(blocks) if i not in chosen])
        best = int((inside.mean(axis=0) / inside.std(axis=0, ddof=1)).argmax())
        sharpes = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
        rank = 1 + sum(sharpe < sharpes[best] for sharpe in sharpes)
        share = rank / (matrix.shape[1] + 1)
        found.append(math.log(share / (1 - share)))
    return found


@pytest.mark.parametrize(("bars", "trials", "blocks"), [(64, 5, 4), (203, 11, 6), (500, 7, 10)])
def test_agrees_with_the_slow_way(bars: int, trials: int, blocks: int) -> None:
    matrix = fresh_generator().standard_normal((bars, trials)) * 0.01 + 0.0003
    result = backtest_overfitting(matrix, blocks=blocks)
    assert result.logits == pytest.approx(slow_logits(matrix, blocks))
    assert result.choices == math.comb(blocks, blocks // 2)
    assert result.probability == np.mean([logit <= 0 for logit in slow_logits(matrix, blocks)])


def test_pieces_small_enough_for_memory_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = fresh_generator().standard_normal((120, 9))
    whole = backtest_overfitting(matrix, blocks=8)
    monkeypatch.setattr(cross_validation, "_CELLS_AT_ONCE", 40)
    assert backtest_overfitting(matrix, blocks=8).logits.tolist() == whole.logits.tolist()


def test_noise_is_a_coin_toss() -> None:
    source = fresh_generator()
    found = [backtest_overfitting(source.standard_normal((240, 20)), blocks=8).probability for _ in range(150)]
    assert abs(np.mean(found) - 0.5) < 0.07


def test_a_planted_edge_is_not_called_overfitting() -> None:
    matrix = fresh_generator().standard_normal((1000, 50)) * 0.01
    matrix[:, 13] += 0.003
    result = backtest_overfitting(matrix)
    assert result.probability < 0.1
    assert result.probability_of_loss < 0.1


def test_an_edge_that_dies_is_overfitting() -> None:
    """Whatever does well in some blocks pays for it in the others: all trials earn the same in total."""
    matrix = fresh_generator().standard_normal((800, 30)) * 0.01
    matrix -= matrix.mean(axis=0)
    result = backtest_overfitting(matrix, blocks=8)
    assert result.probability > 0.9
    assert result.probability_of_loss > 0.9
    assert result.slope < 0


def test_equal_trials_share_the_middle_rank() -> None:
    column = fresh_generator().standard_normal(80)
    result = backtest_overfitting(np.column_stack([column, column, column]), blocks=4)
    assert result.logits == pytest.approx([0.0] * 6)
    assert result.probability == 1.0, "a winner that is no better than the median is counted as overfitted"


def test_a_trial_that_never_traded_counts_as_zero() -> None:
    matrix = fresh_generator().standard_normal((80, 3)) - 5.0
    matrix[:, 1] = 0.0
    result = backtest_overfitting(matrix, blocks=4)
    assert result.sharpe_in_sample.tolist() == [0.0] * 6
    assert result.probability == 0.0


@pytest.mark.parametrize(
    ("shape", "blocks", "message"),
    [((100, 1), 4, "two trials"), ((100, 3), 5, "even"), ((100, 3), 40, "even"), ((10, 3), 8, "too few")],
)
def test_what_cannot_be_cut_is_refused(shape: tuple[int, int], blocks: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        backtest_overfitting(np.ones(shape), blocks=blocks)
    with pytest.raises(InvalidInput, match="NaN"):
        backtest_overfitting(np.full((100, 3), np.nan), blocks=4)
