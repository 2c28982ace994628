"""Vector strategies: arrays of bars in, arrays of signals out, for research at the speed of the engine.

    @vector_strategy("ema_cross", title="EMA cross")
    class EmaCross(VectorStrategy):
        Parameters = EmaCrossParameters

        def signals(self, bars: VectorBars) -> Signals: ...

The signal of a bar may depend on that bar and earlier ones alone; `manage.py check_strategy` finds out when it does not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from decimal import ROUND_DOWN, Decimal
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.orders.domain import engine_codes as code
from apps.orders.domain.sizing_nb import BY_LOTS
from apps.strategies.domain.bar_columns import BarColumns, Int64Array
from apps.strategies.domain.exit_plan import ExitPlan
from apps.strategies.domain.parameters import build_parameters
from apps.strategies.domain.registry import StrategyRegistry

Int8Array: TypeAlias = npt.NDArray[np.int8]

_NONE = np.zeros(1, np.int64)
BY_BAR = ("lots", "stops", "targets", "entry_prices", "entry_moves", "exit_prices")
"""The fields of `Signals` that have one value for every bar or one for all."""


@dataclass(frozen=True, eq=False)
class VectorBars(BarColumns):
    """Bars with their instrument."""

    instrument: InstrumentSpec

    @classmethod
    def of(cls, instrument: InstrumentSpec, bars: BarColumns) -> VectorBars:
        """The same arrays."""
        return cls(**{column.name: getattr(bars, column.name) for column in fields(BarColumns)}, instrument=instrument)

    def lots(self, quantity: Decimal) -> int:
        """A quantity in lots, cut to the lot."""
        return int((quantity / self.instrument.lot_size).to_integral_value(rounding=ROUND_DOWN))


@dataclass(frozen=True, eq=False)
class Signals:
    """What a vector strategy wants at each close: bits ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT of `simulate_nb`.

    `lots`, `stops` and `targets` have one value for every bar or one for all; stops and targets are prices in price units (0 = none). `*_ppm` are
    distances in millionths from the fill price (trailing: from the best price). Lots of one 0 leave it to the run what an
    entry buys. `sizing` other than BY_LOTS works the lots out at each entry from
    `size`, see `orders/domain/sizing_nb.py`.

    With `exits` the signals are traded by the rules of freqtrade's backtests, without stops and targets of their own. `entry_prices` are then limits
    of entries (0 = at the open), `entry_moves` where an entry that is still open is moved to (0 = nowhere), `exit_prices` what exit signals ask for
    (0 = the open), one for every bar or one for all.
    """

    bits: Int8Array
    lots: Int64Array = field(default_factory=lambda: _NONE)
    stops: Int64Array = field(default_factory=lambda: _NONE)
    targets: Int64Array = field(default_factory=lambda: _NONE)
    stop_ppm: int = 0
    target_ppm: int = 0
    trail_ppm: int = 0
    sizing: int = BY_LOTS
    size: int = 0
    exits: ExitPlan | None = None
    entry_prices: Int64Array = field(default_factory=lambda: _NONE)
    entry_moves: Int64Array = field(default_factory=lambda: _NONE)
    exit_prices: Int64Array = field(default_factory=lambda: _NONE)

    def check(self, bars: int) -> None:
        """Raise InvalidInput where arrays do not fit the bars."""
        for name in ("bits", *BY_BAR):
            array, dtype = getattr(self, name), np.int8 if name == "bits" else np.int64
            if array.dtype != dtype or array.ndim != 1 or len(array) not in ((bars,) if name == "bits" else (1, bars)):
                raise InvalidInput(
                    f"{name} must have {bars} values of type {np.dtype(dtype)}, got {len(array)} of {array.dtype}.", where=name
                )
        for name, value in (("stop_ppm", self.stop_ppm), ("target_ppm", self.target_ppm), ("trail_ppm", self.trail_ppm)):
            if not 0 <= value < code.PPM:
                raise InvalidInput(f"{name} must be from 0 to below {code.PPM}, got {value}.", where=name)
        self._check_exits()

    def _check_exits(self) -> None:
        if self.exits is None:
            if self.entry_prices.any() or self.entry_moves.any() or self.exit_prices.any():
                raise InvalidInput("Prices of entries and exits belong to an exit plan.", where="entry_prices")
            return
        self.exits.check()
        if self.stop_ppm or self.target_ppm or self.trail_ppm or self.stops.any() or self.targets.any():
            raise InvalidInput("Signals with an exit plan have no stops and targets of their own.", where="exits")
        for name, prices in (("entry_prices", self.entry_prices), ("entry_moves", self.entry_moves), ("exit_prices", self.exit_prices)):
            if (prices < 0).any():
                raise InvalidInput("Prices of entries and exits must not be negative.", where=name)


class VectorStrategy(ABC):
    """Subclass, declare `Parameters`, implement `signals`, register with `@vector_strategy`."""

    kind: ClassVar[str]
    title: ClassVar[str]
    Parameters: ClassVar[type[Any]]

    def __init__(self, parameters: Any) -> None:
        self.parameters = parameters

    @abstractmethod
    def signals(self, bars: VectorBars, *, bits: Int8Array) -> Signals:
        """The signals of all bars. `bits` is room for them, of the bars' length and with any content: fill all of it and return it in the result."""

    @classmethod
    def signals_of_many(cls, strategies: Sequence[VectorStrategy], bars: VectorBars, *, bits: Int8Array) -> list[Signals]:
        """The signals of several sets of parameters, row k of `bits` for the k-th; override where one pass over the bars can serve all."""
        return [strategy.signals(bars, bits=row) for strategy, row in zip(strategies, bits, strict=True)]


S = TypeVar("S", bound=type[VectorStrategy])

_registry: StrategyRegistry[VectorStrategy] = StrategyRegistry("vector strategy", "vector strategies", where="strategy")


def vector_strategy(kind: str, *, title: str) -> Callable[[S], S]:
    """Register a vector strategy under the name that configurations and the command line use."""
    return _registry.register(kind, title=title)


def vector_strategy_kinds() -> dict[str, str]:
    """All registered vector strategies: name to title."""
    return _registry.titles()


def vector_strategy_class(kind: str) -> type[VectorStrategy]:
    """The class registered as `kind`; raises NotFound."""
    return _registry.named(kind)


def build_vector_strategy(kind: str, values: dict[str, Any]) -> VectorStrategy:
    """An instance with validated parameters; raises NotFound or InvalidInput."""
    cls = _registry.named(kind)
    return cls(build_parameters(cls.Parameters, values))
