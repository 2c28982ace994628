"""What else could have come of a run, worked out from its stored record: the spread of reshuffled histories, and what it did in real crises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

import numpy as np

from apps.backtests.contracts import RecordKind
from apps.backtests.domain.block_length import best_block_bars
from apps.backtests.domain.monte_carlo import bootstrap_returns
from apps.backtests.domain.returns import drawdowns
from apps.backtests.domain.scenarios import EPISODES
from apps.backtests.models import BacktestRun
from apps.backtests.selectors.records import books_of, record_array, records_of
from apps.markets.domain.bars import to_micros
from apps.portfolio.domain.engine_records import equity_series

HISTORIES = 500
LEAST_DAYS = 60
_DAY_MICROS = 86_400_000_000


@dataclass(frozen=True)
class Histories:
    """How reshuffled histories of a run spread: blocks of its daily returns, drawn with replacement.

    `bands[i]` is equity as a multiple of the capital that `levels[i]` percent of the histories stay below, after each number of `days`.
    Returns and drawdowns are fractions, by the same levels. A history is ruined when it falls to `ruin_level` of the capital.
    """

    histories: int
    block_days: int
    seed: int
    levels: list[float]
    days: list[int]
    bands: list[list[float]]
    actual: list[float]
    final_returns: list[float]
    max_drawdowns: list[float]
    probability_of_loss: float
    probability_of_ruin: float
    ruin_level: float


@dataclass(frozen=True)
class CrisisResult:
    """What equity did in a crisis, from its last value before; `fact` says what the market did."""

    title: str
    starts_on: date
    ends_on: date
    fact: str
    total_return: float
    max_drawdown: float


def histories(run_id: UUID) -> Histories | None:
    """The spread of reshuffled histories, the same ones each time; None with too few days. Raises NotFound for an unknown run."""
    record = records_of(run_id)
    series = equity_series(record.equity_at, record.equity, cash_unit=float(record.cash_unit), opening=record.opening_cash)
    values = series.daily.values
    if len(values) <= LEAST_DAYS or (values <= 0).any():
        return None
    returns = values[1:] / values[:-1] - 1.0
    seed = BacktestRun.objects.values_list("seed", flat=True).get(id=run_id)
    block = best_block_bars(returns)
    made = bootstrap_returns(returns, histories=HISTORIES, seed=seed, block_bars=block)
    return Histories(
        histories=made.histories,
        block_days=block,
        seed=seed,
        levels=list(made.levels),
        days=made.points.tolist(),
        bands=made.bands.tolist(),
        actual=(values[made.points] / values[0]).tolist(),
        final_returns=[made.final_return(level) for level in made.levels],
        max_drawdowns=[made.max_drawdown(level) for level in made.levels],
        probability_of_loss=made.probability_of_loss,
        probability_of_ruin=made.probability_of_ruin,
        ruin_level=made.ruin_level,
    )


def results_in_crises(run_id: UUID) -> list[CrisisResult]:
    """What the stored equity did in the crises that lie within the run. Raises NotFound for an unknown run."""
    books_of(run_id)
    rows = record_array(run_id, RecordKind.EQUITY)
    found = []
    for episode in EPISODES.values():
        first = to_micros(datetime.combine(episode.starts_on, time(), UTC))
        last = to_micros(datetime.combine(episode.ends_on, time(), UTC)) + _DAY_MICROS
        begins = int(np.searchsorted(rows[:, 0], first)) - 1
        ends = int(np.searchsorted(rows[:, 0], last))
        if begins < 0 or ends >= len(rows) or ends - begins < 2 or rows[begins, 1] <= 0:
            continue
        equity = rows[begins:ends, 1] / float(rows[begins, 1])
        fall = float(drawdowns(equity[None, :]).max()) if equity.min() > 0 else 1.0
        found.append(CrisisResult(episode.title, episode.starts_on, episode.ends_on, episode.fact, float(equity[-1]) - 1.0, fall))
    return found
