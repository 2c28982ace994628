"""The engine's arrays and typed calls on them: the one door for event strategies, paper and tests.

Prices in price units, quantities in lots, cash in cash units of the instrument's currency, times in microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput, OutOfBounds
from apps.core.values import InstrumentSpec, decimal_unit, to_units
from apps.orders.domain import engine_codes as code
from apps.orders.domain.bar_nb import step_bar
from apps.orders.domain.book_nb import amend, cancel
from apps.orders.domain.close_nb import match_at_close
from apps.orders.domain.depth_nb import step_depth
from apps.orders.domain.engine_codes import EngineOrderState, EngineOrderType, EngineTimeInForce, Reason, StepStatus
from apps.orders.domain.money_nb import equity, free_cash
from apps.orders.domain.pretrade_nb import LIMIT_COLUMNS, submit_within
from apps.orders.domain.profiles import EngineProfile, place_row

Int64Array: TypeAlias = npt.NDArray[np.int64]

NO_LIMITS = np.zeros(LIMIT_COLUMNS, np.int64)


@dataclass(frozen=True)
class NewOrder:
    """An order in the engine's units. `parent` is the row of the order that triggers it, `group` joins orders of which one cancels the others."""

    place: int
    side: int
    order_type: EngineOrderType
    lots: int
    limit: int = 0
    stop: int = 0
    trail: int = 0
    trail_ppm: int = 0
    time_in_force: EngineTimeInForce = EngineTimeInForce.GTC
    flags: int = 0
    expires_at: int = code.NEVER
    parent: int = code.NO_ROW
    group: int = 0
    stop_ppm: int = 0
    limit_ppm: int = 0
    tag: int = 0


@dataclass(frozen=True)
class EngineBar:
    """A bar in the engine's units; `volume` in lots, -1 where it is not known."""

    opened_at: int
    closed_at: int
    open: int
    high: int
    low: int
    close: int
    volume: int = -1


