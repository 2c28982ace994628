"""Runners: what turns a configuration and bars into records. The folder is the registry: every module of `apps/backtests/domain` whose name
ends in `_run` is loaded when the first run is made, and declares its runner:

    @runner(RunMode.VECTOR)
    class VectorRunner:
        def run(self, config, bars, *, progress, is_cancelled, seed) -> RunRecords: ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import msgspec

from apps.backtests.domain.config import RunConfig, RunMode, Value
from apps.backtests.domain.points import PointResult
from apps.backtests.domain.records import RunRecords
from apps.core.errors import NotFound, TradingError
from apps.markets.contracts import BarWindow
from apps.strategies.domain.parameters import ParameterSpec, describe_parameters
from apps.strategies.domain.strategy import build_strategy, strategy_class

ReportProgress = Callable[[int, int], None]
"""Called with bars done and bars in all; cheap enough to be called at every bar."""
IsCancelled = Callable[[], bool]
"""Whether somebody has asked to stop; cheap as well."""


class RunInterrupted(TradingError):
    """The whole work ends, and with it whatever else it was to make; not to be taken for a refusal of one run among several."""


class RunCancelled(RunInterrupted):
    """Raised by a runner that was told to stop. Nothing of the run is kept."""

    code = "cancelled"
    http_status = 409


class Runner(Protocol):
    """Makes records from bars. The same arguments always give the same records."""

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        """Run over the bars, one window per instrument in the order of the configuration.

        Raises InvalidInput, Refused or OutOfBounds (a TradingError that says what and where) for what cannot be run, RunCancelled
        when `is_cancelled` says so.
        """
        ...


@runtime_checkable
class ChecksConfig(Protocol):
    """A runner with strategies of its own also says whether it knows one; the others run the strategies of `apps/strategies/library`."""

    def check(self, config: RunConfig) -> None:
        """Raise NotFound for an unknown strategy, InvalidInput for parameters that do not fit."""
        ...


@runtime_checkable
class KnowsParameters(Protocol):
    """A runner with strategies of its own also says what their parameters are, for sweeps and forms."""

    def parameters(self, strategy: str) -> type[Any]:
        """The parameter class of a strategy, see `strategies.domain.parameters`; raises NotFound."""
        ...


@runtime_checkable
class RunsPoints(Protocol):
    """A runner that makes many points of a sweep at once, faster than one after the other."""

    def run_points(
        self,
        config: RunConfig,
        bars: Sequence[BarWindow],
        points: Sequence[dict[str, Value]],
        *,
        progress: ReportProgress,
        is_cancelled: IsCancelled,
        seed: int,
    ) -> list[PointResult]:
        """One result per point, in their order, with the figure named by `config.walk_forward.objective` among its metrics; a point that
        cannot be run says so in its result. Raises RunCancelled."""
        ...


R = TypeVar("R", bound=type[Runner])

_registry: dict[tuple[RunMode, bool], Runner] = {}
"""By mode, and whether it is one over ticks."""
_loaded: set[str] = set()


def runner(mode: RunMode, *, over_ticks: bool = False) -> Callable[[R], R]:
    """Register a runner class (made without arguments) for a mode, over bars or over ticks; the newest one stands."""

    def register(cls: R) -> R:
        _registry[mode, over_ticks] = cls()
        return cls

    return register


def runner_for(mode: RunMode, *, over_ticks: bool = False) -> Runner:
    """The runner of a mode, over bars or over ticks; raises NotFound naming the modes that there are."""
    known = modes(over_ticks=over_ticks)
    if mode not in known:
        data = " over ticks" if over_ticks else ""
        raise NotFound(f"There is no runner for the mode {mode}{data}.", where="mode", hint=f"Known: {', '.join(known) or 'none'}.")
    return _registry[mode, over_ticks]


def runner_of(config: RunConfig) -> Runner:
    """The runner that makes this configuration; raises NotFound."""
    return runner_for(config.mode, over_ticks=config.tick_file is not None)


def check_strategy(config: RunConfig) -> None:
    """Raise NotFound or InvalidInput unless the runner of the mode can run this strategy with these parameters."""
    found = runner_of(config)
    if isinstance(found, ChecksConfig):
        found.check(config)
    else:
        build_strategy(config.strategy, dict(config.parameters))


def modes_for(config: RunConfig) -> list[RunMode]:
    """The modes in which the configuration's strategy can be run, the fastest first; the parameters are not looked at."""
    found = []
    for mode in (RunMode.VECTOR, RunMode.EVENT, RunMode.SESSION):
        with suppress(NotFound):
            parameter_specs(msgspec.structs.replace(config, mode=mode))
            found.append(mode)
    return found


def parameter_specs(config: RunConfig) -> list[ParameterSpec]:
    """The parameters of the configuration's strategy; raises NotFound."""
    found = runner_of(config)
    owner = found.parameters(config.strategy) if isinstance(found, KnowsParameters) else strategy_class(config.strategy).Parameters
    return describe_parameters(owner)


def modes(*, over_ticks: bool = False) -> list[RunMode]:
    """The modes that can be run over bars, or over ticks."""
    _load_runners()
    return sorted(mode for mode, has_ticks in _registry if has_ticks is over_ticks)


def _load_runners() -> None:
    folder = Path(__file__).parent
    for source in sorted(folder.glob("*_run.py")):
        if source.stem not in _loaded:
            import_module(f"{__package__}.{source.stem}")
            _loaded.add(source.stem)
