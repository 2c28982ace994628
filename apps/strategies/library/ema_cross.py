"""EMA cross, in both forms: arrays for research, events for paper. Both give the same orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from apps.markets.domain.indicators.averages import Ema
from apps.strategies.domain.event_strategy import BarEvent, EventStrategy, event_strategy
from apps.strategies.domain.parameters import parameter
from apps.strategies.domain.signal_bits import ENTER_LONG
from apps.strategies.domain.vector_strategy import Signals, VectorBars, VectorStrategy, vector_strategy
from apps.strategies.library.ema_cross_nb import cross_signals, four_cross_signals

PPM_PER_PERCENT = 10_000


@dataclass(frozen=True)
class EmaCrossParameters:
    fast_bars: int = parameter(20, minimum=2, maximum=1_000, help="Bars of the short average.")
    slow_bars: int = parameter(
        50, minimum=3, maximum=5_000, help="Bars of the long average. Shorter than the short one turns the signals round."
    )
    quantity: float = parameter(
        0.0, minimum=0.0, maximum=1e12, help="What an entry buys, in units of the instrument; 0 = what the run or session says."
    )
    stop_loss_percent: float = parameter(0.0, minimum=0.0, maximum=99.0, help="Stop this far from the fill price; 0 = none.")
    take_profit_percent: float = parameter(0.0, minimum=0.0, maximum=99.0, help="Target this far from the fill price; 0 = none.")
    trailing_stop_percent: float = parameter(0.0, minimum=0.0, maximum=99.0, help="Stop this far behind the best price; 0 = none.")
    exits_on_cross: bool = parameter(True, help="Leave when the averages cross back; off: only stop, target and trailing stop end a trade.")


@vector_strategy("ema_cross", title="EMA cross")
class VectorEmaCross(VectorStrategy):
    """Long when the short average crosses above the long one, out when it crosses back."""

    Parameters = EmaCrossParameters

    def signals(self, bars: VectorBars, *, bits: npt.NDArray[np.int8]) -> Signals:
        chosen = self.parameters
        cross_signals(bars.close, chosen.fast_bars, chosen.slow_bars, 0, bits)
        return self._with_terms(bars, bits)

    @classmethod
    def signals_of_many(cls, strategies: Sequence[VectorStrategy], bars: VectorBars, *, bits: npt.NDArray[np.int8]) -> list[Signals]:
        chosen = [strategy.parameters for strategy in strategies]
        fast, slow = (np.array([getattr(item, name) for item in chosen], np.int64) for name in ("fast_bars", "slow_bars"))
        fours = len(chosen) // 4 * 4
        for first in range(0, fours, 4):
            four_cross_signals(bars.close, fast[first : first + 4], slow[first : first + 4], bits[first : first + 4])
        for rest in range(fours, len(chosen)):
            cross_signals(bars.close, int(fast[rest]), int(slow[rest]), 0, bits[rest])
        return [cls(item)._with_terms(bars, row) for item, row in zip(chosen, bits, strict=True)]

    def _with_terms(self, bars: VectorBars, bits: npt.NDArray[np.int8]) -> Signals:
        chosen = self.parameters
        if not chosen.exits_on_cross:
            np.bitwise_and(bits, ENTER_LONG, out=bits)
        return Signals(
            bits=bits,
            lots=np.array([bars.lots(Decimal(str(chosen.quantity)))], np.int64),
            stop_ppm=round(chosen.stop_loss_percent * PPM_PER_PERCENT),
            target_ppm=round(chosen.take_profit_percent * PPM_PER_PERCENT),
            trail_ppm=round(chosen.trailing_stop_percent * PPM_PER_PERCENT),
        )


@event_strategy("ema_cross", title="EMA cross")
class EventEmaCross(EventStrategy):
    """The same, told bar by bar."""

    Parameters = EmaCrossParameters

    def on_start(self) -> None:
        chosen = self.parameters
        self.fast, self.slow = Ema(chosen.fast_bars), Ema(chosen.slow_bars)
        self.first_bar = chosen.slow_bars
        self.quantity = chosen.quantity or None
        self.exits_on_cross = chosen.exits_on_cross
        self.is_protected = bool(chosen.stop_loss_percent or chosen.take_profit_percent or chosen.trailing_stop_percent)
        self.was_up = False
        self.entry = -1

    def on_bar(self, bar: BarEvent) -> None:
        close = bar.close
        is_up = self.fast.update(close) > self.slow.update(close)
        if is_up is not self.was_up:
            self.was_up = is_up
            if bar.index >= self.first_bar:
                self.act(is_up=is_up)

    def act(self, *, is_up: bool) -> None:
        """The averages have crossed."""
        if self.position:
            if not is_up and self.exits_on_cross:
                self.close()
        elif is_up:
            self.enter()

    def enter(self) -> None:
        """Buy at market with the protection that was asked for."""
        chosen = self.parameters
        if not self.is_protected:
            self.buy(self.quantity)
            return
        self.buy(
            self.quantity,
            stop_loss_percent=chosen.stop_loss_percent,
            take_profit_percent=chosen.take_profit_percent,
            trailing_stop_percent=chosen.trailing_stop_percent,
        )
