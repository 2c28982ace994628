"""How many lots an entry buys, from equity or a fixed value, so that costs fit in as well."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel
from apps.orders.domain.engine_codes import I_CASH_PER_PRICE_LOT, I_CURRENCY, I_FEE_TAKER_PPM, I_MARK, I_MAX_LOTS, PPM
from apps.orders.domain.money_nb import equity
from apps.orders.domain.pricing_nb import adverse_ppm

BY_LOTS, BY_EQUITY, BY_VALUE = range(3)
"""Lots that the strategy gives; a share of equity in millionths; a fixed value in cash units."""


@kernel("i8(i8[:, ::1], i8[::1], i8, i8, i8)")
def sized_lots(places: Any, account: Any, place: int, method: int, size: int) -> int:
    """Lots of an entry at the mark, rounded down: fee and slippage at their rates are kept back. 0 where nothing can be bought."""
    mark = places[place, I_MARK]
    if mark <= 0 or places[place, I_CURRENCY] != 0:
        return 0
    value = size
    if method == BY_EQUITY:
        worth = max(equity(places, account), 0)
        value = (worth // PPM) * size + (worth % PPM) * size // PPM
    costs = PPM + places[place, I_FEE_TAKER_PPM] + adverse_ppm(places, place, 0, -1)
    spendable = (value // costs) * PPM + (value % costs) * PPM // costs
    return min(spendable // (mark * places[place, I_CASH_PER_PRICE_LOT]), places[place, I_MAX_LOTS])
