"""What-if on why pages: the form, its complaints, waiting, both decisions side by side, and a history that has changed."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from apps.access.models import User
from apps.backtests.models import WhatIf
from apps.backtests.services.what_ifs import execute_what_if
from apps.dashboard.domain.sentences import changes_in_words
from apps.orders.models import Order
from tests.integration.backtests.paper_world import entry, fill_of, open_world, tamper
from tests.integration.dashboard.test_why_values import Values


def log_in(client: Client, role: str) -> Client:
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    return client


@pytest.mark.django_db(transaction=True)
def test_a_trader_asks_waits_and_sees_both_decisions(client: Client) -> None:
    world = open_world(4)
    trader, decision = log_in(client, "trader"), entry()
    path = f"/decisions/{decision.id}/"
    page = trader.get(path).content.decode()
    assert 'name="confidence"' in page
    assert "MAX_ORDER_NOTIONAL" in page
    assert "data-what-if" not in page

    answer = trader.post(f"{path}what-if/", {"limit": "MAX_ORDER_NOTIONAL", "limit_value": "100", "is_lasting": "yes"})
    row = WhatIf.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{path}?what_if={row.id}#what-if")
    assert row.requested_by == "a-trader"
    waiting = trader.get(f"/what-ifs/{row.id}/").content.decode()
    assert "data-pending" in waiting
    assert "It waits for a free worker." in waiting
    assert f'data-source="/what-ifs/{row.id}/"' in trader.get(f"{path}?what_if={row.id}").content.decode()

    assert execute_what_if(row.id)
    values = Values(trader.get(f"{path}?what_if={row.id}").content.decode())
    result = WhatIf.objects.get().result
    assert values.one("what_if.asked") == "Max order notional 100, from here on"
    assert (values.one("what_if.stored.outcome"), values.one("what_if.other.outcome")) == ("TRADE", "REFUSED_BY_RISK")
    assert values.one("what_if.difference") == result["money"]["difference"]
    assert values.one("what_if.other.order") == ""
    fragment = trader.get(f"/what-ifs/{row.id}/").content.decode()
    assert "data-pending" not in fragment
    assert 'class="line-other"' in fragment
    assert fragment.count('class="differs"') >= 1
    assert "The market has gone on" not in fragment
    world.step()
    assert "The market has gone on" in trader.get(f"/what-ifs/{row.id}/").content.decode()

    order_page = trader.get(f"/orders/{decision.order_id}/?what_if={row.id}").content.decode()
    assert Values(order_page).one("what_if.difference") == result["money"]["difference"]
    again = trader.post(f"{path}what-if/", {"order": str(decision.order_id), "quantity": str(fill_of(decision).quantity + 1)})
    assert again["Location"].startswith(f"/orders/{decision.order_id}/?what_if=")
    assert "Asked before (1)" in trader.get(again["Location"].split("#")[0]).content.decode()


@pytest.mark.django_db
def test_what_cannot_be_read_or_used_is_said_at_its_field(client: Client) -> None:
    open_world(2)
    trader, decision = log_in(client, "trader"), entry()
    path = f"/decisions/{decision.id}/what-if/"
    for typed, name, sentence in (
        ({"confidence": "maybe"}, "confidence", "The confidence must be a number, got &#x27;maybe&#x27;."),
        ({"confidence": "2"}, "confidence", "The confidence must be 0 to 1, got 2."),
        ({"quantity": "-1"}, "quantity", "The quantity must be "),
        ({"limit": "MAX_DRAWDOWN"}, "limit_value", "Type its value, or off."),
        ({"limit_value": "5"}, "limit", "Choose which limit this is."),
        ({"limit": "MAX_DRAWDOWN", "limit_value": "-5"}, "limit_value", "The MAX DRAWDOWN must be 0 to "),
        ({}, "", "Nothing is changed."),
    ):
        answer = trader.post(path, typed)
        page = answer.content.decode()
        assert (answer.status_code, sentence in page) == (400, True), typed
        assert not name or 'aria-invalid="true"' in page
        for value in typed.values():
            assert f'value="{value}"' in page, "what was typed stays"
    assert WhatIf.objects.count() == 0


@pytest.mark.django_db
def test_a_viewer_reads_answers_and_asks_nothing(client: Client) -> None:
    open_world(2)
    viewer, decision = log_in(client, "viewer"), entry()
    page = viewer.get(f"/decisions/{decision.id}/").content.decode()
    assert "Asking needs the role trader." in page
    assert 'name="confidence"' not in page
    assert viewer.post(f"/decisions/{decision.id}/what-if/", {"confidence": "1"}).status_code == 403
    assert viewer.get(f"/what-ifs/{uuid4()}/").status_code == 404
    assert viewer.get(f"/decisions/{decision.id}/?what_if={uuid4()}").status_code == 404


@pytest.mark.django_db
def test_a_changed_history_a_failure_and_an_order_of_a_person_have_their_words(client: Client) -> None:
    open_world(2)
    trader, decision = log_in(client, "trader"), entry()
    path = f"/decisions/{decision.id}/"
    trader.post(f"{path}what-if/", {"confidence": "1"})
    row = WhatIf.objects.get()
    differences = [{"kind": "data", "what": "data_hash", "stored": "ffff", "repeated": "abcd"}]
    WhatIf.objects.update(
        state="DONE", result={"is_reproduced": False, "differences": differences, "stored": None, "other": None, "money": None}
    )
    page = trader.get(f"{path}?what_if={row.id}").content.decode()
    assert "This decision cannot be made again as it was" in page
    assert "Data hash: stored" in page
    WhatIf.objects.update(state="FAILED", error="There was not enough memory.", error_hint="Use fewer bars.", result={})
    page = trader.get(f"{path}?what_if={row.id}").content.decode()
    assert "There was not enough memory. Use fewer bars. Ask again below." in page

    assert decision.order_id is not None
    tamper("UPDATE orders_order SET decision_id = NULL, origin_id = NULL, origin = 'MANUAL' WHERE id = %s", [decision.order_id])
    tamper("UPDATE strategies_decision SET order_id = NULL WHERE id = %s", [decision.id])
    page = trader.get(f"/orders/{Order.objects.get(id=decision.order_id).id}/").content.decode()
    assert "A person sent this order: there is no decision of a strategy that could be made again." in page


def test_changes_are_told_in_words() -> None:
    changes = {"limits": {"MAX_DRAWDOWN": None, "MAX_ORDER_NOTIONAL": "100"}, "fee_bps": "3", "is_lasting": True}
    assert changes_in_words(changes) == "Max drawdown off, max order notional 100, fee bps 3, from here on"
    assert changes_in_words({}) == ""
