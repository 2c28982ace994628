"""A result of freqtrade's, uploaded on the page of a run: shown there beside it, or refused in a sentence."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.backtests import selectors
from apps.backtests.services import comparing
from tests.integration.backtests.conftest import Market
from tests.integration.dashboard.test_backtest_pages import config_of, log_in, made, market

__all__ = ["market"]

DAY_MS = 86_400_000


def their_file(name: str = "backtest-result.json") -> SimpleUploadedFile:
    trade = {
        "pair": "TEST", "amount": 1.0, "open_rate": 100.0, "close_rate": 110.0, "open_timestamp": DAY_MS, "close_timestamp": 3 * DAY_MS,
        "profit_abs": 10.0, "exit_reason": "roi", "is_short": False,
    }  # fmt: skip
    content = {"trades": [trade], "starting_balance": 1000.0, "stake_currency": "USD", "timeframe": "1d", "sharpe": 1.5}
    return SimpleUploadedFile(name, json.dumps({"strategy": {"Cross": content}}).encode(), "application/json")


def test_the_page_shows_both_sides(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    log_in(client, "trader")
    address = f"/backtests/{run_id}/"
    assert 'type="file"' in client.get(address).content.decode()
    answer = client.post(f"{address}beside/", {"result": their_file()}, follow=True)
    text = answer.content.decode()
    assert answer.redirect_chain == [(address, 302)]
    assert "Cross, on all bars" in text and "are only ours, 1 only theirs" in text and "1970-01-02 00:00" in text
    assert "1.50" in text, "the Sharpe ratio that they state"
    assert selectors.tear_sheet(run_id)["comparison"]["counts"]["only_theirs"] == 1


def test_a_viewer_sees_the_comparison_and_uploads_nothing(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    log_in(client, "viewer")
    assert 'type="file"' not in client.get(f"/backtests/{run_id}/").content.decode()
    assert client.post(f"/backtests/{run_id}/beside/", {"result": their_file()}).status_code == 403
    assert "comparison" not in selectors.tear_sheet(run_id)


def test_what_is_no_result_is_refused_in_a_sentence(market: Market, client: Client) -> None:
    run_id = made(config_of(market))
    log_in(client, "trader")
    for fields, sentence in (
        ({}, "Choose a result"),
        ({"result": SimpleUploadedFile("notes.txt", b"hello")}, "notes.txt is no JSON"),
        ({"result": their_file(), "strategy": "Nobody"}, "no strategy &#x27;Nobody&#x27;"),
    ):
        text = client.post(
            f"/backtests/{run_id}/beside/", fields, follow=True, headers={"referer": f"/backtests/{run_id}/"}
        ).content.decode()
        assert sentence in text
    assert "comparison" not in selectors.tear_sheet(run_id)


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(market: Market, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "LARGEST_UPLOAD", 1000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("backtest-result.json", " " * 100_000)
    run_id = made(config_of(market))
    log_in(client, "trader")
    upload = SimpleUploadedFile("result.zip", packed.getvalue())
    text = client.post(f"/backtests/{run_id}/beside/", {"result": upload}, follow=True).content.decode()
    assert "result.zip has 100,000 bytes, more than 1,000" in text
