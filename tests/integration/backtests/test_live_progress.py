"""Open pages hear of a running backtest through the websocket that they have anyway."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from apps.backtests import services
from apps.backtests.models import BacktestRun
from tests.integration.backtests.conftest import Market, open_market
from tests.integration.dashboard.test_live import a_session, answer, connected, opened

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


def execute(run_id: UUID) -> None:
    try:
        services.execute_run(run_id)
    finally:
        connection.close()


def asked(market: Market) -> UUID:
    return services.request_run(market.config(parameters={"seconds": 1.5}), "tester", is_queued=False)


async def test_a_page_hears_of_progress_until_the_run_is_over(cross_runner: None) -> None:
    market = await sync_to_async(open_market)()
    run_id = await sync_to_async(asked)(market)
    async with connected(await sync_to_async(a_session)()) as socket:
        assert await opened(socket)
        first = await answer(socket)
        assert [(item["id"], item["state"], item["done"]) for item in first["work"]] == [(str(run_id), "QUEUED", 0)]
        worker = threading.Thread(target=execute, args=(run_id,))
        worker.start()
        seen: list[int] = []
        while first["work"]:
            first = await answer(socket)
            seen += [item["done"] for item in first["work"]]
        worker.join()
    assert seen == sorted(seen) and len(set(seen)) >= 3
    assert (await BacktestRun.objects.aget(id=run_id)).state == "DONE"
