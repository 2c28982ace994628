"""The transport of a replay: states and commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.core.errors import Conflict, InvalidInput
from apps.markets.contracts import ClockStatus
from apps.markets.domain.transport import Transport, command

NOW = datetime(2003, 1, 2, 21, tzinfo=UTC)
RUNNING = Transport(ClockStatus.RUNNING, NOW, NOW + timedelta(days=900), Decimal(1), None, 0)
PAUSED = replace(RUNNING, status=ClockStatus.PAUSED)
LATER = NOW + timedelta(days=30)


@pytest.mark.parametrize(
    ("before", "action", "options", "after"),
    [
        (RUNNING, "pause", {}, PAUSED),
        (PAUSED, "pause", {}, PAUSED),
        (replace(RUNNING, jump_to=LATER), "pause", {}, PAUSED),
        (PAUSED, "resume", {}, RUNNING),
        (replace(PAUSED, steps_requested=4), "resume", {}, RUNNING),
        (PAUSED, "step", {"steps": 3}, replace(PAUSED, steps_requested=3)),
        (replace(PAUSED, steps_requested=3), "step", {}, replace(PAUSED, steps_requested=4)),
        (RUNNING, "step", {}, replace(PAUSED, steps_requested=1)),
        (RUNNING, "speed", {"bars_per_second": Decimal(20)}, replace(RUNNING, bars_per_second=Decimal(20))),
        (RUNNING, "jump", {"jump_to": LATER}, replace(RUNNING, jump_to=LATER)),
        (PAUSED, "jump", {"jump_to": LATER}, replace(PAUSED, jump_to=LATER)),
    ],
)
def test_commands(before: Transport, action: str, options: dict[str, object], after: Transport) -> None:
    assert command(before, action, **options) == after  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [ClockStatus.PREPARING, ClockStatus.ENDED, ClockStatus.ARCHIVED])
@pytest.mark.parametrize("action", ["pause", "resume", "step", "jump"])
def test_a_replay_that_does_not_play_takes_no_commands(status: ClockStatus, action: str) -> None:
    with pytest.raises(Conflict):
        command(replace(RUNNING, status=status), action, jump_to=LATER)


@pytest.mark.parametrize(
    ("action", "options"),
    [
        ("fly", {}),
        ("step", {"steps": 0}),
        ("step", {"steps": 10_001}),
        ("speed", {}),
        ("speed", {"bars_per_second": Decimal("0.01")}),
        ("speed", {"bars_per_second": Decimal(1001)}),
        ("speed", {"bars_per_second": Decimal("NaN")}),
        ("jump", {}),
        ("jump", {"jump_to": datetime(2010, 1, 1)}),
    ],
)
def test_values_out_of_range_are_refused(action: str, options: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        command(RUNNING, action, **options)  # type: ignore[arg-type]


def test_a_jump_back_says_how_to_go_back() -> None:
    with pytest.raises(Conflict) as caught:
        command(RUNNING, "jump", jump_to=NOW)
    assert "open a replay that starts there" in str(caught.value)


@pytest.mark.parametrize(
    ("transport", "wants", "hurries"),
    [
        (RUNNING, True, False),
        (PAUSED, False, False),
        (replace(PAUSED, steps_requested=1), True, True),
        (replace(PAUSED, jump_to=LATER), True, True),
        (replace(RUNNING, jump_to=LATER), True, True),
        (replace(RUNNING, status=ClockStatus.PREPARING, jump_to=LATER), False, True),
        (replace(RUNNING, status=ClockStatus.ENDED), False, False),
    ],
)
def test_when_a_bar_is_wanted(transport: Transport, wants: bool, hurries: bool) -> None:
    assert (transport.wants_bar, transport.is_hurrying) == (wants, hurries)


def test_a_bar_uses_up_a_step_and_reaches_a_jump() -> None:
    next_close = NOW + timedelta(days=1)
    assert replace(PAUSED, steps_requested=2).played(next_close, is_last=False) == replace(PAUSED, steps_requested=1, now_at=next_close)
    assert replace(RUNNING, jump_to=LATER).played(next_close, is_last=False).jump_to == LATER
    assert replace(PAUSED, jump_to=LATER).played(LATER, is_last=False) == replace(PAUSED, now_at=LATER)
    assert replace(RUNNING, jump_to=LATER).played(LATER, is_last=False) == replace(RUNNING, now_at=LATER)


def test_the_last_bar_ends_everything() -> None:
    ended = replace(PAUSED, steps_requested=5, jump_to=LATER).played(NOW + timedelta(days=1), is_last=True)
    assert (ended.status, ended.steps_requested, ended.jump_to, ended.wants_bar) == (ClockStatus.ENDED, 0, None, False)
