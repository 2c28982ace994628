"""Getting in and out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OPEN_PAGE, Site, log_in

pytestmark = pytest.mark.browser


def test_a_page_asks_for_the_log_in_and_goes_on_to_where_one_wanted(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "", path="/decisions/")
    expect(page).to_have_url(re.compile(r"/login/\?next=/decisions/"))
    page.fill("#username", "vic")
    page.fill("#password", "a-password-for-tests")
    page.press("#password", "Enter")
    expect(page).to_have_url(f"{site.address}/decisions/")


def test_a_wrong_password_is_refused_and_the_fifth_locks(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "", path="/login/")
    for _ in range(5):
        log_in(page, "lou", "wrong")
        expect(page.get_by_role("alert")).to_contain_text("do not fit")
    log_in(page, "lou")
    expect(page.get_by_role("alert")).to_contain_text("Too many failed log-ins")
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"Wait \d+ seconds"))


def test_a_link_logs_in_once(site: Site, open_page: OPEN_PAGE) -> None:
    link = site.ask("link", "vic")["path"]
    page = open_page(site, "", path=link)
    expect(page).to_have_url(f"{site.address}/")
    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("This link does not log in")


def test_a_link_to_another_site_is_not_followed(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "", path="/login/?next=https://example.org/")
    page.fill("#username", "vic")
    page.fill("#password", "a-password-for-tests")
    page.click("main button")
    expect(page).to_have_url(f"{site.address}/")


def test_logging_out_ends_it(site: Site, open_page: OPEN_PAGE) -> None:
    page = open_page(site, "vic")
    page.click("summary[aria-label=Account]")
    page.get_by_role("button", name="Log out").first.click()
    expect(page.locator("main")).to_contain_text("You are logged out")
    page.goto("/")
    expect(page).to_have_url(re.compile("/login/"))
