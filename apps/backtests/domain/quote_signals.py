"""Signals over quotes through the engine."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from apps.backtests.domain.event_run import QuoteColumns
from apps.backtests.domain.simulate_quotes_nb import run_quote_signals
from apps.backtests.domain.tick_equity import close_at_best
from apps.backtests.domain.vector_run import Int64Array, Simulation, Workspace, book_simulation, raise_status
from apps.core.values import InstrumentSpec
from apps.orders.domain.engine import NO_LIMITS, Engine
from apps.orders.domain.engine_codes import StepStatus
from apps.orders.domain.profiles import EngineProfile
from apps.strategies.domain.vector_strategy import Int8Array


def simulate_quote_signals(
    instrument: InstrumentSpec,
    profile: EngineProfile,
    quotes: QuoteColumns,
    signals: Int8Array,
    *,
    lots: int,
    cash: Decimal,
    limits: Int64Array | None = None,
    closes_at: int | None = None,
    workspace: Workspace | None = None,
) -> Simulation:
    """Run the bits of `strategies.domain.signal_bits` over checked quotes, behind pre-trade limits where they are given. Equity is that of each
    quote. With `closes_at` what is held behind the last quote is closed at it, at that moment."""
    space = workspace or Workspace()
    engine = Engine([instrument], [profile], cash={instrument.quote_asset: cash})
    opening_cash = engine.cash(instrument.quote_asset)
    space.lend(engine)
    equity, status, index = space.equity_of(len(quotes)), np.zeros(1, np.int64), 0
    checks = NO_LIMITS.copy() if limits is None else limits.copy()
    while index < len(quotes):
        engine.make_room(events=64)
        index = run_quote_signals(
            engine.book, engine.active, engine.places, engine.account, engine.fills, checks, 0, index, len(quotes),
            quotes.at, quotes.bid, quotes.ask, quotes.bid_lots, quotes.ask_lots, signals, lots, equity, status,
        )  # fmt: skip
        if index < len(quotes) and status[0] != StepStatus.BOOK_FULL:
            raise_status(StepStatus(int(status[0])), index)
    if closes_at is not None and len(quotes):
        close_at_best(engine, at=closes_at, bid=int(quotes.bid[-1]), ask=int(quotes.ask[-1]))
    space.keep(engine)
    return book_simulation(engine, space, equity, quotes.at, opening_cash)
