"""The table from signal and position to action."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.core.vocabulary import Direction
from apps.strategies.domain.plan import Action, plan_action
from apps.strategies.domain.signals import Signal

LONG, FLAT, SHORT = Decimal(3), Decimal(0), Decimal(-3)


def signal(direction: Direction, *, is_refused: bool = False) -> Signal:
    return Signal(direction, 0.5, 0.75, "because", is_refused)


@pytest.mark.parametrize(
    ("direction", "position", "expected"),
    [
        (Direction.LONG, LONG, Action.KEEP),
        (Direction.LONG, FLAT, Action.ENTER_LONG),
        (Direction.LONG, SHORT, Action.EXIT),
        (Direction.FLAT, LONG, Action.EXIT),
        (Direction.FLAT, FLAT, Action.STAY_OUT),
        (Direction.FLAT, SHORT, Action.EXIT),
        (Direction.SHORT, LONG, Action.EXIT),
        (Direction.SHORT, FLAT, Action.ENTER_SHORT),
        (Direction.SHORT, SHORT, Action.KEEP),
    ],
)
def test_signal_and_position_give_one_action(direction: Direction, position: Decimal, expected: Action) -> None:
    assert plan_action(signal=signal(direction), position=position, has_open_order=False, is_stopping=False) is expected


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("position", [LONG, FLAT, SHORT])
@pytest.mark.parametrize("is_stopping", [True, False])
def test_an_open_order_is_always_waited_for(direction: Direction, position: Decimal, is_stopping: bool) -> None:
    action = plan_action(signal=signal(direction), position=position, has_open_order=True, is_stopping=is_stopping)
    assert action is Action.WAIT_FOR_ORDER


@pytest.mark.parametrize("direction", list(Direction))
def test_a_stopping_session_only_exits(direction: Direction) -> None:
    assert plan_action(signal=signal(direction), position=LONG, has_open_order=False, is_stopping=True) is Action.EXIT
    assert plan_action(signal=signal(direction), position=FLAT, has_open_order=False, is_stopping=True) is Action.STAY_OUT


@pytest.mark.parametrize("position", [LONG, FLAT, SHORT])
def test_a_refused_signal_neither_opens_nor_closes(position: Decimal) -> None:
    refused = signal(Direction.FLAT, is_refused=True)
    assert plan_action(signal=refused, position=position, has_open_order=False, is_stopping=False) is Action.REFUSE
