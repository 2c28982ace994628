"""The tape of a replay."""

from __future__ import annotations

import numpy as np

from apps.markets.domain.bars import to_candles
from apps.markets.domain.quality import FaultReason
from apps.markets.domain.tape import RejectedBar, Tape, Track
from tests.unit.markets.series import DAY, daily


def track(symbol: str, closes: list[float], *, start: int = 0, rejected: tuple[RejectedBar, ...] = ()) -> Track:
    return Track(symbol, to_candles(daily(closes, start=start), price_scale=4, volume_scale=0), rejected)


BAD = RejectedBar(daily([5.0], start=1), FaultReason.SPIKE, "too high")
TAPE = Tape((track("A", [10.0, 11.0, 12.0]), track("B", [20.0, 21.0], start=1), track("C", [30.0], start=5, rejected=(BAD,))))


def test_steps_are_the_distinct_closes_of_all_tracks() -> None:
    assert (TAPE.closes // DAY).tolist() == [1, 2, 3, 6]
    assert TAPE.step_after(0) == DAY
    assert TAPE.step_after(3 * DAY) == 6 * DAY
    assert TAPE.step_after(6 * DAY) is None
    assert TAPE.step_before(DAY) is None
    assert TAPE.step_before(5 * DAY) == 3 * DAY


def test_a_step_has_the_bars_that_closed_then_and_what_was_rejected_on_the_way() -> None:
    parts = TAPE.step(DAY, 2 * DAY)
    assert [(part.symbol, part.candles.close.tolist(), len(part.rejected)) for part in parts] == [
        ("A", [110_000], 0), ("B", [200_000], 0), ("C", [], 1),
    ]  # fmt: skip
    assert [part.symbol for part in TAPE.step(3 * DAY, 6 * DAY)] == ["C"]


def test_history_is_everything_up_to_a_step_and_nothing_later() -> None:
    history = TAPE.until(2 * DAY)
    assert [(part.symbol, len(part.candles), len(part.rejected)) for part in history] == [("A", 2, 0), ("B", 1, 0), ("C", 0, 1)]
    assert max(int(np.max(part.candles.closed_at, initial=0)) for part in history) == 2 * DAY
