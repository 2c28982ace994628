"""Real Celery workers: one dies in the middle of a run, another makes it again with the same fills; a sweep is spread over two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.backtests import selectors, services
from apps.backtests.contracts import RunState, SweepMethod
from apps.backtests.domain.robustness import Reruns, Robustness
from apps.backtests.domain.stress_text import scenarios_of_lines
from apps.backtests.models import BacktestRun, RecordPart, SweepChunk, SweepTrial, TrialEntry
from apps.backtests.services import queue
from apps.backtests.services.claims import LEASE
from apps.common.failpoints import EXIT_CODE
from tests.integration.backtests.conftest import BARS, Market
from tests.workers import StartWorker, compute_workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartWorker]:
    with compute_workers(monkeypatch, queue, app="tests.integration.backtests.worker_app") as start:
        yield start


def test_a_killed_worker_is_replaced_and_the_fills_are_the_same(market: Market, start_worker: StartWorker) -> None:
    expected_id = services.request_run(market.config(), "tester", is_queued=False)
    services.execute_run(expected_id)
    run_id = services.request_run(market.config(), "tester")
    doomed = start_worker("backtests.records_stored")
    assert doomed.wait(timeout=90) == EXIT_CODE
    run = BacktestRun.objects.get(id=run_id)
    assert run.state == RunState.RUNNING and run.attempt == 1
    assert not RecordPart.objects.filter(run_id=run_id).exists() and TrialEntry.objects.count() == 1

    start_worker("")
    assert services.sweep_runs(now=datetime.now(UTC)) == 0
    BacktestRun.objects.filter(id=run_id).update(lease_until=datetime.now(UTC) - LEASE)
    assert services.sweep_runs(now=datetime.now(UTC)) == 1
    wait_until(lambda: BacktestRun.objects.get(id=run_id).state == RunState.DONE)
    found = selectors.run(run_id)
    assert (found.attempt, found.fills_hash) == (2, selectors.run(expected_id).fills_hash)
    assert TrialEntry.objects.count() == 2


def test_a_worker_killed_among_re_runs_doubles_nothing(market: Market, start_worker: StartWorker) -> None:
    asked = Robustness(scenarios=scenarios_of_lines("-20% in 3 days"), reruns=Reruns(count=6))
    expected_id = services.request_run(market.config(robustness=asked), "tester", is_queued=False)
    services.execute_run(expected_id)
    expected = selectors.tear_sheet(expected_id)
    run_id = services.request_run(market.config(parameters={"seconds": 0.2}, robustness=asked), "tester")
    doomed = start_worker("")
    wait_until(lambda: BacktestRun.objects.get(id=run_id).progress_done > 6 * BARS)
    doomed.kill()
    doomed.wait()
    run = BacktestRun.objects.get(id=run_id)
    assert (run.state, run.tear_sheet) == (RunState.RUNNING, {}) and run.message.startswith("Running again with random")
    assert not RecordPart.objects.filter(run_id=run_id).exists() and TrialEntry.objects.count() == 1

    start_worker("")
    BacktestRun.objects.filter(id=run_id).update(lease_until=datetime.now(UTC) - LEASE)
    assert services.sweep_runs(now=datetime.now(UTC)) == 1
    wait_until(lambda: BacktestRun.objects.get(id=run_id).state == RunState.DONE)
    sheet = selectors.tear_sheet(run_id)
    assert (selectors.run(run_id).attempt, TrialEntry.objects.count()) == (2, 2)
    assert sheet["reruns"] == expected["reruns"] and sheet["stress"] == expected["stress"]
    assert [len(report["draws"]) for report in sheet["reruns"]] == [6, 6]


def test_a_sweep_is_spread_over_workers_and_outlives_one_of_them(
    market: Market, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.backtests.services.sweeps._CHUNKS", 6)
    space = {"fast": [2, 3, 5], "slow": [8, 13, 21, 34]}
    sweep_id = services.request_sweep(market.config(parameters={"seconds": 0.2}), space, "tester", method=SweepMethod.GRID)
    doomed = start_worker("backtests.points_stored:2")
    start_worker("")
    assert doomed.wait(timeout=90) == EXIT_CODE
    wait_until(lambda: not SweepChunk.objects.filter(state=RunState.QUEUED).exists())
    wait_until(lambda: SweepChunk.objects.filter(state=RunState.RUNNING).count() == 1)
    SweepChunk.objects.filter(state=RunState.RUNNING).update(lease_until=datetime.now(UTC) - LEASE)
    assert services.sweep_chunks(now=datetime.now(UTC)) == 1
    wait_until(lambda: selectors.sweep(sweep_id).state is RunState.DONE)
    assert sorted(SweepTrial.objects.values_list("number", flat=True)) == list(range(12))
    assert TrialEntry.objects.count() == 12
    assert SweepChunk.objects.filter(attempt=2).count() == 1
