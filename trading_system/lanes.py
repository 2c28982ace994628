"""How many requests are worked on at once: each lane has a few threads, and each thread at most one database connection.

Without it every request at the same moment has a thread and a connection of its own, and a crowd of readers takes the connections that
trading needs. Commands (everything that is not a read) and health have a lane of their own, so that a halt never waits behind pages.
A body is read before a thread is taken: a slow sender holds none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import ThreadSensitiveContext

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

READERS, COMMANDERS = 6, 3
MOST_WAITING = 100
WAIT_SECONDS = 10.0
BODY_SECONDS = 10.0
LARGEST_BODY = 2_000_000
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEALTH = frozenset({"/healthz", "/readyz"})


class Busy(Exception):
    """Too many wait already, or waiting took too long."""


class BodyRefused(Exception):
    """The body is too large or comes too slowly."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Lane:
    """A fixed number of threads that requests take turns on."""

    def __init__(self, name: str, threads: int, *, most_waiting: int = MOST_WAITING, wait_seconds: float = WAIT_SECONDS) -> None:
        self._free = [ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-{number}") for number in range(threads)]
        self._turns = asyncio.Semaphore(threads)
        self._inside = 0
        self._most_inside = threads + most_waiting
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A thread for what runs inside. Raises Busy rather than let a queue grow without end."""
        if self._inside >= self._most_inside:
            raise Busy
        self._inside += 1
        try:
            await self._wait()
            async with self._thread():
                yield
        finally:
            self._inside -= 1

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._turns.acquire(), self._wait_seconds)
        except TimeoutError:
            raise Busy from None

    @asynccontextmanager
    async def _thread(self) -> AsyncIterator[None]:
        executor = self._free.pop()
        try:
            async with ThreadSensitiveContext(executor=executor):
                yield
        finally:
            self._free.append(executor)
            self._turns.release()


class InLanes:
    """An ASGI application for HTTP that passes each request through its lane."""

    def __init__(self, application: Application, *, readers: Lane | None = None, commanders: Lane | None = None) -> None:
        self._application = application
        self._readers = readers or Lane("read", READERS)
        self._commanders = commanders or Lane("command", COMMANDERS)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        is_read = scope["method"] in _READS and scope["path"].rstrip("/") not in _HEALTH
        lane = self._readers if is_read else self._commanders
        try:
            body = await _read_body_in_time(receive)
            async with lane.turn():
                await self._application(scope, _replayed(body, receive), send)
        except Busy:
            await _refuse(send, 503, "The server is busy. Trading goes on; try again in a moment.")
        except BodyRefused as refused:
            await _refuse(send, refused.status, str(refused))


async def _read_body_in_time(receive: Receive) -> Message:
    try:
        return await asyncio.wait_for(_read_body(receive), BODY_SECONDS)
    except TimeoutError:
        raise BodyRefused(408, f"The body of the request did not come within {BODY_SECONDS:g} seconds.") from None


async def _read_body(receive: Receive) -> Message:
    """The whole body as one message, or the message that the client is gone."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise BodyRefused(413, f"The body of the request is larger than {LARGEST_BODY} bytes.")
        if not message.get("more_body"):
            return {"type": "http.request", "body": b"".join(parts), "more_body": False}


def _replayed(body: Message, receive: Receive) -> Receive:
    """Gives the body that was read, then whatever comes after it."""
    first = [body]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again


async def _refuse(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"type": "about:blank", "status": status, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"2"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
