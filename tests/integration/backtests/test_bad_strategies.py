"""Strategies that do what they should not, through the real runners: the run fails with a sentence and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from apps.backtests import selectors, services
from apps.backtests.contracts import RunMode, RunState
from apps.backtests.models import RecordPart
from apps.strategies.domain import event_strategy as events
from apps.strategies.domain import vector_strategy as vectors
from tests.integration.backtests.conftest import open_market

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Nothing:
    """No parameters."""


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    kept = dict(events._registry), dict(vectors._registry)
    yield
    events._registry.clear()
    events._registry.update(kept[0])
    vectors._registry.clear()
    vectors._registry.update(kept[1])


def event(kind: str, on_bar: Callable[[events.EventStrategy, events.BarEvent], None]) -> str:
    @events.event_strategy(kind, title=kind)
    class Made(events.EventStrategy):
        Parameters = Nothing

        def on_bar(self, bar: events.BarEvent) -> None:
            on_bar(self, bar)

    return kind


def vector(kind: str, signals: Callable[[vectors.VectorBars, npt.NDArray[np.int8]], vectors.Signals]) -> str:
    @vectors.vector_strategy(kind, title=kind)
    class Made(vectors.VectorStrategy):
        Parameters = Nothing

        def signals(self, bars: vectors.VectorBars, *, bits: npt.NDArray[np.int8]) -> vectors.Signals:
            return signals(bars, bits)

    return kind


def order_for_ever(strategy: events.EventStrategy, bar: events.BarEvent) -> None:
    while True:
        strategy.buy(1)


def divide(strategy: events.EventStrategy, bar: events.BarEvent) -> None:
    strategy.buy(1 // (bar.index - 7))


@pytest.mark.parametrize(
    ("mode", "build", "told"),
    [
        (RunMode.EVENT, lambda: event("orders_for_ever", order_for_ever), "endless loop of orders"),
        (RunMode.EVENT, lambda: event("divides", divide), "ZeroDivisionError"),
        (RunMode.VECTOR, lambda: vector("short", lambda bars, bits: vectors.Signals(bits[:-1], np.array([1], np.int64))), "bits"),
        (RunMode.VECTOR, lambda: vector("nothing", lambda bars, bits: bits.missing), "AttributeError"),
    ],
)
def test_a_bad_strategy_fails_its_run_and_leaves_nothing(mode: RunMode, build: Callable[[], str], told: str) -> None:
    run_id = services.request_run(open_market(bars=60).config(strategy=build(), mode=mode, parameters={}), "tester", is_queued=False)
    services.execute_run(run_id)
    run = selectors.run(run_id)
    assert run.summary.state is RunState.FAILED
    assert told in f"{run.error} {run.error_where} {run.error_hint}"
    assert not RecordPart.objects.exists() and not run.metrics and not run.fills_hash
    assert [line.state for line in selectors.trials()] == [RunState.FAILED]
