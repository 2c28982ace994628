"""Sweeps: every point once, whoever makes it and however often he is killed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from apps.backtests import selectors, services
from apps.backtests.contracts import RunState, SweepMethod
from apps.backtests.models import Sweep, SweepChunk, SweepTrial, TrialEntry
from apps.backtests.services import sweeping
from apps.backtests.services.claims import LEASE, claim
from apps.backtests.services.sweeping import execute_chunk
from apps.common.failpoints import InjectedFault, arm_failpoints
from apps.core.errors import InvalidInput
from tests.integration.backtests.conftest import Market

pytestmark = pytest.mark.django_db(transaction=True)

SPACE = {"fast": [2, 3, 5], "slow": [8, 13, 21, 34]}


@pytest.fixture(autouse=True)
def fresh_bars() -> None:
    sweeping._bars.cache_clear()


def asked(market: Market, space: dict[str, Any] | None = None, **options: Any) -> UUID:
    return services.request_sweep(market.config(), space or SPACE, "tester", **{"method": SweepMethod.GRID, **options})


def make_all(sweep_id: UUID) -> None:
    for chunk_id in SweepChunk.objects.filter(sweep_id=sweep_id).order_by("number").values_list("id", flat=True):
        execute_chunk(chunk_id)


def test_a_grid_makes_every_point_and_judges_the_search(market: Market) -> None:
    sweep_id = asked(market)
    make_all(sweep_id)
    found = selectors.sweep(sweep_id)
    assert (found.state, found.progress.done, found.budget) == (RunState.DONE, 12, 12)
    points = selectors.sweep_trials(sweep_id)
    assert [point.number for point in points] == list(range(12))
    assert points[1].parameters == {"fast": 2, "slow": 13}
    assert found.best_score == max(point.score for point in points if point.score is not None)
    assert found.overfitting is not None and 0.0 <= found.overfitting <= 1.0
    assert TrialEntry.objects.filter(purpose="SWEEP", sweep_id=sweep_id).count() == 12
    table = selectors.heat_map(sweep_id, across="slow", down="fast")
    assert table["across"]["values"] == [8, 13, 21, 34] and len(table["cells"]) == 3
    assert table["cells"][0][1] == {"number": 1, "value": points[1].score}


def test_a_point_becomes_a_run_with_the_same_fills_and_the_search_beside_its_sharpe(market: Market) -> None:
    sweep_id = asked(market)
    make_all(sweep_id)
    point = selectors.sweep_trials(sweep_id, is_best_first=True, limit=1)[0]
    run_id = services.run_point(sweep_id=sweep_id, number=point.number, actor="tester")
    assert services.execute_run(run_id)
    run = selectors.run(run_id)
    assert run.fills_hash == point.fills_hash
    assert run.judgement is not None and run.judgement.trials == 12
    assert run.judgement.overfitting == selectors.sweep(sweep_id).overfitting
    assert run.judgement.deflated is not None and run.judgement.probabilistic is not None
    assert run.judgement.deflated < run.judgement.probabilistic


def test_a_killed_worker_leaves_its_points_and_the_next_makes_the_rest(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_STORE_POINTS", 1)
    monkeypatch.setattr("apps.backtests.services.sweeps._CHUNKS", 2)
    sweep_id = asked(market)
    first = SweepChunk.objects.filter(sweep_id=sweep_id).order_by("number")[0]
    held = claim(SweepChunk, first.id, now=datetime.now(UTC) - 2 * LEASE)
    assert held is not None
    arm_failpoints("backtests.points_stored:3=raise")
    SweepChunk.objects.filter(id=first.id).update(state=RunState.QUEUED)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(sweeping, "_end", lambda *args: (_ for _ in ()).throw(InjectedFault("killed")))
            with pytest.raises(InjectedFault):
                execute_chunk(first.id)
    finally:
        arm_failpoints("")
    kept = dict(SweepTrial.objects.values_list("number", "id"))
    assert sorted(kept) == [0, 1, 2]
    SweepChunk.objects.filter(id=first.id).update(lease_until=datetime.now(UTC) - LEASE)
    make_all(sweep_id)
    assert kept.items() <= dict(SweepTrial.objects.values_list("number", "id")).items()
    assert SweepTrial.objects.count() == TrialEntry.objects.count() == 12
    assert selectors.sweep(sweep_id).state is RunState.DONE and selectors.sweep(sweep_id).progress.done == 12


def test_a_random_search_draws_its_budget_and_optuna_goes_on_after_a_crash(market: Market) -> None:
    drawn = asked(market, method=SweepMethod.RANDOM, budget=5, seed=11)
    make_all(drawn)
    assert selectors.sweep(drawn).progress.done == 5
    whole = asked(market, method=SweepMethod.OPTUNA, budget=6, seed=3)
    make_all(whole)
    expected = [point.parameters for point in selectors.sweep_trials(whole)]
    assert len(expected) == 6
    broken = asked(market, method=SweepMethod.OPTUNA, budget=6, seed=3)
    rows = SweepTrial.objects.filter(sweep_id=whole, number__lt=3)
    SweepTrial.objects.bulk_create(
        SweepTrial(
            sweep_id=broken,
            number=row.number,
            state=row.state,
            parameters=row.parameters,
            score=row.score,
            metrics=row.metrics,
            returns=row.returns,
        )
        for row in rows
    )
    make_all(broken)
    assert [point.parameters for point in selectors.sweep_trials(broken)] == expected


def test_points_that_fail_are_kept_and_the_others_go_on(market: Market) -> None:
    sweep_id = asked(market, {"fails": [False, True], "fast": [2, 3]})
    make_all(sweep_id)
    states = [(point.state, point.error != "") for point in selectors.sweep_trials(sweep_id)]
    done, failed = (RunState.DONE, False), (RunState.FAILED, True)
    assert sorted(states) == sorted([done, done, failed, failed])
    assert selectors.sweep(sweep_id).state is RunState.DONE


def test_a_cancelled_sweep_makes_no_further_points(market: Market) -> None:
    sweep_id = asked(market)
    assert services.cancel_sweep(sweep_id=sweep_id, actor="tester") is RunState.CANCELLED
    make_all(sweep_id)
    assert not SweepTrial.objects.exists()
    services.delete_sweep(sweep_id=sweep_id)
    assert not Sweep.objects.exists()


def test_bars_that_change_in_between_end_the_sweep(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.backtests.services.sweeps._CHUNKS", 2)
    sweep_id = asked(market)
    first, second = SweepChunk.objects.filter(sweep_id=sweep_id).order_by("number").values_list("id", flat=True)
    execute_chunk(first)
    Sweep.objects.filter(id=sweep_id).update(data_hash="other")
    execute_chunk(second)
    found = selectors.sweep(sweep_id)
    assert found.state is RunState.FAILED and "bars have changed" in found.error


@pytest.mark.parametrize(
    ("space", "options"),
    [
        ({}, {}),
        ({"quick": [1]}, {}),
        ({"fast": [0]}, {}),
        ({"fast": []}, {}),
        ({"fast": {"minimum": 1, "maximum": 50}, "slow": {"minimum": 2, "maximum": 200}}, {"budget": 100}),
        (SPACE, {"objective": "luck"}),
        (SPACE, {"budget": 0}),
        (SPACE, {"budget": 10**9}),
    ],
)
def test_a_sweep_that_cannot_be_made_is_refused(market: Market, space: dict[str, Any], options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        services.request_sweep(market.config(), space, "tester", **{"method": SweepMethod.GRID, **options})
    assert not Sweep.objects.exists()
