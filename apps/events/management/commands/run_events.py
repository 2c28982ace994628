"""The process `events`: seals the log and, beside that, relays it, runs handlers and tells open pages. Never in the way of trading."""

from __future__ import annotations

import time

import structlog
from django.conf import settings

from apps.common import leases
from apps.common.daemon import Daemon, DaemonCommand
from apps.common.notify import Channel
from apps.events.adapters.anchor import AnchorDamaged
from apps.events.adapters.live import LiveSender
from apps.events.bus import Bus, connect
from apps.events.contracts import AlertLevel
from apps.events.management.background import BackgroundLoop
from apps.events.ports import REGISTRY
from apps.events.selectors import head_position
from apps.events.selectors.verification import SEAL_BATCH
from apps.events.services import HandlerRunner, LiveFeed, Relay, anchor_sealed, log_identity, project_activity, raise_alert, seal_batch

log = structlog.get_logger(__name__)

LEASE = "events"
LEASE_SECONDS = 5.0
"""After a kill the next process waits this long; sealing itself would be safe at once."""
LEASE_TRUSTED_SECONDS = 3.5
LEASE_RENEWED_EVERY = 1.5
SEAL_EVERY_SECONDS = 0.1
PROJECT_EVERY_SECONDS = 1.0
ANCHOR_RETRY_SECONDS = 30.0
HANDLER_BLOCK_MS = 1000
IDLE_SECONDS = 1.0
JOIN_SECONDS = 5.0


class EventsDaemon(Daemon):
    """Seals in the main thread; relay, live feed and each handler group have a thread of their own."""

    name = "events"
    channels = (Channel.EVENTS,)

    def __init__(self) -> None:
        super().__init__()
        self._lease: leases.HeldLease | None = None
        self._lease_renewed_at = 0.0
        self._sealed_at = 0.0
        self._projected_at = 0.0
        self._is_anchored = False
        self._anchor_tried_at = 0.0
        self._anchor_trouble = ""
        self._loops: list[BackgroundLoop] = []

    def prepare(self) -> None:
        log_identity()
        self._is_anchored = False
        if not self._loops:
            self._loops = self._make_loops()
            for loop in self._loops:
                loop.start()

    def work(self) -> bool:
        if not self._own():
            self.detail = "waiting: another process seals the log"
            return False
        self._let_some_gather()
        sealed = self._seal()
        projected = self._project()
        if sealed:
            for loop in self._loops:
                loop.wake()
        self.detail = self._describe()
        return sealed == SEAL_BATCH or projected

    def finish(self) -> None:
        for loop in self._loops:
            loop.stop()
        deadline = time.monotonic() + JOIN_SECONDS
        for loop in self._loops:
            loop.join(max(deadline - time.monotonic(), 0.0))
        if self._lease is not None:
            leases.release(self._lease)

    def is_owner(self) -> bool:
        """Whether the lease was renewed lately enough that nobody else can have it."""
        return self._lease is not None and time.monotonic() - self._lease_renewed_at < LEASE_TRUSTED_SECONDS

    def _own(self) -> bool:
        now = time.monotonic()
        if self._lease is None or now - self._lease_renewed_at >= LEASE_RENEWED_EVERY:
            self._lease = leases.acquire(LEASE, seconds=LEASE_SECONDS)
            self._lease_renewed_at = now
        return self._lease is not None

    def _let_some_gather(self) -> None:
        """A bar causes a burst of events in many transactions: seal a burst at once instead of one by one."""
        wait = self._sealed_at + SEAL_EVERY_SECONDS - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._sealed_at = time.monotonic()

    def _seal(self) -> int:
        """What was sealed before is anchored first, so that a crash leaves one batch unanchored at most."""
        if not self._is_anchored:
            self._anchor()
        sealed = seal_batch()
        if sealed:
            self._is_anchored = False
            self._anchor()
        return sealed

    def _anchor(self) -> None:
        """A damaged anchor is told once and stops anchoring, not sealing: the log stays readable and `verify_log` names the damage."""
        if self._anchor_trouble and time.monotonic() - self._anchor_tried_at < ANCHOR_RETRY_SECONDS:
            return
        self._anchor_tried_at = time.monotonic()
        try:
            anchor_sealed()
        except AnchorDamaged as error:
            if not self._anchor_trouble:
                raise_alert(AlertLevel.CRITICAL, "The event log and its anchor disagree", f"{error} Run verify_log.")
            self._anchor_trouble = str(error)
            return
        self._anchor_trouble = ""
        self._is_anchored = True

    def _project(self) -> bool:
        if time.monotonic() - self._projected_at < PROJECT_EVERY_SECONDS:
            return False
        if project_activity():
            return True
        self._projected_at = time.monotonic()
        return False

    def _describe(self) -> str:
        troubles = [f"{loop.name}: {loop.trouble}" for loop in self._loops if loop.trouble]
        if self._anchor_trouble:
            troubles.append(f"anchor: {self._anchor_trouble}")
        return f"head {head_position()}" + (f"; {'; '.join(troubles)}" if troubles else "")

    def _make_loops(self) -> list[BackgroundLoop]:
        return [self._relay_loop(), self._live_loop(), *[self._handler_loop(group) for group in REGISTRY.groups()]]

    def _relay_loop(self) -> BackgroundLoop:
        relay = Relay(_bus(), log_id=log_identity(), handlers=REGISTRY.all())
        return BackgroundLoop(
            "relay", prepare=relay.synchronise, step=lambda: 0.0 if relay.step() else IDLE_SECONDS, is_allowed=self.is_owner
        )

    def _live_loop(self) -> BackgroundLoop:
        feed = LiveFeed(LiveSender())
        return BackgroundLoop("live", prepare=lambda: None, step=lambda: _live_step(feed), is_allowed=self.is_owner)

    def _handler_loop(self, group: str) -> BackgroundLoop:
        runner = HandlerRunner(
            _bus(),
            group=group,
            handlers=REGISTRY.of_group(group),
            consumer=leases.process_identity(),
            log_id=log_identity(),
        )

        def step() -> float:
            runner.step(block_ms=HANDLER_BLOCK_MS)
            return 0.0

        return BackgroundLoop(group, prepare=runner.prepare, step=step, is_allowed=self.is_owner)


def _bus() -> Bus:
    return Bus(connect(settings.REDIS_URL), prefix=settings.EVENTS_KEY_PREFIX)


def _live_step(feed: LiveFeed) -> float:
    """Wait for a wake-up, or for the time when the next message may go."""
    sent = feed.step()
    return feed.seconds_to_wait() if sent or feed.seconds_to_wait() else IDLE_SECONDS


class Command(DaemonCommand):
    help = "Seal the event log, relay it to Redis, run event handlers, tell open pages. One at a time; a second one waits."
    daemon_class = EventsDaemon
