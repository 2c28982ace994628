"""Every strategy that a session may run, by the kind that its row names: as a function of the newest bars, as events, or as arrays.

A strategy that is given as arrays runs in a session as events do; its kind begins with `vector:`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from apps.core.errors import NotFound
from apps.strategies.domain.event_strategy import (
    EventStrategy,
    build_event_strategy,
    event_strategy_class,
    event_strategy_kinds,
    hears_bars,
)
from apps.strategies.domain.strategy import Strategy, build_strategy, strategy_class, strategy_kinds
from apps.strategies.domain.vector_events import VectorAsEvents
from apps.strategies.domain.vector_strategy import VectorStrategy, build_vector_strategy, vector_strategy_class, vector_strategy_kinds

VECTOR = "vector:"

AnyStrategy: TypeAlias = Strategy | EventStrategy
AnyStrategyClass: TypeAlias = type[Strategy] | type[EventStrategy] | type[VectorStrategy]


def session_kinds() -> dict[str, str]:
    """Every kind with its title; a strategy that trades on ticks alone, or several instruments at once, is none: a session has bars of one."""
    arrays = {VECTOR + kind: f"{title} (arrays)" for kind, title in vector_strategy_kinds().items()}
    known = strategy_kinds()
    events = {
        kind: title for kind, title in event_strategy_kinds().items() if kind not in known and _fits_session(event_strategy_class(kind))
    }
    return dict(sorted({**known, **events, **arrays}.items()))


def session_class(kind: str) -> AnyStrategyClass:
    """The class whose parameters a session of this kind takes; raises NotFound."""
    if kind not in session_kinds():
        if kind in event_strategy_kinds() and event_strategy_class(kind).trades_several:
            raise NotFound(
                f"{kind} trades several instruments at once, but a session trades one.",
                where="kind",
                hint="Run it as a backtest in mode event, or write it for one instrument and open a session for each.",
            )
        raise NotFound(f"There is no strategy {kind!r}.", where="kind", hint=f"Known: {', '.join(session_kinds()) or 'none'}.")
    if kind.startswith(VECTOR):
        return vector_strategy_class(kind.removeprefix(VECTOR))
    return strategy_class(kind) if kind in strategy_kinds() else event_strategy_class(kind)


def _fits_session(strategy: type[EventStrategy]) -> bool:
    return hears_bars(strategy) and not strategy.trades_several


def session_help(kind: str) -> str:
    """What the strategy does, in the first line of its class's words."""
    return (session_class(kind).__doc__ or "").strip().partition("\n")[0]


def build_for_session(kind: str, values: dict[str, Any]) -> AnyStrategy:
    """An instance with validated parameters; raises NotFound or InvalidInput."""
    session_class(kind)
    if kind.startswith(VECTOR):
        return VectorAsEvents(build_vector_strategy(kind.removeprefix(VECTOR), values))
    return build_strategy(kind, values) if kind in strategy_kinds() else build_event_strategy(kind, values)


def kind_of(strategy: AnyStrategy) -> str:
    """The kind that a row names for this instance."""
    return VECTOR + strategy.kind if isinstance(strategy, VectorAsEvents) else strategy.kind


def is_event_kind(kind: str) -> bool:
    """Whether a session of this kind is told events and gives orders; raises NotFound."""
    return not issubclass(session_class(kind), Strategy)