class Engine:
    """One account at one simulated market. The first currency of `cash` is the account's own; `rates` are prices of the others in it."""

    def __init__(
        self,
        instruments: Sequence[InstrumentSpec],
        profiles: Sequence[EngineProfile],
        *,
        cash: Mapping[str, Decimal],
        rates: Mapping[str, Decimal] | None = None,
        capacity: int = 256,
    ) -> None:
        currencies = list(cash)
        scales = _cash_scales(instruments, currencies)
        self.instruments = tuple(instruments)
        self.profiles = tuple(profiles)
        self.currencies = tuple(currencies)
        self.book: Int64Array = np.zeros((capacity, code.BOOK_COLUMNS), np.int64)
        self.active: Int64Array = np.zeros(capacity, np.int64)
        self.fills: Int64Array = np.zeros((2 * capacity, code.FILL_COLUMNS), np.int64)
        self.places: Int64Array = np.array(
            [
                place_row(spec, profile, currency=currencies.index(spec.quote_asset))
                for spec, profile in zip(instruments, profiles, strict=True)
            ]
        )
        self.levels: Int64Array = np.zeros((len(instruments), 0, code.LEVEL_COLUMNS), np.int64)
        """The depth snapshot of each instrument that was stepped last."""
        self.account: Int64Array = np.zeros(code.A_CASH + 2 * len(currencies), np.int64)
        self.account[code.A_CURRENCIES] = len(currencies)
        self.account[code.A_IS_CASH_ONLY] = all(profile.is_cash_only for profile in profiles) and len(currencies) == 1
        self.account[code.A_LATENCY_US] = max((profile.latency_us for profile in profiles), default=0)
        for index, currency in enumerate(currencies):
            self.account[code.A_CASH + index] = to_units(cash[currency], decimal_unit(scales[currency]), name="cash")
            self.set_rate(currency, (rates or {}).get(currency, Decimal(1)), scales=scales)

    def set_rate(self, currency: str, rate: Decimal, *, scales: Mapping[str, int] | None = None) -> None:
        """The price of a currency in the account's own, for valuation and margin."""
        by_currency = scales or _cash_scales(self.instruments, list(self.currencies))
        own = self.currencies[0]
        scaled = rate * code.RATE_ONE * decimal_unit(by_currency[currency] - by_currency[own])
        if not rate.is_finite() or not 1 <= scaled <= code.INT64_SAFE:
            raise OutOfBounds(f"The rate {rate} of {currency} cannot be used.", where="rate")
        slot = code.A_CASH + len(self.currencies) + self.currencies.index(currency)
        self.account[slot] = int(scaled)

    def submit(self, order: NewOrder, *, limits: Int64Array | None = None) -> int:
        """The row of the new order, behind pre-trade limits where they are given; look at `state(row)` and `reason(row)` for whether it was
        taken."""
        self.make_room()
        row = submit_within(
            self.book, self.active, self.places, self.account, NO_LIMITS if limits is None else limits, order.place, order.side,
            int(order.order_type), int(order.time_in_force), order.flags, order.lots, order.limit, order.stop, order.trail, order.trail_ppm,
            order.expires_at, order.parent, order.group, order.stop_ppm, order.limit_ppm, order.tag,
        )  # fmt: skip
        if row == code.NO_ROW:
            raise InvalidInput(f"There is no order {order.parent} that could trigger another.", where="parent")
        return int(row)

    def cancel(self, row: int) -> Reason:
        """Cancel; NONE when done, else why not."""
        return Reason(cancel(self.book, self.active, self.places, self.account, row, int(Reason.CANCELLED_BY_OWNER)))

    def amend(
        self,
        row: int,
        *,
        lots: int | None = None,
        limit: int | None = None,
        stop: int | None = None,
        trail: int | None = None,
        trail_ppm: int | None = None,
    ) -> Reason:
        """Change what is given; NONE when done, else why not, and then nothing has changed."""
        if not 0 <= row < self.orders_used:
            return Reason.UNKNOWN_ORDER
        wanted = (lots, limit, stop, trail, trail_ppm)
        columns = (code.O_LOTS, code.O_LIMIT, code.O_STOP, code.O_TRAIL, code.O_TRAIL_PPM)
        terms = [int(self.book[row, column]) if value is None else value for column, value in zip(columns, wanted, strict=True)]
        return Reason(amend(self.book, self.active, self.places, self.account, row, *terms))

    def step_bar(self, place: int, bar: EngineBar) -> StepStatus:
        """Match one bar; BAD_BAR and then nothing has changed, OVERFLOW and then the state is not to be used any more."""
        self.make_room()
        return StepStatus(
            step_bar(
                self.book, self.active, self.places, self.account, self.fills, place,
                bar.opened_at, bar.closed_at, bar.open, bar.high, bar.low, bar.close, bar.volume,
            )
        )  # fmt: skip

    def step_depth(self, place: int, at: int, shown: Int64Array) -> StepStatus:
        """Match a snapshot: a row per level with the columns L_BID, L_BID_LOTS, L_ASK and L_ASK_LOTS, best first; a price of 0 ends a side."""
        self.make_room(events=len(shown) + 1)
        if self.levels.shape[1] < len(shown):
            larger = np.zeros((len(self.places), len(shown), code.LEVEL_COLUMNS), np.int64)
            larger[:, : self.levels.shape[1]] = self.levels
            self.levels = larger
        tables = (self.book, self.active, self.places, self.account, self.fills, self.levels[place])
        return StepStatus(step_depth(*tables, place, at, shown))

    def match_at_close(self, place: int, *, close: int, volume: int = -1) -> StepStatus:
        """Fill the market orders given on this bar's close at that close."""
        self.make_room()
        return StepStatus(match_at_close(self.book, self.active, self.places, self.account, self.fills, place, close, volume))

    def new_group(self) -> int:
        """A number that no group has yet."""
        self.account[code.A_NEXT_GROUP] += 1
        return int(self.account[code.A_NEXT_GROUP])

    def make_room(self, events: int = 1) -> None:
        """Grow the tables so that any event and a handful of orders fit."""
        acting = int(self.account[code.A_ACTIVE] + self.account[code.A_WAITING]) + 32
        self.book = _grown(self.book, int(self.account[code.A_ORDERS]) + 32)
        self.active = _grown(self.active, acting + int(self.account[code.A_ACTIVE]) + 32)
        self.fills = _grown(self.fills, int(self.account[code.A_FILLS]) + 2 * acting * events)

    @property
    def orders_used(self) -> int:
        return int(self.account[code.A_ORDERS])

    @property
    def equity(self) -> int:
        """In cash units of the account's currency, at the last marks."""
        return int(equity(self.places, self.account))

    @property
    def free_cash(self) -> int:
        return int(free_cash(self.places, self.account))

    def cash(self, currency: str) -> int:
        return int(self.account[code.A_CASH + self.currencies.index(currency)])

    def position(self, place: int) -> int:
        """Lots held, signed."""
        return int(self.places[place, code.I_POSITION])

    def state(self, row: int) -> EngineOrderState:
        return EngineOrderState(int(self.book[row, code.O_STATE]))

    def reason(self, row: int) -> Reason:
        return Reason(int(self.book[row, code.O_REASON]))

    def order_rows(self) -> Int64Array:
        """Every order ever given, also the refused ones; a copy."""
        return self.book[: self.orders_used].copy()

    def fill_rows(self) -> Int64Array:
        """Every fill; a copy."""
        return self.fills[: int(self.account[code.A_FILLS])].copy()


def _grown(table: Int64Array, needed: int) -> Int64Array:
    if table.shape[0] >= needed:
        return table
    larger = np.zeros((max(needed, 2 * table.shape[0]), *table.shape[1:]), np.int64)
    larger[: table.shape[0]] = table
    return larger


def _cash_scales(instruments: Sequence[InstrumentSpec], currencies: Sequence[str]) -> dict[str, int]:
    """Decimals of each currency's cash unit: one for every instrument that settles in it; without any the finest of the others, or 8."""
    scales: dict[str, int] = {}
    for spec in instruments:
        if spec.quote_asset not in currencies:
            raise InvalidInput(f"{spec.symbol} settles in {spec.quote_asset}, of which the account has no cash.", where="cash")
        if scales.setdefault(spec.quote_asset, spec.cash_scale) != spec.cash_scale:
            raise InvalidInput(
                f"Instruments in {spec.quote_asset} count cash in different units ({scales[spec.quote_asset]} and {spec.cash_scale} decimals).",
                where="cash_scale",
            )
    finest = max(scales.values(), default=8)
    return {currency: scales.get(currency, finest) for currency in currencies}
