"""Ticks: a run over a tape is what the oracle makes of the same ticks, whatever of them the engine skips."""

from __future__ import annotations

from tests.unit.backtests.seeds import fresh_seed
from tests.unit.backtests.tick_world import require_agreement

PINNED = 20_261_120


def test_runs_over_tapes_of_a_pinned_seed_are_what_the_oracle_makes_of_them() -> None:
    assert sum(require_agreement(seed) for seed in range(PINNED, PINNED + 20)) > 500


def test_runs_over_tapes_of_a_fresh_seed_are_what_the_oracle_makes_of_them() -> None:
    seed = fresh_seed()
    assert sum(require_agreement(one) for one in range(seed, seed + 20)) > 0
