"""Storing a contest's models: all of one instrument and horizon in one transaction, with exactly one champion."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from apps.core.values import InstrumentSpec
from apps.events.services import record_event
from apps.forecasts.contracts import ModelPromoted, ModelStatus
from apps.forecasts.domain.dataset import Dataset
from apps.forecasts.models import ForecastModel
from apps.forecasts.services.claims import Claim, hold_claim
from apps.forecasts.services.fitting import SEED, Candidate, Contest

_REASON_LENGTH = 300


def is_stored(run_id: UUID, instrument_id: UUID, horizon_bars: int) -> bool:
    """Whether the run has already made the models of this instrument and horizon (before its worker was lost)."""
    return ForecastModel.objects.filter(training_run_id=run_id, instrument_id=instrument_id, horizon_bars=horizon_bars).exists()


def store_contest(claim: Claim, *, instrument: InstrumentSpec, dataset: Dataset, contest: Contest) -> None:
    """Retire the models of before, store the new ones and crown the champion; nothing of it if the claim is lost."""
    with transaction.atomic():
        hold_claim(claim)
        same = ForecastModel.objects.filter(
            instrument_id=instrument.id, timeframe=claim.timeframe, horizon_bars=dataset.horizon_bars
        )  # fmt: skip
        same.exclude(status=ModelStatus.RETIRED).update(status=ModelStatus.RETIRED)
        for candidate in contest.candidates:
            row = _store(claim, instrument, dataset, contest, candidate)
            if row.status == ModelStatus.CHAMPION:
                _announce(row, instrument, candidate)


def _store(claim: Claim, instrument: InstrumentSpec, dataset: Dataset, contest: Contest, candidate: Candidate) -> ForecastModel:
    is_champion = candidate.learner == contest.champion
    return ForecastModel.objects.create(
        instrument_id=instrument.id,
        training_run_id=claim.run_id,
        timeframe=claim.timeframe,
        horizon_bars=dataset.horizon_bars,
        learner=candidate.learner,
        version=_next_version(instrument.id, dataset.horizon_bars, candidate.learner),
        status=ModelStatus.CHAMPION if is_champion else ModelStatus.CANDIDATE,
        status_reason=contest.reason[:_REASON_LENGTH],
        features=list(dataset.names),
        dataset_hash=dataset.content_hash(),
        seed=SEED,
        rows=len(dataset),
        trained_from=dataset.first_closed_at,
        trained_through=claim.trained_through,
        metrics=asdict(candidate.evaluation) | {"skill": candidate.evaluation.skill},
        calibration=candidate.calibration.to_dict(),
        importance=candidate.importance,
        parameters=candidate.parameters,
        artifact=candidate.artifact,
    )


def _next_version(instrument_id: UUID, horizon_bars: int, learner: str) -> int:
    versions = ForecastModel.objects.filter(instrument_id=instrument_id, horizon_bars=horizon_bars, learner=learner)
    return (versions.aggregate(newest=Max("version"))["newest"] or 0) + 1


def _announce(row: ForecastModel, instrument: InstrumentSpec, candidate: Candidate) -> None:
    record_event(
        ModelPromoted(
            model_id=row.id,
            instrument_id=instrument.id,
            symbol=instrument.symbol,
            horizon_bars=row.horizon_bars,
            learner=candidate.learner,
            model_version=row.version,
            reason=row.status_reason,
        ),
        occurred_at=row.trained_through,
        subject=str(instrument.id),
    )
