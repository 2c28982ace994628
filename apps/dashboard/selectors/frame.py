"""What surrounds every page: mode, venue, halt, status lights, banners."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from apps.common.heartbeats import ProcessHealth, process_health
from apps.core.errors import NotFound
from apps.dashboard.domain.formatting import age_words, when
from apps.dashboard.selectors.shapes import Banner, Frame, Mode, StripItem
from apps.forecasts import selectors as forecasts
from apps.forecasts.contracts import TrainingState, TrainingStatus
from apps.markets import selectors as markets
from apps.markets.contracts import ClockStatus, VenueKind, VenueView
from apps.orders import selectors as orders
from apps.portfolio import selectors as portfolio
from apps.portfolio.contracts import AccountView
from apps.risk import selectors as risk
from apps.strategies import selectors as strategies

_LIGHTS = (
    ("stream", "Feed"),
    ("session", "Sessions"),
    ("executor", "Executor"),
    ("event", "Events"),
    ("worker", "Worker"),
    ("beat", "Beat"),
)
_STALE_SECONDS = 15
_OLD_NEWS = timedelta(minutes=5)
"""How long a command that failed is told on every page."""


def frame(*, now: datetime, venue_code: str = "", venue_id: UUID | None = None) -> Frame:
    """The frame for the present venue, or for the one named; an unknown code raises NotFound."""
    present = markets.active_venue()
    venue = _asked_venue(present, venue_code, venue_id)
    is_past = venue is not None and (present is None or venue.id != present.id)
    account = account_at(venue.id) if venue else None
    training = forecasts.training_state(venue.id) if venue and not is_past else None
    instruments = markets.instruments(venue.id) if venue else []
    timeframe = bar_timeframe(instruments[0].id) if instruments else ""
    return Frame(
        mode=_mode(venue, account),
        venue=venue,
        is_past=is_past,
        account_id=account.id if account else None,
        halt=None if is_past else risk.active_halt(account.id if account else None),
        open_orders=len(orders.open_orders(account.id)) if account else None,
        open_positions=len(portfolio.positions(account.id)) if account else 0,
        strip=_strip(venue, account, process_health(now=now), timeframe, now=now),
        banners=() if is_past else _banners(venue, training, timeframe, now=now),
        symbols=tuple(item.symbol for item in instruments),
        timeframe=timeframe,
    )


@lru_cache(maxsize=1024)
def bar_timeframe(instrument_id: UUID) -> str:
    """The timeframe of an instrument's bars; kept, because it never changes."""
    return str(markets.instrument_detail(instrument_id).timeframe)


def account_at(venue_id: UUID) -> AccountView | None:
    """The account of a venue that pages speak of: the default one, else an open one, else the newest."""
    here = [item for item in portfolio.accounts() if item.venue_id == venue_id]
    return min(here, key=lambda item: (not item.is_default, item.closed_at is not None), default=None)


def _asked_venue(present: VenueView | None, code: str, venue_id: UUID | None) -> VenueView | None:
    if venue_id is not None:
        return present if present is not None and present.id == venue_id else markets.venue(venue_id)
    if not code or (present is not None and present.code == code):
        return present
    found = markets.venue_by_code(code)
    if found.kind is VenueKind.LIBRARY:
        raise NotFound(f"{code} is a library of bars, not a market that was traded.", where="venue")
    return found


def _mode(venue: VenueView | None, account: AccountView | None) -> Mode:
    """LIVE outranks everything; a replayed or simulated market is never shown as a real one."""
    if account is not None and account.mode == "live":
        return Mode("live", "LIVE · REAL MONEY", "Orders go to a real venue with real money.")
    if venue is None:
        return Mode("replay", "PAPER", "No real money.")
    if venue.kind is VenueKind.REPLAY:
        return Mode("replay", "PAPER · REPLAY", "Recorded markets played again. No real money.")
    if venue.kind is VenueKind.PRACTICE:
        return Mode("practice", "PAPER · PRACTICE", "An invented market for practice. No real prices, no real money.")
    return Mode("paper", "PAPER · LIVE DATA", "Real prices as they come. No real money.")


def _strip(
    venue: VenueView | None, account: AccountView | None, health: list[ProcessHealth], timeframe: str, *, now: datetime
) -> tuple[StripItem, ...]:
    items = [light for needle, label in _LIGHTS if (light := _light(needle, label, health, now=now)) is not None]
    if venue is not None:
        items.insert(
            0, StripItem("Clock", when(venue.now_at, timeframe), "ok" if venue.status is ClockStatus.RUNNING else "warn", venue.message)
        )
    if account is not None:
        matched = orders.matched_through(account.id)
        is_behind = matched is not None and venue is not None and matched < venue.now_at
        items.append(
            StripItem(
                "Matched through", when(matched, timeframe), "warn" if is_behind else "ok", "The last bar that orders were matched against."
            )
        )
    return tuple(items)


def _light(needle: str, label: str, health: list[ProcessHealth], *, now: datetime) -> StripItem | None:
    """The light of the process whose name contains `needle`; the freshest if there are several."""
    found = min((item for item in health if needle in item.process), key=lambda item: item.age, default=None)
    if found is None:
        return None
    title = f"{found.process}, process {found.pid}: completed work {age_words(found.age)} ago. {found.detail}".strip()
    return StripItem(label, age_words(found.age), "bad" if found.is_stale else "ok", title, now - found.age, _STALE_SECONDS)


def _banners(venue: VenueView | None, training: TrainingState | None, timeframe: str, *, now: datetime) -> tuple[Banner, ...]:
    if venue is None:
        return ()
    found: list[Banner] = []
    if venue.status is ClockStatus.PREPARING:
        found.append(_preparing(training))
    elif training is not None and training.status is TrainingStatus.FAILED:
        text = f"{training.message} The models in use stay in use; strategies that need a better one do not trade."
        found.append(Banner("warn", "warn", "The last training failed", text, "/models/", "Show the models"))
    restart = strategies.restart_state(venue.id)
    if restart is not None and not restart.is_done and not restart.error:
        found.append(Banner("info", "replays", "A fresh run is being opened", "This page follows it as soon as it is there."))
    elif restart is not None and restart.error and now - restart.requested_at < _OLD_NEWS:
        found.append(Banner("warn", "warn", "The replay could not be started again", restart.error))
    if venue.jump_to is not None and venue.jump_to > venue.now_at:
        found.append(
            Banner(
                "info", "jump", f"Running fast to {when(venue.jump_to, timeframe)}", "Every bar in between is decided, matched and booked."
            )
        )
    elif venue.kind is VenueKind.LIVE and venue.message:
        found.append(Banner("warn", "warn", "The market feed", venue.message, "/system/", "Show the system"))
    return tuple(found)


def _preparing(training: TrainingState | None) -> Banner:
    text = "The replay begins as soon as the first models are trained, so that the first order can be explained to its model."
    if training is None or not training.progress_total:
        return Banner("info", "models", "Getting ready", text, "/models/", "Models")
    share = round(100 * training.progress_done / training.progress_total, 1)
    title = f"Training models: {training.progress_done} of {training.progress_total}"
    return Banner("info", "models", title, f"{text} {training.message}".strip(), "/models/", "Models", share)
