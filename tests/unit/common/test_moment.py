"""Reads of one moment do not see what others write meanwhile."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from apps.common.moment import one_moment


def write(name: str) -> None:
    """From another connection."""

    def work() -> None:
        Group.objects.create(name=name)
        connection.close()

    other = threading.Thread(target=work)
    other.start()
    other.join()


@pytest.mark.django_db(transaction=True)
def test_what_is_written_meanwhile_is_seen_only_behind_it() -> None:
    write("before")
    with one_moment():
        assert Group.objects.count() == 1
        write("meanwhile")
        assert Group.objects.count() == 1
    assert Group.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_it_adds_nothing() -> None:
    with transaction.atomic():
        assert Group.objects.count() == 0
        with one_moment():
            write("meanwhile")
            assert Group.objects.count() == 1
