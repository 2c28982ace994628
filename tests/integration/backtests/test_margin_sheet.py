"""The margin calls of a stored run: in its records and on its tear sheet, the same as those of its equity and fills."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from django.test import Client

from apps.access.models import User
from apps.backtests import services
from apps.backtests.contracts import RunMode
from apps.backtests.domain.config import Profile, ScoreMode
from apps.backtests.models import BacktestRun
from apps.backtests.selectors.records import records_of
from apps.orders.domain import engine_codes as code
from tests.integration.backtests.conftest import open_market

pytestmark = pytest.mark.django_db


def test_a_run_on_margin_tells_its_calls(client: Client) -> None:
    """At a leverage of 1.9 the level lies between 52.6316 % and 50 % of what is held; the average keeps what it bought to the end."""
    config = msgspec.structs.replace(
        open_market(seed=20).config(
            strategy="ema_cross", mode=RunMode.VECTOR, leverage=Decimal("1.9"), profile=Profile.IDEAL, score=ScoreMode.PLAIN
        ),
        parameters={"fast_bars": 3, "slow_bars": 8, "exits_on_cross": False, "quantity": 1850.0},
    )
    run_id = services.request_run(config, "ada", is_queued=False)
    assert services.execute_run(run_id)
    records, margin = records_of(run_id), BacktestRun.objects.get(id=run_id).tear_sheet["margin"]
    assert (margin["call_percent"], margin["count"]) == (51.3158, len(records.margin_calls))
    assert [call["is_flat"] for call in margin["calls"]] == [False, True, False, False, True, True]
    closed = [
        row[code.F_AT] for row in records.fills.tolist() if row[code.F_REASON] in (code.Reason.LIQUIDATED, code.Reason.LIQUIDATED_AT_OPEN)
    ]
    assert {call.cleared_at for call in records.margin_calls if call.is_flat} <= set(closed)
    for call in records.margin_calls:
        place = int((records.equity_at == call.called_at).argmax())
        assert records.equity[place] == call.equity
        assert call.equity * 1_000_000 < call.exposure * 513_158
    client.force_login(User.objects.create_user("a-viewer", role="viewer"))
    page = client.get(f"/backtests/{run_id}/").content.decode()
    assert f'data-margin-calls="{margin["count"]}"' in page
    assert page.count("nothing held any more") == sum(call["is_flat"] for call in margin["calls"])
