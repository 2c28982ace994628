"""What an account was worth over a tape: at every moment, at the price that would close the position."""

from __future__ import annotations

import numpy as np

from apps.backtests.domain.ticks import Int64Array, Tape
from apps.backtests.domain.vector_run import TAG_END
from apps.core.errors import InvalidInput, OutOfBounds
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine, NewOrder
from apps.orders.domain.engine_codes import EngineOrderType, StepStatus
from apps.orders.domain.quote_nb import step_quote

_UNKNOWN = -1


def equity_by_moment(engine: Engine, tape: Tape, opening_cash: int) -> tuple[Int64Array, Int64Array]:
    """Every moment of the tape once, and equity after its last event: cash and what is held at the best bid (long) or ask (short). Before the
    first quote or snapshot the price of the last trade counts, where nothing was ever quoted as well."""
    is_last = np.ones(len(tape), np.bool_)
    is_last[:-1] = tape.at[1:] != tape.at[:-1]
    moments = tape.at[is_last]
    fills = engine.fills[: int(engine.account[code.A_FILLS])]
    paid = -fills[:, code.F_SIDE] * fills[:, code.F_VALUE] - fills[:, code.F_FEE]
    lots = fills[:, code.F_SIDE] * fills[:, code.F_LOTS]
    done = np.searchsorted(fills[:, code.F_AT], moments, side="right")
    cash = np.concatenate(([0], np.cumsum(paid)))[done] + opening_cash
    held = np.concatenate(([0], np.cumsum(lots)))[done]
    price = np.where(held > 0, tape.bid[is_last], tape.ask[is_last])
    return moments, cash + held * engine.instruments[0].cash_units_per_price_unit_lot * price


def close_at_best(engine: Engine, *, at: int, bid: int, ask: int) -> None:
    """Cancel what is open and close what is held at the bid (long) or ask (short), whatever their sizes."""
    for row in engine.active[: int(engine.account[code.A_ACTIVE])].tolist():
        engine.cancel(row)
    held = engine.position(0)
    if not held:
        return
    engine.account[code.A_NOW], engine.account[code.A_LATENCY_US] = at, 0
    engine.places[0, code.I_MARK] = bid if held > 0 else ask
    side = code.SELL if held > 0 else code.BUY
    engine.submit(NewOrder(0, side, EngineOrderType.MARKET, abs(held), flags=code.REDUCE_ONLY, tag=TAG_END))
    engine.make_room()
    step_quote(engine.book, engine.active, engine.places, engine.account, engine.fills, 0, at, bid, ask, _UNKNOWN, _UNKNOWN)


def raise_tick_status(status: StepStatus, index: int) -> None:
    """Turn a step that went wrong into an error that says what and at which event."""
    if status is StepStatus.OVERFLOW:
        raise OutOfBounds(
            f"At tick {index} an amount left the range that is counted exactly.",
            where=f"ticks[{index}]",
            hint="Trade less, or use a coarser lot.",
        )
    raise InvalidInput(f"Tick {index} is none that can be traded on.", where=f"ticks[{index}]")
