"""A replay world played step by step in one process: the same functions that the separate processes call, in the order of the lock step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from apps.forecasts import services as forecasts
from apps.forecasts.models import TrainingRun
from apps.markets import selectors as markets
from apps.markets import services as market_services
from apps.markets.contracts import VenueView
from apps.markets.services.replay import play_step, replay_reel
from apps.orders.management.commands.run_executor import ExecutorDaemon
from apps.risk import services as risk
from apps.strategies import services as strategies
from apps.strategies.management.commands.run_sessions import SessionOwner


class World:
    """Owns one of each loop. `step()` plays a bar and lets everybody finish with it."""

    def __init__(self, *, starts_at: datetime | None = None, train: bool = False) -> None:
        risk.seed_default_limits()
        self.venue: VenueView = strategies.open_replay_world(starts_at=starts_at, reason="test", actor="test")
        if train:
            run = TrainingRun.objects.get(venue_id=self.venue.id)
            forecasts.run_training(run.id)
        market_services.start_clock(self.venue.id)
        self.sessions = SessionOwner()
        self.executor = ExecutorDaemon()

    @property
    def venue_id(self) -> UUID:
        return self.venue.id

    def play(self) -> datetime:
        """Only the market's part of a step; returns the close of the new bar."""
        step = play_step(venue_id=self.venue_id, reel=replay_reel(self.venue_id))
        assert step.is_played
        return step.venue.now_at

    def settle(self) -> None:
        """Let the executor and the sessions work until neither finds anything."""
        for _ in range(20):
            if not (self.executor.work() | self.sessions.work()):
                return
        raise AssertionError("the loops find work for ever")

    def step(self, bars: int = 1) -> datetime:
        """Play and settle so many bars."""
        closed_at = markets.venue(self.venue_id).now_at
        for _ in range(bars):
            assert strategies.SessionBarrier().waiting_for(self.venue_id, closed_at) == ""
            closed_at = self.play()
            self.settle()
        return closed_at

    def step_until(self, condition: Callable[[], object], *, bars: int = 250) -> None:
        """Play until `condition` holds; fails after so many bars."""
        for _ in range(bars):
            if condition():
                return
            self.step()
        raise AssertionError(f"{bars} bars did not bring it about")
