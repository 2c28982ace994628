"""Several instruments, in one currency or more, on one account: their bars in the order of time, the engine, and what a run of them leaves.

All bars that close at a time are met before anything is decided at it; then the instruments are decided in the order of the configuration. Cash of all
currencies is one pool: what is bought in a currency of which there is none is owed in it, and free cash is counted in the account's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from apps.backtests.domain.config import RunConfig
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.pool_nb import gross_held
from apps.backtests.domain.records import Int64Array, RunRecords, currencies_of
from apps.backtests.domain.vector_run import TAG_END, Simulation, raise_status, refusals
from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.markets.contracts import BarWindow
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine import Engine, NewOrder
from apps.orders.domain.engine_book import on_scale
from apps.orders.domain.engine_codes import EngineOrderType, StepStatus
from apps.orders.domain.profiles import EngineProfile
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.event_session import lots_of_volume

_NAMES = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, eq=False)
class Pool:
    """Instruments with their bars, all counting cash in one unit. An event is a bar of one instrument; `place` and `events` have one element for each,
    in the order of time, and `slots[p]` says where the bars of place p lie among them. `times` are the closing times, each once."""

    specs: tuple[InstrumentSpec, ...]
    profiles: tuple[EngineProfile, ...]
    bars: tuple[BarColumns, ...]
    currency: str
    capital: Decimal
    rates: dict[str, Decimal]
    place: Int64Array
    events: BarColumns
    slots: tuple[Int64Array, ...]
    times: Int64Array

    def engine(self) -> Engine:
        """An account with the capital, in the account's currency, and nothing of the others."""
        others = {name: Decimal(0) for name in currencies_of(self.specs, self.currency)[1:]}
        return Engine(self.specs, self.profiles, cash={self.currency: self.capital, **others}, rates=self.rates)

    def fail(self, status: StepStatus, event: int) -> None:
        """Raise what a step that went wrong means, naming the bar."""
        place = int(self.place[event])
        raise_status(status, int(np.searchsorted(self.slots[place], event)), symbol=self.specs[place].symbol)

    def close_out(self, engine: Engine, line: Int64Array, exposure: Int64Array) -> None:
        """Cancel what is open, and sell or buy back what is still held, whatever the latency, each instrument at its last close, all at the end
        of the run."""
        engine.account[code.A_NOW], engine.account[code.A_LATENCY_US] = self.times[-1], 0
        for row in engine.active[: int(engine.account[code.A_ACTIVE])].tolist():
            engine.cancel(row)
        for place, bars in enumerate(self.bars):
            held = engine.position(place)
            if not held:
                continue
            engine.places[place, code.I_MARK] = bars.close[-1]
            side = code.SELL if held > 0 else code.BUY
            engine.submit(NewOrder(place, side, EngineOrderType.MARKET, abs(held), flags=code.REDUCE_ONLY, tag=TAG_END))
            engine.places[place, code.I_STEPPED_AT] = 0
            engine.match_at_close(place, close=int(bars.close[-1]))
        line[-1], exposure[-1] = engine.equity, gross_held(engine.places, engine.account)

    def records(self, made: Simulation, exposure: Int64Array) -> RunRecords:
        """A finished run, copied out of its workspace."""
        return RunRecords(
            places=self.specs, orders=made.orders.copy(), fills=made.fills.copy(), trades=made.trades.copy(), entries=made.entries.copy(),
            equity_at=made.closed_at, equity=made.equity.copy(), exposure=exposure.copy(), cash_scale=self.specs[0].cash_scale,
            currency=self.currency, opening_cash=made.opening_cash, refusals=refusals(made.orders),
            rates={name: self.rates[name] for name in currencies_of(self.specs, self.currency)[1:]},
        )  # fmt: skip


def pool_of(config: RunConfig, windows: Sequence[BarWindow]) -> Pool:
    """The pool of a configuration. Raises InvalidInput for bars that cannot be traded, symbols that are not told apart, and a rate that is missing."""
    specs = _specs([window.instrument for window in windows], config)
    bars = tuple(bar_columns(window) for window in windows)
    place = np.concatenate([np.full(len(columns), index, np.int64) for index, columns in enumerate(bars)])
    order = np.lexsort((place, np.concatenate([columns.closed_at for columns in bars])))
    events = BarColumns(*(np.concatenate([getattr(columns, name) for columns in bars])[order] for name in _NAMES))
    place = np.ascontiguousarray(place[order])
    return Pool(
        specs=specs,
        profiles=tuple(_profile_in(engine_profile(config), _rate_of(spec, config)) for spec in specs),
        bars=bars,
        currency=config.currency,
        capital=config.capital,
        rates=dict(config.rates),
        place=place,
        events=events,
        slots=tuple(np.flatnonzero(place == index).astype(np.int64) for index in range(len(specs))),
        times=np.unique(events.closed_at),
    )


def bar_columns(window: BarWindow) -> BarColumns:
    """Stored bars as the engine takes them, writeable and checked. As in paper, a bar without volume does not know it."""
    arrays = (window.opened_at, window.closed_at, window.open, window.high, window.low, window.close, lots_of_volume(window))
    columns = BarColumns(*(np.require(array, np.int64, ["C", "W"]) for array in arrays))
    columns.check(window.instrument)
    return columns


def merged(pool: Pool, columns: Sequence[npt.NDArray[np.int64]], into: Int64Array) -> Int64Array:
    """One column of each instrument, or one value for all its bars, in the order of the events."""
    for slots, column in zip(pool.slots, columns, strict=True):
        into[slots] = column
    return into


def _specs(specs: Sequence[InstrumentSpec], config: RunConfig) -> tuple[InstrumentSpec, ...]:
    symbols = [spec.symbol for spec in specs]
    for symbol in symbols:
        if symbols.count(symbol) > 1:
            raise InvalidInput(
                f"Two of the instruments are called {symbol}.",
                where="instrument_ids",
                hint="Run them one after the other, or use mode session.",
            )
    for spec in specs:
        _rate_of(spec, config)
    scale = max(spec.cash_scale for spec in specs)
    return tuple(on_scale(spec, scale) for spec in specs)


def _rate_of(spec: InstrumentSpec, config: RunConfig) -> Decimal:
    if spec.quote_asset == config.currency:
        return Decimal(1)
    if spec.quote_asset not in config.rates:
        raise InvalidInput(
            f"{spec.symbol} is paid in {spec.quote_asset}, and its price in {config.currency} is not known.",
            where="rates",
            hint=f"Give the price of {spec.quote_asset} in {config.currency}.",
        )
    return config.rates[spec.quote_asset]


def _profile_in(profile: EngineProfile, rate: Decimal) -> EngineProfile:
    """The profile of an instrument whose currency has this price: amounts of fees are the account's."""
    if rate == 1:
        return profile
    fees = profile.fees
    return replace(profile, fees=replace(fees, flat=fees.flat / rate, per_unit=fees.per_unit / rate, minimum=fees.minimum / rate))
