"""Searches by name. Optuna is loaded on first use: only the process that searches with it pays for it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from apps.backtests.domain.optimise import IsAllowed, ListSearch, Search, Space, Suggestion, Told, grid, sample
from apps.backtests.domain.states import SweepMethod

_OPTUNA_MODULE = "apps.backtests.adapters.optuna_search"


def new_search(
    method: SweepMethod,
    space: Space,
    *,
    budget: int,
    seed: int,
    is_allowed: IsAllowed | None = None,
    told: Sequence[Told] = (),
    pending: Sequence[Suggestion] = (),
) -> Search:
    """A search over the space. `budget` is the most points a grid may have and the number a random search draws; whoever drives Optuna
    counts for himself.

    `told` and `pending` continue an interrupted search: grid and random leave out what was told and begin anew with what was pending,
    Optuna keeps what is pending open.
    """
    if method is SweepMethod.OPTUNA:
        search: Search = import_module(_OPTUNA_MODULE).OptunaSearch(space, seed=seed, told=told, pending=pending, is_allowed=is_allowed)
        return search
    if method is SweepMethod.GRID:
        points = grid(space, budget, is_allowed=is_allowed)
    else:
        points = sample(space, budget, seed, is_allowed=is_allowed)
    return ListSearch(points, done=[item.number for item in told])
