from __future__ import annotations

from trading_system.runtime.backoff import BackOff


def test_pauses_double_up_to_the_longest() -> None:
    back_off = BackOff()
    pauses = [back_off.next_pause(ran_for=0.1) for _ in range(9)]
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0]


def test_a_healthy_run_begins_anew() -> None:
    back_off = BackOff()
    for _ in range(6):
        back_off.next_pause(ran_for=1.0)
    assert back_off.next_pause(ran_for=30.0) == 0.2
    assert back_off.next_pause(ran_for=29.9) == 0.4
