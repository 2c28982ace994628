"""Writes of markets: opening venues, the transport of a replay, storing and importing bars, pulling from exchanges."""

from apps.markets.services.clock import command_clock, hold_clock, note_waiting, start_clock
from apps.markets.services.importing import ImportResult, import_bars
from apps.markets.services.instruments import change_instrument
from apps.markets.services.live import fetch_pull, plan_pull, record_failed_pull, store_pull
from apps.markets.services.pulling import feed_lease, pull_venue
from apps.markets.services.replay import Reel, play_step, replay_reel
from apps.markets.services.venues import archive_venue, open_library_venue, open_live_venue, open_replay_venue

__all__ = [
    "ImportResult",
    "Reel",
    "archive_venue",
    "change_instrument",
    "command_clock",
    "feed_lease",
    "fetch_pull",
    "hold_clock",
    "import_bars",
    "note_waiting",
    "open_library_venue",
    "open_live_venue",
    "open_replay_venue",
    "plan_pull",
    "play_step",
    "pull_venue",
    "record_failed_pull",
    "replay_reel",
    "start_clock",
    "store_pull",
]
