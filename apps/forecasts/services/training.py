"""Running a training: every instrument and horizon of a claimed run, one stored unit after the other.

A worker killed in between leaves stored units behind; the next one skips them, so nothing is made twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError

from apps.common.failpoints import failpoint
from apps.core.clock import Clock, WallClock
from apps.core.errors import InvalidInput, OwnershipLost
from apps.core.values import InstrumentSpec
from apps.forecasts.contracts import HORIZONS, TrainingStatus
from apps.forecasts.domain.bars import bar_problem
from apps.forecasts.domain.dataset import Dataset, build_datasets
from apps.forecasts.domain.features import WARMUP_BARS
from apps.forecasts.services.claims import Claim, claim_run, end_run, show_progress
from apps.forecasts.services.fitting import Contest, fit_all
from apps.forecasts.services.registry import is_stored, store_contest
from apps.markets import selectors as markets
from apps.markets.contracts import ClockStatus

log = structlog.get_logger(__name__)

TRAINING_BARS = 3_300
"""Newest bars a model is trained on: 13 years of daily bars."""
_WALL = WallClock()


@dataclass
class _Tally:
    """What a run has done so far."""

    total: int
    done: int = 0
    made: int = 0
    problems: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        text = f"{self.made} of {self.total} models are in place."
        return text + (" " + " ".join(self.problems) if self.problems else "")


def run_training(run_id: UUID, *, clock: Clock = _WALL) -> bool:
    """Claim the run and train it to its end; False if it was not to be had (over, running elsewhere, waiting for another).

    A lost database connection is raised; the sweeper hands the run to another worker.
    """
    claim = claim_run(run_id, now=clock.now())
    if claim is None:
        return False
    try:
        if markets.venue(claim.venue_id).status == ClockStatus.ARCHIVED:
            end_run(claim, status=TrainingStatus.CANCELLED, models=0, message="The venue was archived.", now=clock.now())
            return True
        tally = _train(claim, clock)
        status = TrainingStatus.SUCCEEDED if tally.made else TrainingStatus.FAILED
        end_run(claim, status=status, models=tally.made, message=tally.sentence(), now=clock.now())
    except OwnershipLost as error:
        log.warning("training_taken_over", run_id=str(run_id), error=str(error))
        return False
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:
        log.exception("training_failed", run_id=str(run_id))
        end_run(claim, status=TrainingStatus.FAILED, models=0, message=f"{type(error).__name__}: {error}", now=clock.now())
    return True


def _train(claim: Claim, clock: Clock) -> _Tally:
    tally = _Tally(total=len(claim.instrument_ids) * len(HORIZONS))
    for instrument_id in claim.instrument_ids:
        instrument = markets.instrument_spec(instrument_id)
        pending = tuple(horizon for horizon in HORIZONS if not is_stored(claim.run_id, instrument_id, horizon))
        tally.done += len(HORIZONS) - len(pending)
        tally.made += len(HORIZONS) - len(pending)
        for horizon, dataset in _datasets(claim, instrument, pending, tally).items():
            show_progress(claim, done=tally.done, total=tally.total, message=f"{instrument.symbol}, {horizon} bars ahead", now=clock.now())
            contest = _contest(instrument, dataset, tally)
            if contest is not None:
                store_contest(claim, instrument=instrument, dataset=dataset, contest=contest)
                failpoint("forecasts.models_stored")
                tally.made += 1
            tally.done += 1
    show_progress(claim, done=tally.done, total=tally.total, message=tally.sentence(), now=clock.now())
    return tally


def _datasets(claim: Claim, instrument: InstrumentSpec, horizons: tuple[int, ...], tally: _Tally) -> dict[int, Dataset]:
    """The datasets still to be trained on; none, with the problem noted, if the bars cannot be used."""
    if not horizons:
        return {}
    window = markets.bar_window(instrument, claim.timeframe, until=claim.trained_through, count=TRAINING_BARS + WARMUP_BARS)
    problem = bar_problem(window) or ("" if len(window) else "There are no bars yet.")
    if problem:
        tally.problems.append(f"{instrument.symbol}: {problem}")
        tally.done += len(horizons)
        return {}
    return build_datasets(window, horizons)


def _contest(instrument: InstrumentSpec, dataset: Dataset, tally: _Tally) -> Contest | None:
    """Fit all learners; a failure costs this unit only and is told in the run's message."""
    try:
        return fit_all(dataset)
    except InvalidInput as error:
        tally.problems.append(f"{instrument.symbol}, {dataset.horizon_bars} bars ahead: {error.message}")
    except Exception as error:
        log.exception("training_unit_failed", symbol=instrument.symbol, horizon_bars=dataset.horizon_bars)
        tally.problems.append(f"{instrument.symbol}, {dataset.horizon_bars} bars ahead: {type(error).__name__}: {error}.")
    return None
