"""Health: `/healthz` says that this process answers; `/readyz` asks everything that trading needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from apps.common.heartbeats import process_health
from apps.events.selectors import log_lag
from apps.markets.contracts import ClockStatus, VenueKind, VenueView
from apps.markets.selectors import active_venue, instrument_detail, instruments

log = structlog.get_logger(__name__)

REDIS_TIMEOUT_SECONDS = 1.0
SLOWEST_SEALING = timedelta(seconds=30)
SLOWEST_FEED = timedelta(minutes=1)
BARS_UNTIL_STALE = 3
TRADING_PROCESSES = ("streams", "executor", "sessions", "events")
OTHER_PROCESSES = ("worker", "trainer", "beat")


@dataclass(frozen=True)
class Check:
    """One thing that was asked, whether it is as it should be, and what it said."""

    name: str
    ok: bool
    detail: str
    milliseconds: float


@csrf_exempt
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, so that a lost database does not restart the web."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@csrf_exempt
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every check passes, else 503; each check with what it found."""
    checks = run_checks()
    ready = all(check.ok for check in checks)
    body = {
        "status": "ready" if ready else "not ready",
        "checks": {check.name: {"ok": check.ok, "detail": check.detail, "milliseconds": round(check.milliseconds, 1)} for check in checks},
    }
    return JsonResponse(body, status=200 if ready else 503, headers={"Cache-Control": "no-store"})


def run_checks() -> list[Check]:
    """Every check; without PostgreSQL the ones that read from it are not tried."""
    database = _run("postgresql", _check_database)
    rest: list[tuple[str, Callable[[], str]]] = [("redis", _check_redis)]
    if database.ok:
        rest += [
            ("migrations", _check_migrations),
            ("processes", _check_processes),
            ("event_log", _check_event_log),
            ("market", _check_market),
        ]
    return [database, *(_run(name, ask) for name, ask in rest)]


class NotReady(Exception):
    """A check failed; the message says what it found."""


def _run(name: str, ask: Callable[[], str]) -> Check:
    started = time.perf_counter()
    try:
        ok, detail = True, ask()
    except NotReady as found:
        ok, detail = False, str(found)
    except Exception as error:
        log.warning("readiness_check_failed", check=name, error=str(error).strip().split("\n")[0])
        ok, detail = False, f"does not answer ({type(error).__name__})"
    return Check(name, ok, detail, (time.perf_counter() - started) * 1000)


def _check_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        (version,) = cursor.fetchone() or ("",)
    return f"PostgreSQL {version}"


@cache
def _redis() -> Any:
    timeout = REDIS_TIMEOUT_SECONDS
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout)


def _check_redis() -> str:
    _redis().ping()
    return "answers"


def _check_migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise NotReady(f"{len(missing)} are not applied, the first is {missing[0][0]}")
    return "all applied"


def _check_processes() -> str:
    """What trading needs has completed work lately, and so have the others, if they ever ran here."""
    found = {item.process: item for item in process_health(now=datetime.now(UTC)) if item.process in TRADING_PROCESSES + OTHER_PROCESSES}
    missing = [name for name in TRADING_PROCESSES if name not in found]
    stale = [f"{item.process} ({item.age.total_seconds():.0f} s)" for item in found.values() if item.is_stale]
    if missing or stale:
        parts = [f"never seen: {', '.join(missing)}"] if missing else []
        parts += [f"no work completed lately: {', '.join(sorted(stale))}"] if stale else []
        raise NotReady("; ".join(parts))
    return f"{len(found)} completed work lately"


def _check_event_log() -> str:
    lag = log_lag()
    if lag.oldest_unsealed_seconds > SLOWEST_SEALING.total_seconds():
        raise NotReady(f"{lag.unsealed} events wait for the sealer, the oldest for {lag.oldest_unsealed_seconds:.0f} s")
    return f"sealed up to {lag.head_position}"


def _check_market() -> str:
    """A market is open, and a live feed is not older than three bars."""
    venue = active_venue()
    if venue is None:
        raise NotReady("no market is open yet")
    if venue.kind is VenueKind.REPLAY or venue.status is not ClockStatus.RUNNING:
        return f"{venue.name} {venue.status.value}, its time is {venue.now_at:%Y-%m-%d %H:%M}"
    return _check_feed(venue)


def _check_feed(venue: VenueView) -> str:
    listed = instruments(venue.id)
    bar = instrument_detail(listed[0].id).timeframe.duration if listed else SLOWEST_FEED
    age = datetime.now(UTC) - venue.now_at
    if age > BARS_UNTIL_STALE * bar + SLOWEST_FEED:
        raise NotReady(f"{venue.name}: the newest bar closed {age.total_seconds():.0f} s ago")
    return f"{venue.name}, newest bar {age.total_seconds():.0f} s old"
