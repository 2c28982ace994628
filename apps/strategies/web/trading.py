"""Trading as a whole over REST: start, stop, status, and the transport of a replay."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.contracts import Role
from apps.common.api.views import ApiView
from apps.core.errors import Conflict
from apps.markets import selectors as markets
from apps.markets.contracts import ClockStatus, VenueView
from apps.markets.services import command_clock
from apps.risk.selectors import active_halt
from apps.strategies import selectors, services
from apps.strategies.contracts import SessionState
from apps.strategies.web.serializers import (
    ClockSerializer,
    StopInput,
    TradingChangeSerializer,
    TradingStatusSerializer,
    TransportAction,
    TransportInput,
)

TRADING = ["trading"]
VENUES = ["venues"]


class TradingStatusView(ApiView):
    @extend_schema(tags=TRADING, responses={200: TradingStatusSerializer})
    def get(self, request: Request) -> Response:
        """Whether the system trades, and if not, why."""
        return self.answer(TradingStatusSerializer, trading_status())


class StartTradingView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}

    @extend_schema(tags=TRADING, request=None, responses={200: TradingChangeSerializer})
    def post(self, request: Request) -> Response:
        """Start every configured session of the current venue."""
        changed = services.start_configured_sessions(venue_id=_current_venue().id, actor=self.actor)
        return self.answer(TradingChangeSerializer, trading_status() | {"changed": changed})


class StopTradingView(ApiView):
    roles: ClassVar = {"POST": Role.TRADER}
    unthrottled_methods: ClassVar = frozenset({"POST"})

    @extend_schema(tags=TRADING, request=StopInput, responses={202: TradingChangeSerializer})
    def post(self, request: Request) -> Response:
        """Stop every session of the current venue; positions are sold unless they are kept."""
        changed = services.stop_all_sessions(venue_id=_current_venue().id, actor=self.actor, **self.body(StopInput))
        return self.answer(TradingChangeSerializer, trading_status() | {"changed": changed}, status=202)


class ClockView(ApiView):
    roles: ClassVar = {"GET": Role.VIEWER, "POST": Role.TRADER}

    @extend_schema(tags=VENUES, responses={200: ClockSerializer})
    def get(self, request: Request, venue_id: UUID) -> Response:
        """The venue's clock."""
        return self.answer(ClockSerializer, clock_of(markets.venue(venue_id)))

    @extend_schema(tags=VENUES, request=TransportInput, responses={202: ClockSerializer})
    def post(self, request: Request, venue_id: UUID) -> Response:
        """The transport of a replay: pause, resume, step, speed, jump, restart.

        A jump forward runs fast through every bar in between. A jump back, and a restart, open a fresh run with a fresh account and
        keep the record of this one; `restart` tells how far that is.
        """
        values = self.body(TransportInput)
        venue = markets.venue(venue_id)
        if goes_back(values, now_at=venue.now_at):
            starts_at = values.get("jump_to") or values.get("starts_at")
            services.request_replay_restart(venue_id=venue_id, starts_at=starts_at, actor=self.actor)
        else:
            command_clock(venue_id=venue_id, actor=self.actor, **values)
        return self.answer(ClockSerializer, clock_of(markets.venue(venue_id)), status=202)


def goes_back(values: dict[str, Any], *, now_at: datetime) -> bool:
    """Whether the command needs a fresh run: the past of a venue cannot be played again."""
    if values["action"] is TransportAction.JUMP:
        return bool(values["jump_to"] <= now_at)
    return values["action"] is TransportAction.RESTART


def clock_of(venue: VenueView) -> dict[str, Any]:
    return asdict(venue) | {"venue_id": venue.id, "restart": selectors.restart_state(venue.id)}


def trading_status() -> dict[str, Any]:
    """The current venue, its sessions and the halt, with a sentence that sums them up."""
    venue = markets.active_venue()
    sessions = selectors.sessions(venue.id) if venue else []
    halt = active_halt()
    running = sum(session.state is SessionState.RUNNING for session in sessions)
    is_open = venue is not None and venue.status is ClockStatus.RUNNING
    return {
        "is_trading": bool(running) and is_open and halt is None,
        "sentence": _sentence(venue, running, halt.reason if halt else ""),
        "clock": clock_of(venue) if venue else None,
        "is_halted": halt is not None,
        "halt_reason": halt.reason if halt else "",
        "sessions": sessions,
    }


def _sentence(venue: VenueView | None, running: int, halt_reason: str) -> str:
    if venue is None:
        return "No market is open yet."
    if halt_reason:
        return f"Halted: {halt_reason}"
    if not running:
        return "No session is running."
    state = {
        ClockStatus.PREPARING: "the first models are being trained",
        ClockStatus.RUNNING: "the market is open",
        ClockStatus.PAUSED: "the clock is paused",
        ClockStatus.ENDED: "the replay has ended",
        ClockStatus.ARCHIVED: "it is an earlier run",
    }[venue.status]
    return f"Sessions running at {venue.name}: {running}; {state}."


def _current_venue() -> VenueView:
    venue = markets.active_venue()
    if venue is None:
        raise Conflict("No market is open yet.", where="venue", hint="Wait until the first one is ready.")
    return venue
