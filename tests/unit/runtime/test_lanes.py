"""However many requests come at once, a few threads work on them, and commands do not wait behind reads."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from trading_system import lanes
from trading_system.lanes import InLanes, Lane


class Slow:
    """An application that works in a thread for as long as it is told, as Django's views do."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.seconds = seconds
        self.threads: set[int] = set()
        self.bodies: list[bytes] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.bodies.append((await receive())["body"])
        await sync_to_async(self._work)()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _work(self) -> None:
        with self._lock:
            self.threads.add(threading.get_ident())
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.seconds)
        with self._lock:
            self.at_once -= 1


async def ask(application: InLanes, method: str = "GET", path: str = "/", *chunks: bytes) -> int:
    """The status of one request whose body comes in chunks."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await application({"type": "http", "method": method, "path": path}, receive, send)
    return int(sent[0]["status"])


def test_a_crowd_is_served_by_a_few_threads_that_stay() -> None:
    slow = Slow(0.005)

    async def crowd() -> list[int]:
        application = InLanes(slow, readers=Lane("read", 4))
        return await asyncio.gather(*(ask(application) for _ in range(80)))

    assert asyncio.run(crowd()) == [200] * 80
    assert len(slow.threads) <= 4
    assert slow.most_at_once <= 4


def test_beyond_the_queue_the_answer_is_busy_at_once() -> None:
    async def crowd() -> list[int]:
        application = InLanes(Slow(0.05), readers=Lane("read", 1, most_waiting=2))
        return await asyncio.gather(*(ask(application) for _ in range(10)))

    assert sorted(asyncio.run(crowd())) == [200] * 3 + [503] * 7


def test_waiting_too_long_ends_in_busy() -> None:
    async def crowd() -> list[int]:
        application = InLanes(Slow(0.3), readers=Lane("read", 1, wait_seconds=0.05))
        return list(await asyncio.gather(ask(application), ask(application)))

    assert sorted(asyncio.run(crowd())) == [200, 503]


@pytest.mark.parametrize(("method", "path"), [("POST", "/halt/"), ("GET", "/healthz")])
def test_a_command_and_health_pass_a_full_house(method: str, path: str) -> None:
    slow = Slow(0.3)

    async def crowd() -> tuple[int, float]:
        application = InLanes(slow, readers=Lane("read", 1), commanders=Lane("command", 1))
        readers = [asyncio.create_task(ask(application)) for _ in range(5)]
        await asyncio.sleep(0.05)
        slow.seconds = 0.0
        started = time.monotonic()
        status = await ask(application, method, path)
        took = time.monotonic() - started
        await asyncio.gather(*readers)
        return status, took

    status, took = asyncio.run(crowd())
    assert status == 200
    assert took < 0.2


def test_a_body_in_pieces_comes_whole_and_one_too_large_is_refused() -> None:
    slow = Slow(0.0)

    async def send_both() -> tuple[int, int]:
        application = InLanes(slow)
        return await ask(application, "POST", "/", b"one ", b"two"), await ask(application, "POST", "/", *[b"x" * 500_000] * 5)

    assert asyncio.run(send_both()) == (200, 413)
    assert slow.bodies == [b"one two"]


def test_a_slow_body_holds_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "BODY_SECONDS", 0.05)
    slow = Slow(0.0)

    async def never() -> Any:
        await asyncio.sleep(60)

    async def both() -> tuple[int, int]:
        application = InLanes(slow, commanders=Lane("command", 1))
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        hanging = asyncio.create_task(application({"type": "http", "method": "POST", "path": "/"}, never, send))
        quick = await ask(application, "POST", "/halt/")
        await hanging
        return quick, int(sent[0]["status"])

    assert asyncio.run(both()) == (200, 408)


def test_a_failing_application_gives_its_thread_back() -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("no")

    async def twice() -> None:
        application = InLanes(fail, readers=Lane("read", 1, wait_seconds=0.5))
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await ask(application)

    asyncio.run(twice())
