"""The plain runs of a strategy in its two forms, by the venue rules of a paper account."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

import numpy as np

from apps.backtests.domain.event_run import simulate_event_bars
from apps.backtests.domain.vector_run import Simulation, simulate_signals
from apps.markets.contracts import BarWindow
from apps.orders.selectors.simulated import simulated_profile
from apps.strategies.domain.event_strategy import build_event_strategy
from apps.strategies.domain.vector_strategy import VectorBars, build_vector_strategy
from tests.minutes import columns_of


def event_run(kind: str, parameters: Mapping[str, object], account_id: UUID, window: BarWindow, *, cash: Decimal) -> Simulation:
    """Told bar by bar."""
    strategy = build_event_strategy(kind, dict(parameters))
    return simulate_event_bars(strategy, window.instrument, simulated_profile(account_id), columns_of(window), cash=cash)


def vector_run(kind: str, parameters: Mapping[str, object], account_id: UUID, window: BarWindow, *, cash: Decimal) -> Simulation:
    """As arrays over all bars."""
    columns, spec = columns_of(window), window.instrument
    bars = VectorBars.of(spec, columns)
    signals = build_vector_strategy(kind, dict(parameters)).signals(bars, bits=np.zeros(len(bars), np.int8))
    return simulate_signals(spec, simulated_profile(account_id), columns, signals, cash=cash)
