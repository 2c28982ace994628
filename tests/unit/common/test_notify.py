"""Wake-ups through PostgreSQL."""

from __future__ import annotations

import time

import pytest
from django.db import transaction

from apps.common.notify import Channel, Listener, notify

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_listener_wakes_on_commit_and_names_the_channels() -> None:
    with Listener(Channel.MARKET, Channel.CONTROL) as listener:
        with transaction.atomic():
            notify(Channel.MARKET)
            notify(Channel.CONTROL)
            notify(Channel.ORDERS)
            assert listener.wait(0.05) == set()
        assert listener.wait(5) == {Channel.MARKET, Channel.CONTROL}


def test_a_rolled_back_notification_never_arrives() -> None:
    with Listener(Channel.MARKET) as listener:
        with pytest.raises(RuntimeError), transaction.atomic():
            notify(Channel.MARKET)
            raise RuntimeError
        assert listener.wait(0.1) == set()


def test_waiting_ends_when_the_time_is_up() -> None:
    with Listener(Channel.MARKET) as listener:
        start = time.monotonic()
        assert listener.wait(0.2) == set()
        assert 0.15 < time.monotonic() - start < 2


def test_a_notification_that_came_between_two_waits_is_not_lost() -> None:
    with Listener(Channel.MARKET) as listener:
        notify(Channel.MARKET)
        time.sleep(0.05)
        assert listener.wait(5) == {Channel.MARKET}
        assert listener.wait(0.05) == set()
