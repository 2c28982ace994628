"""From a signal and what is held to what to do: the same table in backtest, paper and live."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from apps.core.vocabulary import Direction
from apps.strategies.domain.signals import Signal

_SIGN = {Direction.LONG: 1, Direction.FLAT: 0, Direction.SHORT: -1}


class Action(StrEnum):
    ENTER_LONG = "ENTER_LONG"
    ENTER_SHORT = "ENTER_SHORT"
    EXIT = "EXIT"
    KEEP = "KEEP"
    STAY_OUT = "STAY_OUT"
    WAIT_FOR_ORDER = "WAIT_FOR_ORDER"
    REFUSE = "REFUSE"


def plan_action(*, signal: Signal, position: Decimal, has_open_order: bool, is_stopping: bool) -> Action:
    """What to do. An open order is waited for; a stopping session only exits; a reversal first exits and enters on a later bar."""
    if has_open_order:
        return Action.WAIT_FOR_ORDER
    if is_stopping:
        return Action.EXIT if position else Action.STAY_OUT
    if signal.is_refused:
        return Action.REFUSE
    wanted = _SIGN[signal.direction]
    held = (position > 0) - (position < 0)
    if held and held != wanted:
        return Action.EXIT
    if held:
        return Action.KEEP
    if wanted:
        return Action.ENTER_LONG if wanted > 0 else Action.ENTER_SHORT
    return Action.STAY_OUT
