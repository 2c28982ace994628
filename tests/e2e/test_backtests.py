"""A backtest from the form to the tear sheet, as a trader sees it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OPEN_PAGE, Site

pytestmark = pytest.mark.browser
INSTRUMENTS = ("NASDAQ", "AAPL", "MSFT")


def fill_form(page: Page) -> None:
    page.get_by_label("Strategy").select_option("momentum")
    expect(page.locator("h2").first).to_have_text("Momentum")
    for symbol in INSTRUMENTS:
        page.get_by_label(symbol, exact=True).check()


def test_a_trader_runs_a_backtest_watches_it_and_reads_the_tear_sheet(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom", path="/backtests/")
    page.get_by_role("link", name="Run the first one").click()
    fill_form(page)
    page.get_by_label("Fast bars", exact=True).fill("1")
    page.get_by_role("button", name="Run the backtest").click()
    expect(page.get_by_role("alert")).to_contain_text("It was not asked for")
    expect(page.locator(".has-error")).to_contain_text("fast_bars must be at least 2")
    expect(page.get_by_label("AAPL", exact=True)).to_be_checked()
    page.get_by_label("Fast bars", exact=True).fill("10")
    page.get_by_role("button", name="Run the backtest").click()
    expect(page.locator("[data-work-own]")).to_contain_text("It waits for a free worker.")
    expect(page.locator("[data-socket-state]")).to_have_text("live")
    site.tell("backtests")
    expect(page.locator("[data-work-text]")).to_contain_text(re.compile(r"[1-9]\d* of \d+ bars"), timeout=30_000)
    expect(page.locator("#headline")).to_be_visible(timeout=60_000)
    assert site.answer() == {"made": 1}
    for chart in ("equity-chart", "rolling-chart", "candles-chart", "histories-chart"):
        expect(page.locator(f"#{chart} canvas").first).to_be_visible()
    expect(page.locator("#candles-status")).to_contain_text("trades on")
    expect(page.locator("#histories-table")).to_contain_text("Deepest drawdown")
    tables = [page.request.get(f"{page.url}export/?table=equity&format={name}") for name in ("csv", "json")]
    assert all("attachment" in table.headers["content-disposition"] for table in tables)
    assert len(tables[0].text().splitlines()) - 1 == len(tables[1].json()) > 1_000


def test_the_same_again_gives_the_same_hash_and_both_are_compared(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom", path="/backtests/")
    page.locator("[data-run] a").first.click()
    fills_hash = page.locator('[data-field="run.fills_hash"]').get_attribute("data-value")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("[data-work-own]")).to_be_visible()
    assert site.ask("backtests") == {"made": 1}
    expect(page.locator("#headline")).to_be_visible(timeout=30_000)
    assert page.locator('[data-field="run.fills_hash"]').get_attribute("data-value") == fills_hash
    page.goto("/backtests/")
    for box in page.locator('[data-state="DONE"] input[name="ids"]').all():
        box.check()
    page.get_by_role("button", name="Compare the ticked ones").click()
    expect(page.locator("#compare-chart canvas").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("None: these are repetitions of the same run.")


def test_the_tear_sheet_fits_a_phone_and_paper(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/backtests/", width=360, height=740)
    page.locator("[data-run] a").first.click()
    expect(page.locator("#equity-chart canvas").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.locator(".tabbar")).to_be_hidden()
    expect(page.locator("#months")).to_be_visible()


SILENCE = """() => {
  const row = document.querySelector("[data-work-own]");
  const work = [{ id: row.dataset.work, kind: "run", title: "", state: "RUNNING", done: 5, total: 9, message: "Running" }];
  const say = () => document.dispatchEvent(new CustomEvent("live:message", { detail: { work } }));
  const now = Date.now();
  say();
  Date.now = () => now + 34900;
  say();
  return row.innerText;
}"""


def test_a_run_that_has_fallen_silent_says_so(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom", path="/backtests/")
    page.locator("[data-run] a").first.click()
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("[data-work-own]")).to_contain_text("waits until the engine is compiled")
    said = page.evaluate(SILENCE)
    assert "5 of 9 bars No progress for 34 s. If its worker has ended, another one begins again within two minutes." in said
    assert "engine is compiled" not in said
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("main")).to_contain_text("It was cancelled")
