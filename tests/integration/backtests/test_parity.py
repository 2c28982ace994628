"""One decision, three clocks: what paper trading did, bar by bar through PostgreSQL, the backtester does again from the stored bars."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.backtests.domain.session_forecasts import NoForecasts
from apps.backtests.domain.session_parity import DifferenceKind, compare, rows_of
from apps.backtests.selectors.paper_runs import PaperRun, paper_run
from apps.orders.models import Fill
from apps.portfolio import selectors as portfolio
from apps.strategies.models import Decision, Strategy, TradingSession
from tests.world import World

pytestmark = pytest.mark.django_db

CRISIS = datetime(2007, 6, 1, tzinfo=UTC)


def played(world: World, bars: int) -> PaperRun:
    world.step(bars)
    account_id = portfolio.default_account_id()
    assert account_id is not None
    return paper_run(account_id)


def test_every_decision_fill_and_equity_of_paper_is_repeated_to_the_unit() -> None:
    paper = played(World(starts_at=CRISIS, train=True), 250)
    assert len(paper.rows.decisions) == Decision.objects.count() == 250 * 7
    assert len(paper.rows.fills) == Fill.objects.count() > 10
    assert len(paper.rows.equity) == 251
    repeated = rows_of(paper.repeat())
    assert compare(paper.rows, repeated) == []
    assert repeated.decisions == paper.rows.decisions
    assert sorted(repeated.fills, key=repr) == sorted(paper.rows.fills, key=repr)
    assert repeated.equity == paper.rows.equity
    assert repeated.cash == paper.rows.cash
