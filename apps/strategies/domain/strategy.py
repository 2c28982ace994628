"""The base class of strategies and their registry.

A strategy is a function of its inputs: the same bars, features, forecast and position always give the same signal. It keeps no state of its own,
so a restart needs nothing but the rows, and backtest, paper and live cannot differ. A new strategy is one file in `apps/strategies/library/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from apps.core.errors import InvalidInput, NotFound
from apps.core.values import InstrumentSpec
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.markets.contracts import BarWindow
from apps.strategies.domain.parameters import build_parameters
from apps.strategies.domain.signals import Signal


@dataclass(frozen=True)
class Context:
    """Everything a strategy may look at: closed bars up to now, their features, the forecast made on them, and what it holds."""

    instrument: InstrumentSpec
    window: BarWindow
    features: dict[str, float]
    forecast: ForecastView | NoForecast
    position: Decimal


class Strategy(ABC):
    """Subclass, declare `Parameters`, implement `decide`, register with `@strategy`."""

    kind: ClassVar[str]
    title: ClassVar[str]
    Parameters: ClassVar[type[Any]]
    forecast_horizon_bars: int = 5

    def __init__(self, parameters: Any) -> None:
        self.parameters = parameters

    @property
    @abstractmethod
    def warmup_bars(self) -> int:
        """Bars needed before `decide` can judge."""

    @abstractmethod
    def decide(self, context: Context) -> Signal:
        """The signal for the newest bar of the window. Must not read time, files, the network or a database."""


S = TypeVar("S", bound=type[Strategy])

_registry: dict[str, type[Strategy]] = {}


def strategy(kind: str, *, title: str) -> Callable[[S], S]:
    """Register a strategy class under the name that rows and the command line use."""

    def register(cls: S) -> S:
        known = _registry.get(kind)
        if known is not None and known.__qualname__ != cls.__qualname__:
            raise InvalidInput(f"Two strategies are called {kind!r}: {known.__qualname__} and {cls.__qualname__}.")
        cls.kind = kind
        cls.title = title
        _registry[kind] = cls
        return cls

    return register


def strategy_class(kind: str) -> type[Strategy]:
    """The class registered as `kind`."""
    try:
        return _registry[kind]
    except KeyError:
        raise NotFound(f"There is no strategy {kind!r}.", where="kind", hint=f"Known: {', '.join(sorted(_registry)) or 'none'}.") from None


def strategy_kinds() -> dict[str, str]:
    """All registered strategies: name to title."""
    return {kind: _registry[kind].title for kind in sorted(_registry)}


def build_strategy(kind: str, values: dict[str, Any]) -> Strategy:
    """An instance with validated parameters."""
    cls = strategy_class(kind)
    return cls(build_parameters(cls.Parameters, values))
