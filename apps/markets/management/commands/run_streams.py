"""The process that brings bars: plays the open replay and feeds the live venues."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from apps.common.daemon import Daemon, DaemonCommand
from apps.common.notify import Channel
from apps.markets import selectors
from apps.markets.management.live_feed import LiveFeed
from apps.markets.management.replay_player import ReplayPlayer

LONGEST_WAIT = 1.0


class StreamsDaemon(Daemon):
    """Named `streams`. Woken by the transport, by new venues and by whoever opens a replay's barrier."""

    name = "streams"
    channels = (Channel.CONTROL, Channel.MATCHED, Channel.DECISIONS, Channel.ORDERS)

    def __init__(self) -> None:
        super().__init__()
        self._player = ReplayPlayer()
        self._feeds: dict[UUID, LiveFeed] = {}
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="feed")

    def prepare(self) -> None:
        """The cursor of everything is in the database: forget what this process believed."""
        self._player.forget()
        self._feeds.clear()

    def work(self) -> bool:
        """At most one bar of the replay and what the live feeds have due."""
        waits = [self._player.advance(), *(feed.advance(datetime.now(UTC)) for feed in self._live_feeds())]
        wait = min(waits)
        self.poll_seconds = min(max(wait, 0.001), LONGEST_WAIT)
        self.detail = "; ".join(filter(None, [self._player.detail, *(feed.detail for feed in self._feeds.values())]))
        return wait <= 0

    def finish(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._player.release()
        for feed in self._feeds.values():
            feed.release()

    def _live_feeds(self) -> list[LiveFeed]:
        wanted = selectors.live_venue_ids()
        self._feeds = {venue_id: self._feeds.get(venue_id) or LiveFeed(venue_id, self._pool) for venue_id in wanted}
        return list(self._feeds.values())


class Command(DaemonCommand):
    help = "Play the open replay and feed the live venues."
    daemon_class = StreamsDaemon
