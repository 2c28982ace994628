"""The websocket of a page: a snapshot, then numbered updates, at most two a second.

Nothing is queued per page: an update is made from the newest board when the page can take it, so a slow page gets fewer, larger steps, and
one that takes nothing for five seconds is let go.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.access.contracts import Role
from apps.dashboard.web.live import LOOK_SECONDS, REFRESH_SECONDS, Board, Wanted, boards

SEND_SECONDS = 5.0
EVENTS_IN_UPDATE = 50
CHECK_LOGIN_EVERY = 15
LONGEST_MESSAGE = 1_000
LOGGED_OUT = 4401
TOO_SLOW = 4408


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One open page of somebody who is logged in."""

    channel_layer_alias = "none: the board listens for all pages"

    async def connect(self) -> None:
        self._sender: asyncio.Task[None] | None = None
        user = self.scope["user"]
        await self.accept()
        if not user.is_authenticated:
            await self.close(LOGGED_OUT)
            return
        parts = parse_qs(self.scope["query_string"].decode()).get("parts", [""])[0].split(",")
        role = Role.ADMIN if user.is_superuser else Role(user.role)
        self._wanted = Wanted(role, bool(user.is_staff and role is Role.ADMIN), "overview" in parts)
        self._sequence = 0
        self._position: int | None = None
        self._shown: dict[str, str] = {}
        self._work: tuple[Mapping[str, Any], ...] = ()
        self._wake = asyncio.Event()
        boards.add(self._wake)
        self._sender = asyncio.create_task(self._send_updates())

    async def disconnect(self, code: int) -> None:
        if self._sender is None:
            return
        boards.remove(self._wake)
        self._sender.cancel()
        with suppress(asyncio.CancelledError):
            await self._sender

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A page may ask for a new snapshot; everything else is ignored."""
        if self._sender is None or text_data is None or len(text_data) > LONGEST_MESSAGE:
            return
        with suppress(ValueError):
            message = json.loads(text_data)
            if isinstance(message, dict) and message.get("type") == "resync":
                self._position = None
                self._wake.set()

    async def _send_updates(self) -> None:
        rounds = 0
        while True:
            rounds += 1
            if rounds % CHECK_LOGIN_EVERY == 0 and not await self._is_logged_in():
                await self.close(LOGGED_OUT)
                return
            message = self._message(await boards.current(self._wanted))
            if message:
                try:
                    await asyncio.wait_for(self.send(text_data=json.dumps(message)), SEND_SECONDS)
                except TimeoutError:
                    await self.close(TOO_SLOW)
                    return
            await asyncio.sleep(REFRESH_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
            self._wake.clear()

    def _message(self, board: Board) -> dict[str, Any] | None:
        """A snapshot for a new page or one that is too far behind, else what has changed; None if nothing has."""
        missed = board.events_after(self._position) if self._position is not None else None
        if missed is None:
            return self._numbered("snapshot", board, board.html, [])
        changed = {name: markup for name, markup in board.html.items() if self._shown.get(name) != markup}
        if not changed and not missed and board.work == self._work:
            return None
        return self._numbered("update", board, changed, missed)

    def _numbered(self, kind: str, board: Board, html: Mapping[str, str], missed: list[Mapping[str, Any]]) -> dict[str, Any]:
        self._sequence += 1
        self._position = board.position
        self._shown.update(html)
        self._work = board.work
        return {
            "type": kind,
            "sequence": self._sequence,
            "position": board.position,
            "venue": board.venue,
            "now": board.now_at,
            "status": board.status,
            "html": html,
            "work": list(board.work),
            "events": missed[-EVENTS_IN_UPDATE:],
            "events_left_out": max(0, len(missed) - EVENTS_IN_UPDATE),
        }

    async def _is_logged_in(self) -> bool:
        return bool(await database_sync_to_async(self._read_log_in)())

    def _read_log_in(self) -> bool:
        """Whether the browser's session still exists and its user is still active."""
        session, user = self.scope["session"], self.scope["user"]
        if not session.exists(session.session_key):
            return False
        user.refresh_from_db(fields=["is_active", "role"])
        return bool(user.is_active)
