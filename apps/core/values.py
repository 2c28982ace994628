"""Exact values: Decimal at the edges, int64 units inside.

A value is a whole number of units on a grid; conversion either is exact or raises `InexactValue`.
`InstrumentSpec` is what a kernel, a strategy and a broker need to know of an instrument.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Self
from uuid import UUID

from apps.core.errors import InexactValue, InvalidInput, OutOfBounds
from apps.core.rounding import require_finite

INT64_SAFE = 2**61
"""Largest magnitude that compiled code may meet: sums of two still fit an int64."""


def to_units(value: Decimal, unit: Decimal, *, name: str = "value") -> int:
    """`value` as a whole number of `unit`; raises if it is not finite, not on the grid, or too large for int64."""
    require_finite(value, name=name)
    try:
        quotient, remainder = divmod(value, unit)
    except InvalidOperation:
        raise OutOfBounds(f"{name} {value} is far larger than {INT64_SAFE} units of {unit}.", where=name) from None
    if remainder:
        raise InexactValue(f"{name} {value} is not a multiple of {unit}.", where=name)
    units = int(quotient)
    if abs(units) > INT64_SAFE:
        raise OutOfBounds(f"{name} {value} is larger than {INT64_SAFE} units of {unit}.", where=name)
    return units


def from_units(units: int, unit: Decimal) -> Decimal:
    """The decimal that `units` stand for."""
    return units * unit


def decimal_unit(scale: int) -> Decimal:
    """10^-scale, the size of one unit at that scale."""
    return Decimal(1).scaleb(-scale)


@dataclass(frozen=True, slots=True)
class _Scaled:
    """A whole number of units of 10^-scale. Values of different scales neither mix nor compare."""

    units: int
    scale: int

    @classmethod
    def from_decimal(cls, value: Decimal, scale: int) -> Self:
        return cls(to_units(value, decimal_unit(scale), name=cls.__name__.lower()), scale)

    def to_decimal(self) -> Decimal:
        return from_units(self.units, decimal_unit(self.scale))

    def _same_grid(self, other: Self) -> None:
        if type(self) is not type(other) or self.scale != other.scale:
            raise InvalidInput(
                f"Cannot combine or compare {type(self).__name__} at scale {self.scale} with {type(other).__name__} at scale {other.scale}."
            )

    def __add__(self, other: Self) -> Self:
        self._same_grid(other)
        return type(self)(self.units + other.units, self.scale)

    def __sub__(self, other: Self) -> Self:
        self._same_grid(other)
        return type(self)(self.units - other.units, self.scale)

    def __neg__(self) -> Self:
        return type(self)(-self.units, self.scale)

    def __lt__(self, other: Self) -> bool:
        self._same_grid(other)
        return self.units < other.units

    def __le__(self, other: Self) -> bool:
        self._same_grid(other)
        return self.units <= other.units


@dataclass(frozen=True, slots=True)
class Price(_Scaled):
    """A price in units of 10^-scale of the quote asset."""


@dataclass(frozen=True, slots=True)
class Quantity(_Scaled):
    """A quantity in units of 10^-scale of the base asset."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one asset, in units of 10^-scale. Amounts of different assets do not mix."""

    units: int
    scale: int
    asset: str

    @classmethod
    def from_decimal(cls, value: Decimal, scale: int, asset: str) -> Money:
        return cls(to_units(value, decimal_unit(scale), name="money"), scale, asset)

    def to_decimal(self) -> Decimal:
        return from_units(self.units, decimal_unit(self.scale))

    def __add__(self, other: Money) -> Money:
        if (self.asset, self.scale) != (other.asset, other.scale):
            raise InvalidInput(f"Cannot add {other.asset} at scale {other.scale} to {self.asset} at scale {self.scale}.")
        return Money(self.units + other.units, self.scale, self.asset)

    def __neg__(self) -> Money:
        return Money(-self.units, self.scale, self.asset)


@dataclass(frozen=True)
class InstrumentSpec:
    """What the domain knows of an instrument; built from its row, never changed.

    One cash unit (10^-cash_scale of the quote asset) divides every price_unit x lot, so notionals are exact.
    """

    id: UUID
    venue_id: UUID
    symbol: str
    base_asset: str
    quote_asset: str
    price_scale: int
    volume_scale: int
    cash_scale: int
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    max_price: Decimal
    max_quantity: Decimal
    multiplier: int = 1
    is_closes_only: bool = False

    @cached_property
    def price_unit(self) -> Decimal:
        return decimal_unit(self.price_scale)

    @cached_property
    def cash_unit(self) -> Decimal:
        return decimal_unit(self.cash_scale)

    @cached_property
    def cash_units_per_price_unit_lot(self) -> int:
        """Cash units in one price unit times one lot times the multiplier."""
        return to_units(self.price_unit * self.lot_size * self.multiplier, self.cash_unit, name="price unit x lot")

    def check_bounds(self) -> None:
        """Raise `OutOfBounds`/`InexactValue` where compiled int64 arithmetic could wrap or lose a unit."""
        if self.tick_size % self.price_unit:
            raise InexactValue(f"{self.symbol}: tick {self.tick_size} is finer than the price scale {self.price_scale}.", where="tick_size")
        largest = self.price_units(self.max_price) * self.quantity_lots(self.max_quantity) * self.cash_units_per_price_unit_lot
        if largest > INT64_SAFE:
            raise OutOfBounds(
                f"{self.symbol}: max price {self.max_price} x max quantity {self.max_quantity} needs {largest} cash units,"
                f" more than {INT64_SAFE}.",
                where="max_quantity",
                hint="Lower the maximum quantity or price, or use a coarser lot or cash unit.",
            )

    def price_units(self, price: Decimal) -> int:
        return to_units(price, self.price_unit, name="price")

    def price(self, units: int) -> Decimal:
        return from_units(int(units), self.price_unit)

    def quantity_lots(self, quantity: Decimal) -> int:
        return to_units(quantity, self.lot_size, name="quantity")

    def quantity(self, lots: int) -> Decimal:
        return from_units(int(lots), self.lot_size)

    def cash_units(self, amount: Decimal) -> int:
        return to_units(amount, self.cash_unit, name="amount")

    def cash(self, units: int) -> Decimal:
        return from_units(int(units), self.cash_unit)

    def notional(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Exact value of `quantity` at `price` in the quote asset."""
        return price * quantity * self.multiplier
