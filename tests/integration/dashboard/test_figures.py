"""The portfolio page shows every figure that can be told, with the raw value beside what is written."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.access.models import User
from apps.dashboard.domain.formatting import DASH
from apps.portfolio import selectors
from tests.world import World

SHOWN = re.compile(r'<dt title="([^"]+)">([^<]+)</dt><dd><span data-field="figures\.([a-z_0-9]+)" data-value="([^"]*)">([^<]+)</span>')


def test_the_portfolio_page_shows_the_figures_of_the_account(db: None, client: Client) -> None:
    world = World()
    world.step(24)
    client.force_login(User.objects.create_user("a-viewer", role="viewer"))
    page = client.get("/portfolio/").content.decode()
    account = selectors.open_accounts(world.venue_id)[0]
    figures = selectors.figures(account.id)
    told = [figure for figure in figures if figure.value is not None]
    shown = SHOWN.findall(page)
    assert [key for _, _, key, _, _ in shown] == [figure.definition.key for figure in told]
    for (_, title, _, raw, text), figure in zip(shown, told, strict=True):
        assert title == figure.definition.title
        assert float(raw) == figure.value
        assert text != DASH
    assert f"{len(figures) - len(told)} more figures cannot be told yet" in page
    assert {"sharpe", "volatility", "index_return"} <= {figure.definition.key for figure in told}


@pytest.mark.django_db
def test_without_an_account_there_are_no_figures(client: Client) -> None:
    client.force_login(User.objects.create_user("a-viewer", role="viewer"))
    assert "figures." not in client.get("/portfolio/").content.decode()
