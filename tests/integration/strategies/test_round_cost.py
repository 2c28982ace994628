"""What a bar costs the database: sessions decide together, so that more of them do not mean many more round trips."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.forecasts.models import Forecast
from apps.strategies.models import Decision
from tests.world import World

pytestmark = pytest.mark.django_db


def test_seven_sessions_decide_a_quiet_bar_in_a_few_reads_and_writes() -> None:
    world = World(train=True)
    world.step(2)
    for _ in range(20):
        world.play()
        world.executor.work()
        before = Decision.objects.count()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            world.sessions.work()
        made = list(Decision.objects.order_by("-id")[:7].values_list("outcome", "forecast_id"))
        assert Decision.objects.count() == before + 7
        world.settle()
        if "TRADE" not in dict(made) and "REFUSED_BY_RISK" not in dict(made):
            break
    assert len(queries) <= 30, [query["sql"][:80] for query in queries.captured_queries]
    as_of = Decision.objects.order_by("-id")[0].bar_at
    assert Forecast.objects.filter(as_of=as_of).count() == 12, "each instrument and horizon once, though two sessions trade one of them"
