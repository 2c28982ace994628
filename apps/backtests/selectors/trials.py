"""The trial ledger, and what it says of a Sharpe ratio: how much of it search and luck explain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.backtests.contracts import SharpeJudgement, TrialView
from apps.backtests.domain.overfitting import SharpeStatistics, minimum_track_record, probabilistic_sharpe
from apps.backtests.domain.states import RunState
from apps.backtests.domain.trials import SEARCHES, Family, FamilyTrials, RunPurpose, Trial, counts_as_trial, summarise_families
from apps.backtests.models import BacktestRun, Sweep, TrialEntry, TrialFamily

_NAN = float("nan")


def trials(*, family: str | None = None, strategy: str | None = None, before: int | None = None, limit: int = 50) -> list[TrialView]:
    """Lines of the ledger, newest first, each Sharpe ratio judged by everything its family had tried up to now."""
    rows = TrialEntry.objects.select_related("family").order_by("-id")
    wanted = {"family_id": family, "family__strategy": strategy, "id__lt": before}
    shown = list(rows.filter(**{name: value for name, value in wanted.items() if value is not None})[:limit])
    families = families_of({row.family_id for row in shown})
    overfitting = _overfitting({row.sweep_id for row in shown if row.sweep_id})
    return [_view(row, families[row.family_id], overfitting) for row in shown]


def judgement_of_point(sweep_id: UUID, number: int) -> SharpeJudgement | None:
    """The judgement of one point of a sweep; None where the ledger has no result of it."""
    rows = TrialEntry.objects.select_related("family").filter(sweep_id=sweep_id, point=number).order_by("-id")
    line = rows.first()
    if line is None:
        return None
    return _view(line, families_of([line.family_id])[line.family_id], _overfitting({sweep_id})).judgement


def strategies_tried() -> list[str]:
    """The strategies of all lines that there are, by name."""
    return list(TrialFamily.objects.order_by("strategy").values_list("strategy", flat=True).distinct())


def families_of(keys: Iterable[str]) -> dict[str, FamilyTrials]:
    """What each family of the ledger has tried; lines without a result are not among its trials."""
    rows = TrialEntry.objects.filter(family_id__in=list(keys)).order_by("id")
    found = rows.values_list("family_id", "fingerprint", "sharpe", "observations", "purpose", "state")
    grouped: dict[str, list[Trial]] = {}
    for key, fingerprint, sharpe, observations, purpose, state in found:
        entered = grouped.setdefault(key, [])
        if counts_as_trial(RunPurpose(purpose), has_result=state == RunState.DONE):
            entered.append(Trial(Family(key, "", ""), fingerprint, _NAN if sharpe is None else sharpe, observations))
    return {key: _family(key, entered) for key, entered in grouped.items()}


def judgement_of_run(run: BacktestRun) -> SharpeJudgement | None:
    """The judgement of a run that is done; None before, and for a run that was no search."""
    return judgements_of_runs([run]).get(run.id)


def judgements_of_runs(rows: Sequence[BacktestRun]) -> dict[UUID, SharpeJudgement]:
    """The judgement of each run that has one, by run."""
    kept = {row.id: row.metrics.get("sharpe") for row in rows if row.state == RunState.DONE and RunPurpose(row.purpose) in SEARCHES}
    judged = [row for row in rows if kept.get(row.id) is not None]
    families = families_of({row.family for row in judged})
    overfitting = _overfitting({row.sweep_id for row in judged if row.sweep_id})
    return {
        row.id: judge(SharpeStatistics(**kept[row.id]), families.get(row.family), overfitting.get(row.sweep_id) if row.sweep_id else None)
        for row in judged
    }


def judge(statistics: SharpeStatistics, family: FamilyTrials | None, overfitting: float | None) -> SharpeJudgement:
    """What stands beside a Sharpe ratio."""
    return SharpeJudgement(
        trials=family.trials if family else 0,
        sharpe_per_return=_finite(statistics.sharpe),
        probabilistic=_finite(probabilistic_sharpe(statistics)) if statistics.observations > 1 else None,
        deflated=_finite(family.deflate(statistics)) if family and family.trials and statistics.observations > 1 else None,
        overfitting=overfitting,
        track_record=_finite(minimum_track_record(statistics)),
        observations=statistics.observations,
    )


def _family(key: str, entered: list[Trial]) -> FamilyTrials:
    found = summarise_families(entered)
    return found[0] if found else FamilyTrials(Family(key, "", ""), 0, 0, 1.0, 0.0, _NAN)


def _overfitting(sweep_ids: set[UUID]) -> dict[UUID, float | None]:
    rows = Sweep.objects.filter(id__in=sweep_ids).values_list("id", "overfitting")
    return {sweep_id: found.get("probability") if found else None for sweep_id, found in rows}


def _view(row: TrialEntry, family: FamilyTrials, overfitting: dict[UUID, float | None]) -> TrialView:
    judgement = None
    if row.sharpe is not None and row.skewness is not None and row.kurtosis is not None:
        statistics = SharpeStatistics(row.sharpe, row.skewness, row.kurtosis, row.observations)
        judgement = judge(statistics, family, overfitting.get(row.sweep_id) if row.sweep_id else None)
    return TrialView(
        position=row.id,
        number=row.number,
        family=row.family_id,
        strategy=row.family.strategy,
        symbols=row.family.symbols,
        timeframe=row.family.timeframe,
        purpose=row.purpose,
        state=RunState(row.state),
        run_id=row.run_id,
        sweep_id=row.sweep_id,
        fingerprint=row.fingerprint,
        judgement=judgement,
        actor=row.actor,
        recorded_at=row.recorded_at,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
