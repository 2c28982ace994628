"""The loops beside the sealer: they survive errors, prepare afresh, pause while not allowed, and stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import redis

from apps.events.management import background
from apps.events.management.background import BackgroundLoop


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAUSE_SECONDS", 0.01)


def test_after_an_error_it_prepares_afresh_and_goes_on() -> None:
    seen: list[str] = []
    troubles: list[str] = []

    def step() -> float:
        seen.append("step")
        troubles.append(loop.trouble)
        if seen.count("step") in (2, 3):
            raise redis.ConnectionError("no Redis") if seen.count("step") == 2 else ValueError("a bug")
        return 0.0 if len(seen) < 8 else 5.0

    loop = BackgroundLoop("relay", prepare=lambda: seen.append("prepare"), step=step, is_allowed=lambda: True)
    loop.start()
    wait_for(lambda: len(seen) >= 8)
    loop.stop()
    loop.join(2)
    assert not loop.is_alive()
    assert seen == ["prepare", "step", "step", "prepare", "step", "prepare", "step", "step"]
    assert troubles == ["", "", "ConnectionError: no Redis", "ValueError: a bug", ""]


def test_it_waits_until_it_is_allowed_and_prepares_again_after_a_ban() -> None:
    seen: list[str] = []
    allowed = threading.Event()
    loop = BackgroundLoop("h", prepare=lambda: seen.append("prepare"), step=lambda: _note(seen), is_allowed=allowed.is_set)
    loop.start()
    time.sleep(0.05)
    assert seen == []
    allowed.set()
    wait_for(lambda: "step" in seen)
    allowed.clear()
    loop.wake()
    time.sleep(0.05)
    allowed.set()
    loop.wake()
    wait_for(lambda: seen.count("prepare") == 2)
    loop.stop()
    loop.join(2)
    assert not loop.is_alive()


def test_a_wake_up_ends_the_wait() -> None:
    seen: list[str] = []
    loop = BackgroundLoop("h", prepare=lambda: None, step=lambda: _note(seen, 60.0), is_allowed=lambda: True)
    loop.start()
    wait_for(lambda: len(seen) == 1)
    loop.wake()
    wait_for(lambda: len(seen) == 2)
    loop.stop()
    loop.join(2)
    assert not loop.is_alive()


def _note(seen: list[str], seconds: float = 0.01) -> float:
    seen.append("step")
    return seconds
