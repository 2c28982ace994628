"""The pages as one sees them: content, width, themes, keyboard, without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OPEN_PAGE, Site

pytestmark = pytest.mark.browser
PATHS = (
    "/",
    "/chart/SP500/",
    "/chart/AAPL/",
    "/decisions/",
    "/orders/",
    "/portfolio/",
    "/models/",
    "/events/",
    "/system/",
    "/replays/",
    "/halt/",
    "/backtests/",
    "/backtests/new/",
    "/backtests/sweeps/",
    "/backtests/sweeps/new/",
    "/backtests/trials/",
)


def is_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_the_overview_shows_the_account_as_it_is_stored(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic")
    account = site.ask("account")
    assert page.locator('[data-field="account.equity"]').get_attribute("data-value") == account["equity"]
    assert page.locator('[data-field="account.cash"]').get_attribute("data-value") == account["cash"]
    expect(page.locator(".mode-words")).to_have_text("PAPER · REPLAY")
    expect(page.locator("[data-session]")).to_have_count(7)
    assert page.locator('[data-fragment="positions"] tbody tr').count() == account["positions"]
    expect(page.locator("#equity-chart canvas").first).to_be_visible()


def test_a_viewer_sees_no_commands(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.locator("[data-transport]")).to_have_count(0)
    page.keyboard.press("h")
    expect(page.locator("#halt-dialog")).to_contain_text("Your role (viewer) may read")


def test_the_chart_draws_candles_fills_and_says_where_the_data_is_from(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom", path="/chart/SP500/")
    expect(page.locator("#market-chart canvas").first).to_be_visible()
    expect(page.locator("#chart-status")).to_contain_text(re.compile(r"\d+ bars to 2003-"))
    expect(page.locator("#chart-legend")).to_contain_text("O ")
    expect(page.get_by_role("link", name="TradingView Lightweight Charts")).to_have_attribute("href", "https://www.tradingview.com/")
    data = page.request.get("/chart-data/SP500/").json()
    assert len(data["bars"]) > 500
    assert [bar[0] for bar in data["bars"]] == sorted({bar[0] for bar in data["bars"]})
    assert data["forecasts"]
    newest = data["forecasts"][-1]
    assert newest["lower"] <= newest["expected"] <= newest["upper"]


def test_closes_only_are_a_line_and_labelled(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/chart/AAPL/")
    expect(page.locator(".page-head")).to_contain_text("closes only")
    expect(page.locator("#chart-legend")).not_to_contain_text("O ")


def test_one_switches_the_instrument(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/chart/SP500/")
    page.get_by_role("link", name="NASDAQ", exact=True).click()
    expect(page).to_have_url(f"{site.address}/chart/NASDAQ/")
    expect(page.locator("h1")).to_have_text("NASDAQ")


def test_a_filled_order_leads_back_to_the_bars(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/orders/?status=FILLED")
    page.get_by_role("link", name="Why").first.click()
    for anchor in ("fills", "order", "checks", "size", "signal", "forecast", "features", "bars"):
        expect(page.locator(f"#{anchor}")).to_be_visible()
    assert page.locator('[data-field="fill.price"]').count() >= 1
    assert page.locator("[data-check]").count() >= 10
    assert page.locator("#features [data-field]").count() >= 20
    page.locator('[data-field="forecast.model_label"]').click()
    expect(page).to_have_url(re.compile(r"/models/#model-"))


def test_a_decision_not_to_trade_says_why(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/decisions/?outcome=NO_SIGNAL")
    page.get_by_role("link", name="Why").first.click()
    expect(page.locator(".verdict-sentence")).to_contain_text("Stay out of")
    expect(page.locator("#order")).to_contain_text("No order was made")


def test_lists_page_by_cursor_and_keep_the_filter(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/decisions/")
    first = page.locator("tr[data-decision]").first.get_attribute("data-decision")
    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile("before="))
    assert page.locator("tr[data-decision]").first.get_attribute("data-decision") != first
    page.get_by_role("link", name="Newest").click()
    assert page.locator("tr[data-decision]").first.get_attribute("data-decision") == first


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_scrolls_sideways_on_a_phone(site: Site, open_page: OPEN_PAGE, scheme: str) -> None:
    page = open_page(site, width=360, height=740, color_scheme=scheme)
    order = page.request.get("/orders/export.csv").text().splitlines()[1].split(",")[0]
    decision = page.request.get("/decisions/export.csv").text().splitlines()[1].split(",")[0]
    for path in (*PATHS, f"/orders/{order}/", f"/decisions/{decision}/", "/nothing-here/"):
        page.goto(path)
        assert not is_sideways(page), path


def test_positions_and_stop_come_first_on_a_phone(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, width=360, height=740)
    tops = {name: page.locator(f"#{name}-title").bounding_box() for name in ("positions", "sessions", "equity", "decisions")}
    order = sorted(tops, key=lambda name: tops[name]["y"])  # type: ignore[index]
    assert order == ["positions", "sessions", "equity", "decisions"]
    expect(page.get_by_role("link", name="HALT")).to_be_visible()


def test_the_theme_follows_the_system_and_the_toggle_is_kept(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.locator("button[data-theme-toggle]").click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark


def test_keys_jump_search_and_help(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic")
    page.keyboard.press("?")
    expect(page.locator("#help-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help-dialog")).to_be_hidden()
    for key, path in (("d", "/decisions/"), ("e", "/events/"), ("s", "/system/"), ("c", "/chart/[A-Z0-9]+/"), ("o", "/")):
        expect(page.locator("[data-socket-state]")).to_have_text("live")
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page).to_have_url(re.compile(rf"^{re.escape(site.address)}{path}$"))
    expect(page.locator("[data-socket-state]")).to_have_text("live")
    page.keyboard.press("/")
    page.keyboard.type("nasd")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.address}/chart/NASDAQ/")


def test_the_focus_is_visible_and_content_can_be_skipped_to(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    assert page.locator(".skip").evaluate("node => getComputedStyle(node).outlineStyle") == "solid"


def test_pages_can_be_read_without_scripts(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom", java_script_enabled=False)
    expect(page.locator('[data-field="account.equity"]')).to_be_visible()
    expect(page.locator("#equity-chart svg polyline")).to_be_visible()
    page.goto("/chart/SP500/")
    expect(page.locator("#market-chart svg polyline")).to_be_visible()
    page.goto("/")
    page.get_by_role("link", name="HALT").click()
    expect(page.locator("#page-reason")).to_be_visible()


def test_first_run_states_say_what_is_missing_and_what_to_do(empty_site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(empty_site)
    expect(page.locator("main")).to_contain_text("No market is open yet")
    for path in (*PATHS[:1], "/chart/", *PATHS[3:]):
        page.goto(path)
        expect(page.locator("h1").first).to_be_attached()
        assert not is_sideways(page), path


def test_an_unknown_address_is_a_plain_page(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/decisions/00000000-0000-0000-0000-000000000000/")
    expect(page.locator("main")).to_contain_text("There is no decision")
    expect(page.locator("main")).to_contain_text("Is money at risk?")
    expect(page.locator("main")).not_to_contain_text("Traceback")
