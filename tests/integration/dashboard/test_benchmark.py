"""The line beside the equity: the first index, bought with the opening capital and held."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.access.models import User
from apps.markets import selectors as markets
from tests.world import World


@pytest.mark.django_db
def test_without_a_market_there_is_nothing_to_compare_with(client: Client) -> None:
    client.force_login(User.objects.create_user("a-viewer", role="viewer"))
    assert client.get("/equity-data/").json() == {"points": [], "benchmark": None}


def test_the_index_begins_with_the_capital_and_moves_as_its_closes_do(transactional_db: None, client: Client) -> None:
    world = World()
    opened_at = markets.venue(world.venue_id).now_at
    world.step(5)
    client.force_login(User.objects.create_user("a-viewer", role="viewer"))
    drawn = client.get("/equity-data/").json()["benchmark"]
    instrument = markets.instrument_by_symbol(world.venue_id, "SP500")
    window = markets.bar_window(instrument, markets.instrument_detail(instrument.id).timeframe, until=None, count=6)
    assert drawn["label"] == "SP500 bought and held"
    assert drawn["points"][0] == [int(opened_at.timestamp()), 100_000.0]
    first = int(window.close[0])
    expected = [
        [int(at) // 1_000_000, round(100_000 * int(close) / first, 2)] for at, close in zip(window.closed_at, window.close, strict=True)
    ]
    assert drawn["points"] == [[at, pytest.approx(value, abs=0.01)] for at, value in expected]
