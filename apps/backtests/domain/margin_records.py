"""The margin calls of a run, worked out from its records once it is over: the engine's steps know nothing of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.backtests.domain.records import Int64Array, RunRecords
from apps.markets.domain.bars import from_micros
from apps.orders.domain import engine_codes as code
from apps.orders.domain.margin_calls import MarginCall, call_ppm, margin_calls
from apps.orders.domain.profiles import EngineProfile

CALLS_SHOWN = 50
_PPM_PER_PERCENT = 10_000


def calls_of(records: RunRecords, profile: EngineProfile) -> tuple[MarginCall, ...]:
    """Every margin call; of several moments at the same time the last counts. Empty where nothing could be borrowed, or where a run over several
    instruments does not know what it held."""
    ppm = call_ppm(profile)
    exposure = _exposure(records)
    if not ppm or exposure is None or not len(records.equity):
        return ()
    last = np.append(records.equity_at[1:] != records.equity_at[:-1], True)
    at, equity, held = (column[last] for column in (records.equity_at, records.equity, exposure))
    return margin_calls(at, equity, held, ppm)


def _exposure(records: RunRecords) -> Int64Array | None:
    """Gross value held at each moment. With one instrument it is what the equity is beside the cash."""
    if records.exposure is not None or len(records.places) != 1:
        return records.exposure
    fills, per_price = records.fills, records.places[0].cash_units_per_price_unit_lot
    flows = -fills[:, code.F_SIDE] * fills[:, code.F_LOTS] * fills[:, code.F_PRICE] * per_price - fills[:, code.F_FEE]
    cash = np.concatenate([[0], np.cumsum(flows)])[np.searchsorted(fills[:, code.F_AT], records.equity_at, side="right")]
    held: Int64Array = np.abs(records.equity - records.opening_cash - cash)
    return held


def margin_sheet(records: RunRecords, profile: EngineProfile) -> dict[str, Any]:
    """The part of a tear sheet: level, count and the first calls, times as ISO 8601, amounts as text."""
    unit = records.cash_unit
    return {
        "call_percent": call_ppm(profile) / _PPM_PER_PERCENT,
        "count": len(records.margin_calls),
        "calls": [
            {
                "called_at": from_micros(item.called_at).isoformat(),
                "equity": f"{(item.equity * unit).normalize():f}",
                "exposure": f"{(item.exposure * unit).normalize():f}",
                "cleared_at": None if item.cleared_at is None else from_micros(item.cleared_at).isoformat(),
                "is_flat": item.is_flat,
            }
            for item in records.margin_calls[:CALLS_SHOWN]
        ],
    }
