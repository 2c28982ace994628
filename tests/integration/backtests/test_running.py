"""A run from its request to its stored records: once, all or nothing, the same each time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connection

from apps.backtests import selectors, services
from apps.backtests.contracts import RecordKind, RunConfig, RunState, ScoreMode
from apps.backtests.domain.config import Costs, Profile, Sizing, SizingMethod, WalkForward
from apps.backtests.models import BacktestRun, RecordPart, TrialEntry
from apps.backtests.services import warming
from apps.backtests.services.claims import LARGEST_ATTEMPT, LEASE, claim
from apps.backtests.services.ending import end_without_result
from apps.core.errors import Conflict, InvalidInput, NotFound, OutOfBounds, OwnershipLost
from apps.core.vocabulary import Timeframe
from apps.events.models import LoggedEvent
from apps.markets.models import VenueClock
from tests.integration.backtests.conftest import BARS, Market

pytestmark = pytest.mark.django_db(transaction=True)


def made(config: RunConfig) -> UUID:
    run_id = services.request_run(config, "tester", is_queued=False)
    assert services.execute_run(run_id)
    return run_id


def test_a_run_stores_its_records_figures_and_ledger_line(market: Market) -> None:
    run_id = made(market.config())
    found = selectors.run(run_id)
    assert (found.summary.state, found.error, found.bars, found.attempt) == (RunState.DONE, "", BARS, 1)
    assert found.record_rows["fills"] == 2 * found.record_rows["trades"] + found.record_rows["fills"] % 2 > 10
    assert found.record_rows["equity"] == BARS
    assert len(found.fills_hash) == len(found.data_hash) == 64
    assert found.summary.trades is not None and found.metrics["score"] == "walk-forward"
    assert found.metrics["walk_forward"]["windows"][0]["number"] == 1
    assert found.judgement is not None and found.judgement.trials == 1
    assert selectors.tear_sheet(run_id)["equity"]
    (line,) = selectors.trials()
    assert (line.number, line.state, line.run_id, line.actor) == (1, RunState.DONE, run_id, "tester")
    events = list(LoggedEvent.objects.filter(event_type__startswith="backtests.").order_by("id").values_list("event_type", flat=True))
    assert events == ["backtests.run_requested", "backtests.run_finished"]


def test_trading_that_would_begin_behind_the_last_bar_is_refused(market: Market) -> None:
    with pytest.raises(InvalidInput, match="behind the last bar of TEST") as caught:
        services.request_run(market.config(trade_from=datetime(2090, 1, 1, tzinfo=UTC)), "tester")
    assert caught.value.where == "trade_from" and "2090-01-01 00:00 UTC" in caught.value.message


def test_who_waits_reads_that_the_engine_is_being_compiled(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = services.request_run(market.config(), "tester", is_queued=False)
    seen: list[str] = []

    def load(on_compiled: Callable[[int, int], None]) -> int:
        on_compiled(3, 40)
        seen.append(selectors.run(run_id).summary.progress.message)
        return 1

    monkeypatch.setattr(warming, "load_kernels", load)
    assert warming.load_engine_told() == 1
    assert seen == ["The engine is being compiled, 3 of 40 parts. This happens once on a new version."]
    assert selectors.run(run_id).summary.progress.message == ""


def test_stored_records_read_back_as_they_were(market: Market) -> None:
    run_id = made(market.config())
    records = selectors.records_of(run_id)
    run = selectors.run(run_id)
    assert records.fills_hash() == run.fills_hash
    assert records.opening_cash == 100_000 * 10**8
    fills = selectors.record_page(run_id, RecordKind.FILLS, limit=200)
    assert len(fills) == run.record_rows["fills"]
    assert selectors.record_page(run_id, RecordKind.FILLS, after=1, limit=2) == fills[2:4]
    assert fills[0]["side"] == "BUY" and fills[0]["quantity"] == Decimal(10) and fills[0]["reason"] == "MARKET_AT_OPEN"
    assert fills[0]["value"] == fills[0]["price"] * 10
    trades = selectors.record_page(run_id, RecordKind.TRADES, limit=200)
    cash = Decimal(100_000) + sum(trade["result"] for trade in trades)
    if run.record_rows["fills"] % 2 == 0:
        assert Decimal(str(run.metrics["final_equity"])) == cash
    curve = selectors.equity_rows(run_id, limit=50)
    assert len(curve) == 50 and curve[-1]["equity"] == Decimal(str(run.metrics["final_equity"]))


def test_the_same_inputs_give_the_same_fills(market: Market) -> None:
    first, again = (selectors.run(made(market.config())) for _ in range(2))
    other = selectors.run(made(market.config(parameters={"fast": 4})))
    assert first.fills_hash == again.fills_hash != other.fills_hash
    assert first.data_hash == again.data_hash == other.data_hash
    assert [line.number for line in selectors.trials()] == [3, 2, 1]
    judgement = selectors.run(again.summary.id).judgement
    assert judgement is not None and judgement.trials == 2


def test_a_plain_score_counts_all_bars(market: Market) -> None:
    found = selectors.run(made(market.config(score=ScoreMode.PLAIN)))
    assert found.metrics["walk_forward"] is None and found.metrics["figures"] == found.metrics["plain"]


def test_a_walk_forward_chooses_on_the_past_and_counts_what_it_tried(market: Market) -> None:
    plan = WalkForward(train_bars=120, test_bars=60, search={"fast": [2, 3], "slow": [8, 13]})
    found = selectors.run(made(market.config(walk_forward=plan)))
    report = found.metrics["walk_forward"]
    assert report["candidates"] == 4 and len(report["windows"]) == 5
    assert all(set(window["parameters"]) == {"fast", "slow"} for window in report["windows"])
    assert found.metrics["figures"]["trades"] > 0
    assert TrialEntry.objects.filter(purpose="WALK_FORWARD").count() == 3
    assert found.summary.trial_number == 4


def test_costs_and_profile_change_the_fills(market: Market) -> None:
    ideal = selectors.run(made(market.config(profile=Profile.IDEAL)))
    dear = selectors.run(made(market.config(profile=Profile.IDEAL, costs=Costs(fee_taker_ppm=1000))))
    assert Decimal(str(dear.metrics["final_equity"])) < Decimal(str(ideal.metrics["final_equity"]))


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"strategy": "nonsense"}, NotFound, "strategy"),
        ({"parameters": {"fast": 0}}, InvalidInput, "fast"),
        ({"parameters": {"quick": 1}}, InvalidInput, "quick"),
        ({"instrument_ids": (uuid4(),)}, NotFound, ""),
        ({"instrument_ids": ()}, InvalidInput, "instrument_ids"),
        ({"start": datetime(2001, 1, 1, tzinfo=UTC), "end": datetime(2000, 1, 1, tzinfo=UTC)}, InvalidInput, "start"),
        ({"start": datetime(2090, 1, 1, tzinfo=UTC)}, InvalidInput, "start"),
        ({"end": datetime(1980, 1, 1, tzinfo=UTC)}, InvalidInput, "start"),
        ({"timeframe": Timeframe.H1}, InvalidInput, "start"),
        ({"capital": Decimal(0)}, InvalidInput, "capital"),
        ({"capital": Decimal("NaN")}, InvalidInput, "capital"),
        ({"capital": Decimal(10) ** 14}, OutOfBounds, "capital"),
        ({"capital": Decimal("0.000000001")}, InvalidInput, ""),
        ({"currency": "EUR"}, InvalidInput, "currency"),
        ({"leverage": Decimal("0.5")}, InvalidInput, "leverage"),
        ({"sizing": Sizing(method=SizingMethod.FRACTION)}, InvalidInput, "sizing.amount"),
        ({"costs": Costs(fee_taker_ppm=-1)}, InvalidInput, "costs.fee_taker_ppm"),
        ({"walk_forward": WalkForward(search={"fast": [0]})}, InvalidInput, "fast"),
        ({"seed": -1}, InvalidInput, "seed"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_reason(
    market: Market, changes: dict[str, object], error: type[Exception], where: str
) -> None:
    with pytest.raises(error) as caught:
        services.request_run(market.config(**changes), "tester")
    refusal = caught.value
    assert str(refusal) and (not where or getattr(refusal, "where", "") == where)
    assert not BacktestRun.objects.exists()


def test_a_strategy_that_raises_fails_the_run_and_leaves_nothing(market: Market) -> None:
    found = selectors.run(made(market.config(parameters={"fails": True})))
    assert found.summary.state is RunState.FAILED
    assert found.error == "ZeroDivisionError: the strategy divided by zero"
    assert not RecordPart.objects.exists() and found.fills_hash == "" and found.metrics == {}
    (line,) = selectors.trials()
    assert line.state is RunState.FAILED and line.judgement is None


def test_a_strategy_that_never_returns_is_ended(market: Market) -> None:
    run_id = services.request_run(market.config(parameters={"hangs": True}), "tester", is_queued=False)
    assert services.execute_run(run_id, stall_seconds=0.6)
    found = selectors.run(run_id)
    assert found.summary.state is RunState.FAILED and "no progress" in found.error


def test_a_lost_error_of_storing_leaves_nothing_half_written(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **options: object) -> int:
        raise RuntimeError("The ledger is broken.")

    run_id = services.request_run(market.config(), "tester", is_queued=False)
    with monkeypatch.context() as patched:
        patched.setattr("apps.backtests.services.ending.enter_trials", fails)
        with pytest.raises(RuntimeError):
            services.execute_run(run_id)
    assert not RecordPart.objects.exists() and not TrialEntry.objects.exists()
    assert BacktestRun.objects.get(id=run_id).state == RunState.RUNNING


def test_a_task_delivered_twice_runs_once(market: Market) -> None:
    run_id = services.request_run(market.config(parameters={"seconds": 0.6}), "tester", is_queued=False)
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(execute(run_id))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, False, True]
    assert services.execute_run(run_id) is False
    assert TrialEntry.objects.count() == 1 and BacktestRun.objects.get(id=run_id).attempt == 1


def execute(run_id: UUID) -> bool:
    try:
        return services.execute_run(run_id)
    finally:
        connection.close()


def test_a_running_run_can_be_cancelled(market: Market) -> None:
    run_id = services.request_run(market.config(parameters={"seconds": 20.0}), "tester", is_queued=False)
    worker = threading.Thread(target=execute, args=(run_id,))
    worker.start()
    deadline = time.monotonic() + 10
    while BacktestRun.objects.get(id=run_id).progress_total == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert services.cancel_run(run_id=run_id, actor="tester") is RunState.RUNNING
    worker.join(timeout=10)
    found = selectors.run(run_id)
    assert found.summary.state is RunState.CANCELLED and not RecordPart.objects.exists()
    assert services.cancel_run(run_id=run_id, actor="tester") is RunState.CANCELLED
    assert [line.state for line in selectors.trials()] == [RunState.CANCELLED]


def test_a_waiting_run_is_cancelled_at_once_and_never_made(market: Market) -> None:
    run_id = services.request_run(market.config(), "tester", is_queued=False)
    assert services.cancel_run(run_id=run_id, actor="tester") is RunState.CANCELLED
    assert services.execute_run(run_id) is False


def test_bars_that_come_after_the_asking_are_not_traded_on(market: Market) -> None:
    clock = VenueClock.objects.get(venue=market.venue)
    asked_at = clock.now_at - timedelta(days=100)
    VenueClock.objects.filter(venue=market.venue).update(now_at=asked_at)
    run_id = services.request_run(market.config(), "tester", is_queued=False)
    VenueClock.objects.filter(venue=market.venue).update(now_at=clock.now_at)
    assert services.execute_run(run_id)
    found = selectors.run(run_id)
    assert found.bars == BARS - 100
    again = services.repeat_run(run_id=run_id, actor="tester")
    assert services.execute_run(again)
    assert selectors.run(again).fills_hash == found.fills_hash


def test_a_run_whose_worker_died_is_made_again_with_the_same_fills(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = selectors.run(made(market.config())).fills_hash
    run_id = services.request_run(market.config(), "tester", is_queued=False)
    now = datetime.now(UTC)
    dead = claim(BacktestRun, run_id, now=now - LEASE - timedelta(seconds=1))
    assert dead is not None
    sent: list[object] = []
    monkeypatch.setattr("apps.backtests.services.sweeper.send", lambda task, **ids: sent.append(ids))
    assert services.sweep_runs(now=now) == 1 and sent == [{"run_id": run_id}]
    assert services.execute_run(run_id)
    found = selectors.run(run_id)
    assert (found.summary.state, found.attempt, found.fills_hash) == (RunState.DONE, 2, expected)
    with pytest.raises(OwnershipLost):
        end_without_result(dead, RunState.CANCELLED, None, now=now)
    assert selectors.run(run_id).summary.state is RunState.DONE


def test_a_run_that_ends_its_workers_is_given_up(market: Market) -> None:
    run_id = services.request_run(market.config(), "tester", is_queued=False)
    now = datetime.now(UTC)
    for attempt in range(LARGEST_ATTEMPT):
        assert claim(BacktestRun, run_id, now=now + attempt * 2 * LEASE) is not None
    assert services.sweep_runs(now=now + 2 * LARGEST_ATTEMPT * LEASE) == 0
    found = selectors.run(run_id)
    assert found.summary.state is RunState.FAILED and found.error == "Given up: 4 workers ended while running it."


def test_only_what_is_over_can_be_deleted_and_its_ledger_line_stays(market: Market) -> None:
    waiting = services.request_run(market.config(), "tester", is_queued=False)
    with pytest.raises(Conflict):
        services.delete_run(run_id=waiting, actor="tester")
    run_id = made(market.config())
    services.delete_run(run_id=run_id, actor="tester")
    with pytest.raises(NotFound):
        selectors.run(run_id)
    assert not RecordPart.objects.exists()
    assert [line.run_id for line in selectors.trials()] == [run_id]
