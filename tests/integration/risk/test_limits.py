"""Limits in the database: seeded from the settings, scoped, changed with their actor on the log."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from apps.access.models import User
from apps.core.errors import InvalidInput
from apps.core.ids import uuid7
from apps.events.models import LoggedEvent
from apps.risk import selectors
from apps.risk.contracts import LimitCode
from apps.risk.models import RiskFactorRule, RiskLimit
from apps.risk.services import change_limit, seed_default_limits
from tests.factories.trading_world import open_world
from tests.integration.risk.orders import NOW, assess, propose, refused_by

pytestmark = pytest.mark.django_db


def _in_force(mode: str = "paper", strategy: str = "momentum") -> dict[LimitCode, Decimal | None]:
    account_id = uuid7()
    return dict(selectors.limits_in_force(account_id=account_id, mode=mode, strategy=strategy, instrument_id=uuid7()))


def test_the_settings_seed_every_limit_for_paper_and_live_once(settings: object) -> None:
    settings.LIVE_TRADING_MAX_DRAWDOWN = Decimal("0.07")  # type: ignore[attr-defined]
    settings.LIVE_TRADING_MAX_TRADES_PER_DAY = 9  # type: ignore[attr-defined]
    settings.LIVE_TRADING_MIN_SIGNAL_CONFIDENCE = Decimal("0.65")  # type: ignore[attr-defined]
    assert seed_default_limits() == 2 * len(LimitCode)
    assert seed_default_limits() == 0
    live = _in_force("live")
    assert set(live) == set(_in_force("paper")) == set(LimitCode)
    assert live[LimitCode.MAX_DRAWDOWN] == Decimal("0.07")
    assert live[LimitCode.MAX_ORDERS_PER_DAY] == 9
    assert live[LimitCode.MIN_CONFIDENCE] == Decimal("0.65")
    assert RiskFactorRule.objects.count() == 3


def test_what_a_person_has_set_is_not_seeded_over() -> None:
    change_limit(code=LimitCode.MAX_OPEN_ORDERS, value=Decimal(3), mode="paper", actor="ada", now=NOW)
    seed_default_limits()
    assert _in_force()[LimitCode.MAX_OPEN_ORDERS] == 3


def test_the_strictest_of_all_that_apply_counts() -> None:
    seed_default_limits()
    change_limit(code=LimitCode.MAX_OPEN_ORDERS, value=Decimal(5), strategy="momentum", actor="ada", now=NOW)
    change_limit(code=LimitCode.MAX_OPEN_ORDERS, value=Decimal(4), strategy="another", actor="ada", now=NOW)
    change_limit(code=LimitCode.MIN_CONFIDENCE, value=Decimal("0.9"), strategy="momentum", actor="ada", now=NOW)
    assert _in_force()[LimitCode.MAX_OPEN_ORDERS] == 5
    assert _in_force()[LimitCode.MIN_CONFIDENCE] == Decimal("0.9")
    assert _in_force(strategy="third")[LimitCode.MAX_OPEN_ORDERS] == 50


def test_a_limit_switched_off_limits_nothing_and_says_so() -> None:
    world = open_world()
    seed_default_limits()
    change_limit(code=LimitCode.MAX_ORDER_NOTIONAL, value=Decimal(1), mode="paper", is_enabled=False, actor="ada", now=NOW)
    change_limit(code=LimitCode.MAX_POSITION_NOTIONAL, value=Decimal(1), mode="paper", is_enabled=False, actor="ada", now=NOW)
    verdict = assess(propose(world, quantity=3000))
    assert refused_by(verdict) == ""
    assert {check.limit for check in verdict.checks if check.code in ("MAX_ORDER_NOTIONAL", "MAX_POSITION_NOTIONAL")} == {"off"}


def test_a_limit_that_was_deleted_comes_back_with_its_default() -> None:
    world = open_world()
    seed_default_limits()
    RiskLimit.objects.filter(code=LimitCode.MAX_ORDER_NOTIONAL).delete()
    assert refused_by(assess(propose(world, quantity=251))) == "MAX_ORDER_NOTIONAL"


def test_each_change_is_on_the_log_with_its_actor_and_both_values() -> None:
    for value in (Decimal(3), Decimal(3), Decimal(7)):
        change_limit(code=LimitCode.MAX_OPEN_ORDERS, value=value, mode="paper", actor="ada", now=NOW)
    rows = list(LoggedEvent.objects.filter(event_type="risk.limit_changed").order_by("id"))
    assert [(row.actor, row.payload["old_value"], row.payload["new_value"]) for row in rows] == [("ada", "", "3"), ("ada", "3", "7")]
    assert rows[1].payload["scope"] == "mode paper"


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-0.01"])
def test_a_limit_that_is_no_usable_number_cannot_be_set(bad: str) -> None:
    with pytest.raises(InvalidInput):
        change_limit(code=LimitCode.MAX_OPEN_ORDERS, value=Decimal(bad), actor="ada", now=NOW)


@pytest.fixture
def browser(client: object) -> object:
    user = User.objects.create_superuser("ada", "ada@example.org", "a long password 123")
    client.force_login(user)  # type: ignore[attr-defined]
    return client


def test_the_admin_explains_each_limit_and_logs_who_changed_it(browser: object) -> None:
    seed_default_limits()
    row = RiskLimit.objects.get(code=LimitCode.MAX_OPEN_ORDERS, mode="paper")
    page = browser.get(reverse("admin:risk_risklimit_changelist"))  # type: ignore[attr-defined]
    assert "Most orders that may be open at once" in page.content.decode()
    address = reverse("admin:risk_risklimit_change", args=[row.id])
    assert "Most orders that may be open at once" in browser.get(address).content.decode()  # type: ignore[attr-defined]
    answer = browser.post(address, {"value": "12", "is_enabled": "on", "note": "calmer"})  # type: ignore[attr-defined]
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.value, row.note) == (Decimal(12), "calmer")
    event = LoggedEvent.objects.get(event_type="risk.limit_changed")
    assert (event.actor, event.payload["old_value"], event.payload["new_value"]) == ("ada", "50", "12")
    refused = browser.post(address, {"value": "-1", "is_enabled": "on"})  # type: ignore[attr-defined]
    assert "zero or more" in refused.content.decode()


def test_the_admin_adds_a_scoped_limit(browser: object) -> None:
    data = {
        "code": "MAX_OPEN_ORDERS",
        "mode": "",
        "strategy": "momentum",
        "account_id": "",
        "instrument": "",
        "value": "2",
        "is_enabled": "on",
    }
    answer = browser.post(reverse("admin:risk_risklimit_add"), data)  # type: ignore[attr-defined]
    assert answer.status_code == 302
    assert _in_force()[LimitCode.MAX_OPEN_ORDERS] == 2
    assert LoggedEvent.objects.get(event_type="risk.limit_changed").payload["scope"] == "strategy momentum"


def test_the_admin_changes_a_factor_rule_and_logs_it(browser: object) -> None:
    seed_default_limits()
    rule = RiskFactorRule.objects.get(measure="drawdown")
    address = reverse("admin:risk_riskfactorrule_change", args=[rule.id])
    data = {"threshold": "0.1", "multiplier": "0.4", "reason": "high_drawdown", "is_enabled": "on"}
    assert browser.post(address, data).status_code == 302  # type: ignore[attr-defined]
    event = LoggedEvent.objects.get(event_type="risk.limit_changed")
    assert event.payload["old_value"] == "0.05 -> x0.5 (high_drawdown)"
    assert event.payload["new_value"] == "0.1 -> x0.4 (high_drawdown)"


@pytest.mark.parametrize(
    "name", ["risk_halt", "risk_reservation", "risk_riskverdict", "risk_riskfactorstate", "risk_livetradingswitch", "risk_riskfactorrule",
             "portfolio_account", "portfolio_journalentry", "portfolio_position", "portfolio_equitysnapshot", "portfolio_closedtrade",
             "portfolio_cashbalance"],
)  # fmt: skip
def test_every_list_in_the_admin_opens(browser: object, name: str) -> None:
    world = open_world()
    assess(propose(world))
    assert browser.get(reverse(f"admin:{name}_changelist")).status_code == 200  # type: ignore[attr-defined]
