"""A strategy as arrays, as events, and in paper in either form: the same fills to the unit."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.db.models import Count

from apps.backtests.services.repeating import repeat_paper
from apps.orders.models import Fill
from tests.minute_series import minutes_of_file, walk
from tests.minutes import CAPITAL, MinuteWorld, Traded, paper_fills, run_fills
from tests.outside import case_path
from tests.plain_forms import event_run, vector_run

pytestmark = pytest.mark.django_db

BARS = 150
CROSS = {
    "fast_bars": 3,
    "slow_bars": 8,
    "quantity": 4.0,
    "stop_loss_percent": 0.1,
    "take_profit_percent": 0.5,
    "trailing_stop_percent": 0.4,
}
BITCOIN = {**CROSS, "quantity": 8.0, "stop_loss_percent": 0.08, "take_profit_percent": 0.1, "trailing_stop_percent": 0.12}


def check_forms(world: MinuteWorld, parameters: Mapping[str, object]) -> list[Traded]:
    """Paper, the two plain runs, and the run of sessions in memory: the fills that all of them have."""
    paper = paper_fills(world.account_id, world.instrument)
    for run in (event_run, vector_run):
        plain = run("ema_cross", parameters, world.account_id, world.window(), cash=CAPITAL)
        assert paper == run_fills(plain.fills, world.instrument)
    repeated = repeat_paper(world.account_id)
    assert repeated.differences == []
    assert run_fills(repeated.run.engine.fill_rows(), world.instrument) == paper
    return paper


@pytest.mark.parametrize("kind", ["ema_cross", "vector:ema_cross"])
def test_arrays_events_and_paper_fill_alike_on_a_random_walk(kind: str) -> None:
    world = MinuteWorld(walk(BARS, seed=20260102))
    world.open_session(kind, **CROSS)
    world.step(BARS - 1)
    reasons = [fill.reason for fill in check_forms(world, CROSS)]
    assert {"MARKET_AT_OPEN", "STOP_TRIGGERED", "TRAIL_TRIGGERED", "LIMIT_CROSSED"} <= set(reasons)
    assert len(reasons) > 20
    assert orders_in_parts(world) > 2


def test_arrays_events_and_paper_fill_alike_on_minutes_of_bitcoin() -> None:
    path = case_path("bars", "btc-perp-1m-20211231-20220201.csv.gz")
    world = MinuteWorld(minutes_of_file(path, first=9_000, bars=BARS))
    world.open_session("ema_cross", **BITCOIN)
    world.step(BARS - 1)
    assert len(check_forms(world, BITCOIN)) > 10
    assert orders_in_parts(world) > 0


def orders_in_parts(world: MinuteWorld) -> int:
    """Orders that more than one fill was needed for."""
    fills = Fill.objects.filter(account_id=world.account_id).values("order").annotate(parts=Count("id"))
    return fills.filter(parts__gt=1).count()
