"""Writes of markets: opening venues, the transport of a replay, storing and importing bars, pulling from exchanges."""

from apps.markets.services.clock import command_clock, note_waiting, start_clock
from apps.markets.services.replay import play_step, replay_source
from apps.markets.services.venues import archive_venue, open_library_venue, open_live_venue, open_replay_venue

__all__ = [
    "archive_venue",
    "command_clock",
    "note_waiting",
    "open_library_venue",
    "open_live_venue",
    "open_replay_venue",
    "play_step",
    "replay_source",
    "start_clock",
]
