"""Slippage fitted to own fills."""

from __future__ import annotations

import random
import secrets

import pytest

from apps.core.errors import InvalidInput
from apps.orders.domain.engine_codes import SlippageModel
from apps.orders.domain.fitting import LEAST_FILLS, TakenFill, fit_slippage


def fills_that_cost(constant: float, impact: float, *, noise: float, count: int, seed: int) -> list[TakenFill]:
    source = random.Random(seed)
    found = []
    for _ in range(count):
        side, volume = source.choice([1, -1]), 1_000_000
        lots = source.randint(100, 400_000)
        ppm = constant + impact * (lots / volume) ** 0.5 + source.gauss(0, noise)
        found.append(TakenFill(side, 10**9, round(10**9 * (1 + side * ppm / 1e6)), lots, volume))
    return found


def test_what_went_into_the_fills_comes_out() -> None:
    seed = secrets.randbits(32)
    print("seed", seed)
    fitted = fit_slippage(fills_that_cost(150, 900, noise=20, count=2_000, seed=seed))
    assert abs(fitted.constant_ppm - 150) < 10
    assert abs(fitted.impact_ppm - 900) < 20
    assert 18 < fitted.spread_ppm < 22
    model = fitted.model()
    assert model.model is SlippageModel.FITTED
    assert int(model.slippage_bps * 100) == fitted.constant_ppm


def test_no_part_is_ever_negative() -> None:
    better = fit_slippage(fills_that_cost(-50, 0, noise=1, count=100, seed=1))
    assert (better.constant_ppm, better.impact_ppm) == (0, 0)
    falling = fit_slippage(fills_that_cost(500, -300, noise=1, count=100, seed=2))
    assert falling.impact_ppm == 0
    assert falling.constant_ppm > 0


def test_too_few_fills_are_refused_with_the_number_needed() -> None:
    few = fills_that_cost(100, 100, noise=1, count=LEAST_FILLS - 1, seed=3)
    unknown = [TakenFill(1, 100, 101, 1, 0)] * 50
    with pytest.raises(InvalidInput, match=f"at least {LEAST_FILLS} fills with a known volume, there are {LEAST_FILLS - 1}"):
        fit_slippage([*few, *unknown])
