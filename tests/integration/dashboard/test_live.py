"""The websocket: who may listen, snapshot and numbered updates, gaps, the pace, one reading for all."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from apps.access.contracts import Role
from apps.access.models import User
from apps.dashboard.web import live
from apps.dashboard.web.consumers import LOGGED_OUT, TOO_SLOW, LiveConsumer
from apps.events.contracts import AlertRaised
from apps.events.services import log_identity, record_event, seal_batch
from trading_system.asgi import application

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


def a_session(role: Role = Role.VIEWER) -> SessionStore:
    user = User.objects.create_user("vic", role=role)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session


def log_events(count: int) -> None:
    log_identity()
    for number in range(count):
        record_event(AlertRaised(level="INFO", title=f"event {number}", message="."), occurred_at=timezone.now())
    seal_batch()


async def wake_pages() -> None:
    """What the relay of the log does after each batch."""
    await get_channel_layer().group_send(live.GROUP, {"type": "live.events", "events": [], "head": 0})


@asynccontextmanager
async def connected(
    session: SessionStore | None, *, parts: str = "frame", origin: str = "http://testserver"
) -> AsyncIterator[ApplicationCommunicator]:
    headers = [(b"host", b"testserver"), (b"origin", origin.encode())]
    if session is not None:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.session_key}".encode()))
    scope = {"type": "websocket", "path": "/ws/live/", "query_string": f"parts={parts}".encode(), "headers": headers, "subprotocols": []}
    socket = ApplicationCommunicator(application, scope)
    yield socket
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(5)


async def opened(socket: ApplicationCommunicator) -> bool:
    """Whether the server lets the page in."""
    await socket.send_input({"type": "websocket.connect"})
    return bool((await socket.receive_output(5))["type"] == "websocket.accept")


async def say(socket: ApplicationCommunicator, text: str) -> None:
    await socket.send_input({"type": "websocket.receive", "text": text})


async def answer(socket: ApplicationCommunicator) -> dict[str, Any]:
    output = await socket.receive_output(10)
    assert output["type"] == "websocket.send", output
    return dict(json.loads(output["text"]))


async def closing_code(socket: ApplicationCommunicator) -> int:
    """Reads until the server closes."""
    while (output := await socket.receive_output(10))["type"] != "websocket.close":
        pass
    return int(output["code"])


async def test_a_stranger_is_sent_to_the_log_in() -> None:
    async with connected(None) as socket:
        assert await opened(socket)
        assert await closing_code(socket) == LOGGED_OUT


async def test_a_page_of_another_site_is_not_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    session = await sync_to_async(a_session)()
    inner = application.application_mapping["websocket"]
    monkeypatch.setattr(inner, "allowed_origins", ["testserver"])
    async with connected(session, origin="http://evil.example") as socket:
        assert not await opened(socket)


async def test_a_snapshot_comes_first_then_numbered_updates_with_what_was_missed() -> None:
    session = await sync_to_async(a_session)()
    await sync_to_async(log_events)(3)
    async with connected(session, parts="frame,overview") as socket:
        assert await opened(socket)
        first = await answer(socket)
        assert (first["type"], first["sequence"], first["position"], first["events"]) == ("snapshot", 1, 3, [])
        assert set(first["html"]) == {
            "date",
            "transport",
            "banners",
            "strip",
            "state",
            "tiles",
            "positions",
            "decisions",
            "sessions",
            "risk",
            "forecasts",
        }
        await sync_to_async(log_events)(2)
        second = await answer(socket)
        assert (second["type"], second["sequence"], second["position"]) == ("update", 2, 5)
        assert [item["position"] for item in second["events"]] == [4, 5]


async def test_what_is_shared_carries_no_token() -> None:
    session = await sync_to_async(a_session)(Role.ADMIN)
    async with connected(session, parts="frame,overview") as socket:
        assert await opened(socket)
        assert "csrfmiddlewaretoken" not in json.dumps(await answer(socket))


async def test_a_page_may_ask_for_a_new_snapshot_and_nonsense_is_ignored() -> None:
    session = await sync_to_async(a_session)()
    async with connected(session) as socket:
        assert await opened(socket)
        await answer(socket)
        for nonsense in ("", "[]", "{", '{"type": 5}', "x" * 2000):
            await say(socket, nonsense)
        await say(socket, '{"type": "resync"}')
        again = await answer(socket)
        assert (again["type"], again["sequence"]) == ("snapshot", 2)


async def test_a_page_that_is_too_far_behind_gets_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVENTS_KEPT", 5)
    session = await sync_to_async(a_session)()
    async with connected(session) as socket:
        assert await opened(socket)
        await answer(socket)
        await sync_to_async(log_events)(20)
        assert (await answer(socket))["type"] == "snapshot"


async def test_at_most_two_messages_a_second() -> None:
    session = await sync_to_async(a_session)()
    async with connected(session) as socket:
        assert await opened(socket)
        await answer(socket)
        began, received = time.monotonic(), 0
        while time.monotonic() - began < 3:
            await sync_to_async(log_events)(1)
            await wake_pages()
            if not await socket.receive_nothing(timeout=0.02):
                await answer(socket)
                received += 1
        assert 4 <= received <= 7


async def test_a_batch_of_events_wakes_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.dashboard.web.consumers.LOOK_SECONDS", 60)
    session = await sync_to_async(a_session)()
    async with connected(session) as socket:
        assert await opened(socket)
        await answer(socket)
        await asyncio.sleep(1)
        await sync_to_async(log_events)(1)
        began = time.monotonic()
        await wake_pages()
        assert (await answer(socket))["position"] == 1
        assert time.monotonic() - began < 1


async def test_many_pages_share_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[live.Wanted] = []
    read = live.read_board

    def counted(wanted: live.Wanted) -> live.Board:
        readings.append(wanted)
        return read(wanted)

    monkeypatch.setattr(live, "read_board", counted)
    boards = live.Boards()
    wanted = live.Wanted(Role.VIEWER, is_admin=False, with_overview=True)
    found = await asyncio.gather(*(boards.current(wanted) for _ in range(50)))
    assert len(readings) == 1
    assert all(board is found[0] for board in found)


async def test_a_page_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.dashboard.web.consumers.SEND_SECONDS", 0.2)
    send = LiveConsumer.send

    async def stuck(self: LiveConsumer, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False) -> None:
        if text_data is not None:
            await asyncio.sleep(60)
        await send(self, text_data, bytes_data, close)

    monkeypatch.setattr(LiveConsumer, "send", stuck)
    session = await sync_to_async(a_session)()
    async with connected(session) as socket:
        assert await opened(socket)
        assert await closing_code(socket) == TOO_SLOW


async def test_logging_out_ends_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.dashboard.web.consumers.CHECK_LOGIN_EVERY", 1)
    monkeypatch.setattr("apps.dashboard.web.consumers.LOOK_SECONDS", 0.1)
    session = await sync_to_async(a_session)()
    async with connected(session) as socket:
        assert await opened(socket)
        await answer(socket)
        await sync_to_async(session.delete)()
        assert await closing_code(socket) == LOGGED_OUT
