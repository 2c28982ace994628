"""What moves: bars, the lost socket, the transport, the halt. These change the world, so they stand in one file, in order."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import OPEN_PAGE, Site

pytestmark = pytest.mark.browser


def shown_date(page: Page) -> str:
    return page.locator('[data-field="venue.now_at"]').get_attribute("data-value") or ""


def test_a_new_bar_appears_without_a_reload(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic")
    expect(page.locator("[data-socket-state]")).to_have_text("live")
    page.evaluate("window.isSamePage = true")
    closed_at = site.ask("step", 1)["closed_at"]
    expect(page.locator('[data-field="venue.now_at"]')).to_have_attribute("data-value", closed_at)
    expect(page.locator('[data-field="account.equity"]')).to_have_attribute("data-value", site.ask("account")["equity"])
    assert page.evaluate("window.isSamePage")


def test_the_chart_grows_with_the_market(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/chart/SP500/")
    expect(page.locator("#chart-status")).to_contain_text("bars to")
    day = site.ask("step", 1)["closed_at"][:10]
    expect(page.locator("#chart-status")).to_contain_text(f"bars to {day}")


def test_the_tail_shows_new_events_and_can_be_paused(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/events/?type=trading.")
    expect(page.locator("[data-socket-state]")).to_have_text("live")
    newest = page.locator(".tail-row").first.inner_text()
    page.click("#tail-pause")
    site.ask("step", 1)
    expect(page.locator("#tail-pause")).to_contain_text(re.compile(r"Go on \([1-9]\d* new\)"))
    assert page.locator(".tail-row").first.inner_text() == newest
    page.click("#tail-pause")
    assert page.locator(".tail-row").first.inner_text() != newest
    assert all(text.startswith("trading.") for text in page.locator(".tail-type").all_inner_texts())


def test_a_lost_socket_is_said_and_mended(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/system/")
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket(re.compile("/ws/live/"), through)
    page.goto("/")
    expect(page.locator("[data-socket-state]")).to_have_text("live")
    sockets[0].close(code=1011)
    expect(page.locator("#socket-banner")).to_be_visible()
    expect(page.locator("#socket-banner")).to_be_hidden(timeout=15_000)
    assert len(sockets) >= 2
    closed_at = site.ask("step", 1)["closed_at"]
    expect(page.locator('[data-field="venue.now_at"]')).to_have_attribute("data-value", closed_at)


def test_a_missing_number_asks_for_a_snapshot(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic", path="/system/")
    asked: list[str] = []

    def lose_one(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda message: (asked.append(str(message)), server.send(message)))
        server.on_message(lambda message: None if '"sequence": 2,' in str(message) else socket.send(message))

    page.route_web_socket(re.compile("/ws/live/"), lose_one)
    page.goto("/")
    expect(page.locator("[data-socket-state]")).to_have_text("live")
    site.ask("step", 1)
    page.wait_for_timeout(1500)
    closed_at = site.ask("step", 1)["closed_at"]
    expect(page.locator('[data-field="venue.now_at"]')).to_have_attribute("data-value", closed_at)
    assert any("resync" in message for message in asked)


def test_the_transport_pauses_steps_and_sets_the_speed(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom")
    page.keyboard.press("p")
    expect(page.locator('[data-field="venue.status"]')).to_have_attribute("data-value", "PAUSED")
    assert site.ask("venue")["status"] == "PAUSED"
    page.locator('[data-transport="step"]').click()
    page.locator("#speed").select_option("5")
    expect(page.locator("#speed")).to_have_value("5")
    page.wait_for_load_state()
    assert site.ask("venue")["speed"] == "5"
    page.locator('[data-transport="toggle"]').click()
    expect(page.locator('[data-field="venue.status"]')).to_have_attribute("data-value", "RUNNING")


def test_an_order_by_hand_is_checked_and_a_refusal_shows_every_check(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom", path="/chart/SP500/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.fill("#ticket-quantity", "100000")
    page.get_by_role("button", name="Check and send").click()
    expect(page.get_by_role("alert")).to_contain_text("Refused")
    assert page.locator("#ticket [data-check]").count() >= 5
    page.fill("#ticket-quantity", "1")
    page.get_by_role("button", name="Check and send").click()
    expect(page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}/"))
    expect(page.locator("main")).to_contain_text("A person wanted this order")


def test_a_session_is_stopped_from_its_card(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-session]", has_text="WMT").get_by_role("button", name="Stop").click()
    expect(page.locator("[data-session]", has_text="WMT")).to_contain_text(re.compile("Stopping|Stopped"))


def test_the_halt_asks_for_a_reason_and_shows_the_verified_result(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "tom", path="/decisions/")
    page.keyboard.press("h")
    expect(page.locator("#dialog-reason")).to_be_focused()
    page.fill("#dialog-reason", "the numbers look wrong")
    page.get_by_role("button", name="Halt trading now").click()
    expect(page).to_have_url(re.compile(r"/halt/[0-9a-f-]{36}/"))
    site.ask("settle")
    expect(page.locator("h1")).to_have_text("Trading is halted, verified", timeout=10_000)
    expect(page.locator('[data-field="halt.increasing_orders"]')).to_have_attribute("data-value", "0")
    page.goto("/")
    expect(page.get_by_role("alert")).to_contain_text("the numbers look wrong")
    expect(page.get_by_role("alert")).to_contain_text("Reset needs the role risk or admin")


def test_only_risk_resets_the_halt(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "ada")
    page.get_by_role("link", name="Show the result").click()
    page.fill("#reset-reason", "checked by hand")
    page.get_by_role("button", name="Reset and let trading go on").click()
    expect(page.locator("main")).to_contain_text("The halt is reset")
    expect(page.get_by_role("alert")).to_have_count(0)
