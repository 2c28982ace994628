"""What a backtest can be asked for: the strategies, the ways in which each can be run, and its parameters."""

from __future__ import annotations

from collections.abc import Mapping

from apps.backtests.contracts import RunConfig, StrategyChoice
from apps.backtests.domain.runners import modes_for, parameter_specs
from apps.core.errors import NotFound
from apps.core.vocabulary import Timeframe
from apps.strategies.domain.event_strategy import event_strategy_kinds
from apps.strategies.domain.strategy import strategy_kinds
from apps.strategies.domain.vector_strategy import vector_strategy_kinds


def strategy_choices() -> list[StrategyChoice]:
    """Every strategy that can be run in at least one mode, by name."""
    titles = {**event_strategy_kinds(), **vector_strategy_kinds(), **strategy_kinds()}
    found = [_choice(kind, titles) for kind in sorted(titles)]
    return [item for item in found if item.modes]


def strategy_choice(kind: str) -> StrategyChoice:
    """One strategy; raises NotFound naming those that there are."""
    choices = {item.kind: item for item in strategy_choices()}
    if kind not in choices:
        raise NotFound(f"There is no strategy {kind!r}.", where="strategy", hint=f"Known: {', '.join(choices) or 'none'}.")
    return choices[kind]


def _choice(kind: str, titles: Mapping[str, str]) -> StrategyChoice:
    config = RunConfig(strategy=kind, timeframe=Timeframe.D1)
    modes = modes_for(config)
    specs = parameter_specs(RunConfig(strategy=kind, timeframe=Timeframe.D1, mode=modes[0])) if modes else []
    return StrategyChoice(kind, titles[kind], tuple(modes), tuple(specs))
