"""Vector strategies over several instruments on one account."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.backtests.domain.pool import Pool, merged
from apps.backtests.domain.pool_nb import C_MET, CURSOR_COLUMNS, run_pool
from apps.backtests.domain.records import Int64Array, RunRecords
from apps.backtests.domain.simulate_nb import R_AT_CLOSE, R_SIZE, R_SIZING, R_STOP_PPM, R_TARGET_PPM, R_TRAIL_PPM, RULE_COLUMNS
from apps.backtests.domain.vector_run import Workspace, book_simulation
from apps.core.errors import InvalidInput
from apps.orders.domain.engine_codes import StepStatus
from apps.strategies.domain.vector_strategy import Signals


class PoolSignals:
    """Runs signals of all instruments over the same bars again and again, in the same memory. Not for several threads at once."""

    def __init__(self, pool: Pool) -> None:
        self.pool, self.space, self.engine = pool, Workspace(), pool.engine()
        self._opening = self.engine.cash(pool.currency)
        self._fresh_places, self._fresh_account = self.engine.places.copy(), self.engine.account.copy()
        count = len(pool.place)
        self._bits = np.zeros(count, np.int8)
        self._lots, self._stops, self._targets = (np.zeros(count, np.int64) for _ in range(3))
        self._rules, self._rule = np.zeros((len(pool.specs), RULE_COLUMNS), np.int64), np.zeros(RULE_COLUMNS, np.int64)
        self._exposure = np.zeros(len(pool.times), np.int64)

    def run(self, signals: Sequence[Signals], *, closes_at_end: bool = False) -> RunRecords:
        """One `Signals` an instrument, checked. Raises InvalidInput for exit plans, OutOfBounds where an amount leaves int64."""
        line = self._trade(signals)
        if closes_at_end and len(line):
            self.pool.close_out(self.engine, line, self._exposure)
        self.space.keep(self.engine)
        made = book_simulation(self.engine, self.space, line, self.pool.times, self._opening)
        return self.pool.records(made, self._exposure)

    def _trade(self, signals: Sequence[Signals]) -> Int64Array:
        """The equity at each closing time."""
        pool, engine, events = self.pool, self.engine, self.pool.events
        np.copyto(engine.places, self._fresh_places)
        np.copyto(engine.account, self._fresh_account)
        self._take(signals)
        cursor, line = np.zeros(CURSOR_COLUMNS, np.int64), self.space.equity_of(len(pool.times))
        status = StepStatus.BOOK_FULL
        while status is StepStatus.BOOK_FULL:
            engine.make_room(events=64)
            status = StepStatus(
                run_pool(
                    engine.book, engine.active, engine.places, engine.account, engine.fills, cursor, pool.place,
                    events.opened_at, events.closed_at, events.open, events.high, events.low, events.close, events.volume,
                    self._bits, self._lots, self._stops, self._targets, self._rules, self._rule, line, self._exposure,
                )
            )  # fmt: skip
        if status is not StepStatus.OK:
            pool.fail(status, min(int(cursor[C_MET]), len(pool.place) - 1))
        return line

    def _take(self, signals: Sequence[Signals]) -> None:
        """Lay the signals out in the order of time."""
        for place, own in enumerate(signals):
            if own.exits is not None:
                raise InvalidInput(
                    "An exit plan follows the rules of freqtrade's backtests, which trade one instrument at a time.",
                    where="instrument_ids",
                    hint="Start a run for each, or give stops, targets or a trailing stop.",
                )
            self._bits[self.pool.slots[place]] = own.bits
            rule = self._rules[place]
            rule[R_STOP_PPM], rule[R_TARGET_PPM], rule[R_TRAIL_PPM] = own.stop_ppm, own.target_ppm, own.trail_ppm
            rule[R_SIZING], rule[R_SIZE] = own.sizing, own.size
            rule[R_AT_CLOSE] = self.pool.profiles[place].is_at_close
        merged(self.pool, [own.lots for own in signals], self._lots)
        merged(self.pool, [own.stops for own in signals], self._stops)
        merged(self.pool, [own.targets for own in signals], self._targets)
