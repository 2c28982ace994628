"""Downloads are made while they are sent."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncRequestFactory, RequestFactory

from apps.common.streaming import download


@pytest.fixture
def made() -> list[int]:
    return []


def pieces(made: list[int]) -> Iterator[bytes]:
    for number in range(4):
        made.append(number)
        yield b"%d," % number


def test_a_piece_is_made_when_the_one_before_has_gone(made: list[int]) -> None:
    async def receive() -> list[tuple[bytes, int]]:
        answer = download(AsyncRequestFactory().get("/"), pieces(made), content_type="text/csv", name="a.csv")
        return [(piece, len(made)) async for piece in cast("AsyncIterator[bytes]", answer)]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert async_to_sync(receive)() == [(b"0,", 1), (b"1,", 2), (b"2,", 3), (b"3,", 4)]


def test_without_asgi_it_is_a_plain_stream(made: list[int]) -> None:
    answer = download(RequestFactory().get("/"), pieces(made), content_type="text/csv", name="a.csv")
    assert (answer.headers["Content-Disposition"], answer.headers["Content-Type"]) == ('attachment; filename="a.csv"', "text/csv")
    assert made == [] and answer.getvalue() == b"0,1,2,3," and made == [0, 1, 2, 3]
