"""Repeating a paper account in memory and saying what differs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.backtests.domain.session_forecasts import InWordsOfRecord
from apps.backtests.domain.session_parity import Difference, compare, rows_of
from apps.backtests.domain.session_result import SessionRun
from apps.backtests.selectors.paper_runs import PaperRun, paper_run
from apps.forecasts import services as forecasts
from apps.portfolio import selectors as portfolio


@dataclass(frozen=True)
class Repetition:
    """A paper run, the same in memory, and every difference between them, the earliest bar first."""

    paper: PaperRun
    run: SessionRun
    differences: list[Difference]


def repeat_paper(account_id: UUID, *, is_retrained: bool = False) -> Repetition:
    """Repeat everything that an account's sessions have done so far; call between two bars. Raises NotFound.

    Forecasts are those of the record, or with `is_retrained` those of models trained anew on the bars that paper's training saw, each in
    use from the bar from which paper used it. How training stood at a bar without a model follows the wall clock and is taken from the record.
    """
    paper = paper_run(account_id)
    source = None
    if is_retrained:
        moments = forecasts.recorded_moments(portfolio.account(account_id).venue_id)
        trained = forecasts.TrainedForecasts(paper.bars, lambda instrument_id, horizon_bars: moments.get((instrument_id, horizon_bars), []))
        source = InWordsOfRecord(trained, paper.forecasts)
    run = paper.repeat(source)
    return Repetition(paper, run, compare(paper.rows, rows_of(run)))
