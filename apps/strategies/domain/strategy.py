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

from apps.core.values import InstrumentSpec
from apps.forecasts.contracts import ForecastView, NoForecast
from apps.markets.contracts import BarWindow
from apps.strategies.domain.parameters import build_parameters
from apps.strategies.domain.registry import StrategyRegistry
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

_registry: StrategyRegistry[Strategy] = StrategyRegistry("strategy", "strategies", where="kind")


def strategy(kind: str, *, title: str) -> Callable[[S], S]:
    """Register a strategy class under the name that rows and the command line use."""
    return _registry.register(kind, title=title)


def strategy_kinds() -> dict[str, str]:
    """All registered strategies: name to title."""
    return _registry.titles()


def strategy_class(kind: str) -> type[Strategy]:
    """The class registered as `kind`; raises NotFound."""
    return _registry.named(kind)


def build_strategy(kind: str, values: dict[str, Any]) -> Strategy:
    """An instance with validated parameters; raises NotFound or InvalidInput."""
    cls = _registry.named(kind)
    return cls(build_parameters(cls.Parameters, values))
