"""From ccxt's market descriptions and candle lists to ours. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from apps.core.rounding import round_quantity
from apps.core.values import INT64_SAFE
from apps.core.vocabulary import Timeframe
from apps.markets.domain.bars import RawBars, empty_raw_bars, raw_bars_of
from apps.markets.ports import Listing

DECIMAL_PLACES, TICK_SIZE = 2, 4
"""ccxt's precision modes that say a step; the third one, significant digits, does not."""
MOST_CASH_PLACES = 10
_FALLBACK_STEP = Decimal("0.00000001")
_PRICE_RANGE = Decimal(10) ** 9
_DEFAULT_MAX_QUANTITY = Decimal(10) ** 9


def listing(market: dict[str, Any], *, exchange: str, precision_mode: int) -> Listing:
    """An instrument whose grid is the exchange's and whose maxima keep int64 arithmetic exact.

    The lot is coarsened where one price step times one lot would need more than ten decimal places of cash.
    """
    tick = step_size(market["precision"].get("price"), precision_mode)
    price_scale = places(tick)
    lot = max(step_size(market["precision"].get("amount"), precision_mode), Decimal(1).scaleb(price_scale - MOST_CASH_PLACES))
    cash_scale = max(8, price_scale + places(lot))
    limits = market.get("limits") or {}
    max_price = _limit(limits, "price", "max") or tick * _PRICE_RANGE
    safe_quantity = Decimal(INT64_SAFE).scaleb(-cash_scale) / max_price
    max_quantity = round_quantity(min(_limit(limits, "amount", "max") or _DEFAULT_MAX_QUANTITY, safe_quantity), lot)
    return Listing(
        symbol=market["symbol"], name=f"{market['base']} in {market['quote']}", base_asset=market["base"], quote_asset=market["quote"],
        asset_class="crypto", calendar="24/7", price_scale=price_scale, volume_scale=min(places(lot), 8), tick_size=tick, lot_size=lot,
        min_quantity=max(_limit(limits, "amount", "min") or lot, lot), min_notional=_limit(limits, "cost", "min") or Decimal(0),
        max_price=max_price, max_quantity=max_quantity, cash_scale=cash_scale,
        source_label=f"Public REST candles of {exchange} through ccxt.",
    )  # fmt: skip


def step_size(precision: float | None, precision_mode: int) -> Decimal:
    """The smallest step that a ccxt precision stands for."""
    if precision is None:
        return _FALLBACK_STEP
    if precision_mode == TICK_SIZE:
        return Decimal(str(precision)).normalize()
    if precision_mode == DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(precision))
    return _FALLBACK_STEP


def places(step: Decimal) -> int:
    """Decimal places that hold every multiple of `step`."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def raw_bars(page: list[list[Any]], timeframe: Timeframe) -> RawBars:
    """Candles as a series; a value that the exchange leaves out is NaN."""
    if not page:
        return empty_raw_bars()
    values = np.array([[np.nan if item is None else float(item) for item in row[1:6]] for row in page])
    opened = np.array([int(row[0]) for row in page], np.int64) * 1000
    length = int(timeframe.duration.total_seconds()) * 1_000_000
    return raw_bars_of(opened, opened + length, [np.ascontiguousarray(values[:, column]) for column in range(5)])


def _limit(limits: dict[str, Any], kind: str, end: str) -> Decimal | None:
    value = (limits.get(kind) or {}).get(end)
    return Decimal(str(value)) if value else None
