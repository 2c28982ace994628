"""What open pages are told: one board per process, read at most twice a second whoever listens, shared by all of them.

The log's position is the sequence of the truth: a page that is too far behind gets a snapshot instead of what it missed. The channel
layer only wakes the board; without Redis it still looks by itself every two seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.template.loader import render_to_string

from apps.access.contracts import Role
from apps.backtests.selectors.under_way import work_under_way
from apps.core.clock import WallClock
from apps.dashboard.selectors import activity
from apps.dashboard.selectors.frame import frame
from apps.dashboard.selectors.overview import overview
from apps.events import selectors as events

log = structlog.get_logger(__name__)

GROUP = "live"
REFRESH_SECONDS = 0.5
LOOK_SECONDS = 2.0
EVENTS_KEPT = 300
_FRAME_PARTS = ("date", "transport", "banners", "strip")
_OVERVIEW_PARTS = ("state", "tiles", "positions", "decisions", "sessions", "risk", "forecasts")


@dataclass(frozen=True)
class Wanted:
    """Which board: what a role may see, and whether the overview is on the page."""

    role: Role
    is_admin: bool
    with_overview: bool


@dataclass(frozen=True)
class Board:
    """The state of the pages at a position of the log, with the newest events before it."""

    position: int
    events: tuple[Mapping[str, Any], ...]
    html: Mapping[str, str]
    venue: str
    now_at: str
    status: str
    work: tuple[Mapping[str, Any], ...] = ()
    """Backtests and sweeps under way, with their progress."""

    def events_after(self, position: int) -> list[Mapping[str, Any]] | None:
        """What a page at `position` has missed; None if some of it is no longer kept here."""
        missed = [item for item in self.events if item["position"] > position]
        is_whole = position >= self.position or (missed and missed[0]["position"] == position + 1)
        return missed if is_whole else None


class Boards:
    """The boards of this process, and the waking of those who wait for a newer one."""

    def __init__(self) -> None:
        self._boards: dict[Wanted, tuple[float, Board]] = {}
        self._locks: dict[Wanted, asyncio.Lock] = {}
        self._waiting: set[asyncio.Event] = set()
        self._listener: asyncio.Task[None] | None = None

    async def current(self, wanted: Wanted) -> Board:
        """The board, worked out anew if it is older than half a second."""
        async with self._locks.setdefault(wanted, asyncio.Lock()):
            made_at, board = self._boards.get(wanted, (0.0, None))
            if board is None or time.monotonic() - made_at >= REFRESH_SECONDS:
                board = await database_sync_to_async(read_board, thread_sensitive=False)(wanted)
                self._boards[wanted] = (time.monotonic(), board)
            return board

    def add(self, waiting: asyncio.Event) -> None:
        """Wake this one at every batch of events."""
        self._waiting.add(waiting)
        if self._listener is None or self._listener.done():
            self._boards, self._locks = {}, {}
            self._listener = asyncio.get_running_loop().create_task(self._listen())

    def remove(self, waiting: asyncio.Event) -> None:
        self._waiting.discard(waiting)
        if not self._waiting and self._listener is not None:
            self._listener.cancel()
            self._listener = None

    async def _listen(self) -> None:
        """One subscription for all pages; a lost channel layer is tried again and never felt by them."""
        while True:
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                while True:
                    await layer.receive(channel)
                    for waiting in self._waiting:
                        waiting.set()
            except Exception as error:  # the layer raises whatever its Redis client raises
                log.warning("live_layer_lost", error=str(error))
                await asyncio.sleep(LOOK_SECONDS)


boards = Boards()


def read_board(wanted: Wanted) -> Board:
    """The present state as markup and the newest events. Markup carries no CSRF token: it is shared."""
    position = events.head_position()
    shown = frame(now=WallClock().now())
    context: dict[str, Any] = {
        "frame": shown,
        "can_trade": wanted.role.rank >= Role.TRADER.rank,
        "can_reset": wanted.role.rank >= Role.RISK.rank,
        "is_admin": wanted.is_admin,
    }
    html = {name: render_to_string(f"dashboard/parts/{name}.html", context) for name in _FRAME_PARTS}
    if wanted.with_overview:
        context["overview"] = overview(shown.venue.id if shown.venue else None)
        html |= {name: render_to_string(f"dashboard/overview/{name}.html", context) for name in _OVERVIEW_PARTS}
    rows = activity.since(max(0, position - EVENTS_KEPT), limit=EVENTS_KEPT)
    return Board(
        position=rows[-1].position or position if rows else position,
        events=tuple(item.as_message() for item in rows),
        html=html,
        venue=shown.venue.code if shown.venue else "",
        now_at=shown.venue.now_at.isoformat() if shown.venue else "",
        status=str(shown.venue.status) if shown.venue else "",
        work=tuple(item.as_message() for item in work_under_way()),
    )
