"""A strategy given as arrays, told bar by bar: it keeps every bar, asks for the signals of all of them at each close, and acts on the last.

The rule is that of `backtests/domain/simulate_nb.py`, which has it compiled; a test proves that both give the same fills.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput
from apps.orders.domain.engine import NewOrder
from apps.orders.domain.engine_codes import BUY, REDUCE_ONLY, SELL, EngineOrderState, EngineOrderType
from apps.orders.domain.sizing_nb import BY_LOTS
from apps.strategies.domain.event_strategy import TAG_ENTRY, TAG_EXIT, TAG_STOP, TAG_TARGET, TAG_TRAIL, BarEvent, Desk, EventStrategy
from apps.strategies.domain.signal_bits import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from apps.strategies.domain.vector_strategy import Signals, VectorBars, VectorStrategy

_COLUMNS = ("opened_at", "closed_at", "open", "high", "low", "close", "volume")
_FIRST_ROOM = 1024


class VectorAsEvents(EventStrategy):
    """The arrays' strategy behind an event strategy's door. `kind` and `title` are those of the arrays."""

    def __init__(self, vector: VectorStrategy) -> None:
        super().__init__(vector.parameters)
        self.vector = vector
        vars(self).update(kind=vector.kind, title=vector.title)

    def start(self, desk: Desk) -> None:
        spec = desk.instrument
        self._unit, self._lot_size = float(spec.price_unit), float(spec.lot_size)
        self._bars: dict[str, npt.NDArray[np.int64]] = {name: np.zeros(_FIRST_ROOM, np.int64) for name in _COLUMNS}
        self._bits = np.zeros(_FIRST_ROOM, np.int8)
        self._count = 0
        super().start(desk)

    def recall(self, bar: BarEvent) -> None:
        """What it remembers are the bars alone."""
        self._keep(bar)

    def on_bar(self, bar: BarEvent) -> None:
        self._keep(bar)
        count = self._count
        bars = VectorBars(**{name: column[:count] for name, column in self._bars.items()}, instrument=self.desk.instrument)
        signals = self.vector.signals(bars, bits=self._bits[:count])
        signals.check(count)
        if signals.exits is not None:
            raise InvalidInput(
                "An exit plan follows the rules of freqtrade's backtests, which a session cannot.",
                where="exits",
                hint="Give stops, targets or a trailing stop.",
            )
        if signals.sizing != BY_LOTS:
            raise InvalidInput(
                "In a session an entry buys the lots that the signals say, or what the session's own sizing says.",
                where="sizing",
                hint="Give lots, or leave them 0.",
            )
        if signals.bits[-1]:
            self._act(int(signals.bits[-1]), signals)

    def _keep(self, bar: BarEvent) -> None:
        if self._count == len(self._bits):
            self._bars = {name: np.concatenate([column, np.zeros_like(column)]) for name, column in self._bars.items()}
            self._bits = np.zeros(2 * len(self._bits), np.int8)
        prices = [round(price / self._unit) for price in (bar.open, bar.high, bar.low, bar.close)]
        volume = round(bar.volume / self._lot_size) if bar.volume >= 0 else -1
        for column, value in zip(self._bars.values(), (bar.opened_at, bar.at, *prices, volume), strict=True):
            column[self._count] = value
        self._count += 1

    def _act(self, signal: int, signals: Signals) -> None:
        """The rule at one close: see `simulate_nb`."""
        position = self.desk.position_lots
        enters_long = bool(signal & ENTER_LONG) and not signal & EXIT_LONG
        enters_short = bool(signal & ENTER_SHORT) and not signal & EXIT_SHORT
        side = BUY if enters_long else (SELL if enters_short else 0)
        if position > 0 and (signal & EXIT_LONG or enters_short):
            self._leave(SELL, position)
            side = SELL if enters_short else 0
        elif position < 0 and (signal & EXIT_SHORT or enters_long):
            self._leave(BUY, -position)
            side = BUY if enters_long else 0
        elif position or (side and self.desk.cancel_all(only_exits=True) > 0):
            side = 0
        if side:
            self._enter(side, signals)

    def _leave(self, side: int, lots: int) -> None:
        self.desk.cancel_all()
        self.desk.submit(NewOrder(0, side, EngineOrderType.MARKET, lots, flags=REDUCE_ONLY, tag=TAG_EXIT))

    def _enter(self, side: int, signals: Signals) -> None:
        """A market entry with its protection: stop, trailing stop, target."""
        lots = self.desk.sized_lots() if self._leaves_size_open(signals) else int(signals.lots[-1])
        if lots <= 0:
            return
        entry = self.desk.submit(NewOrder(0, side, EngineOrderType.MARKET, lots, tag=TAG_ENTRY))
        if entry < 0 or self.desk.state(entry) is not EngineOrderState.OPEN:
            return
        group = 0
        for leg in _legs(side, lots, signals):
            group = group or self.desk.new_group()
            self.desk.submit(NewOrder(0, -side, lots=lots, flags=REDUCE_ONLY, parent=entry, group=group, **leg))

    def _leaves_size_open(self, signals: Signals) -> bool:
        """Whether the lots are one 0 for all bars. With a single bar that looks like a 0 of this bar, so two are shown."""
        if len(signals.lots) > 1 or signals.lots[0]:
            return False
        if self._count > 1:
            return True
        twice = VectorBars(**{name: np.repeat(column[:1], 2) for name, column in self._bars.items()}, instrument=self.desk.instrument)
        return len(self.vector.signals(twice, bits=np.zeros(2, np.int8)).lots) == 1


def _legs(side: int, lots: int, signals: Signals) -> list[dict[str, Any]]:
    stop, target = int(signals.stops[-1]), int(signals.targets[-1])
    legs: list[dict[str, Any]] = []
    if stop or signals.stop_ppm:
        relative = 0 if stop else -side * signals.stop_ppm
        legs.append({"order_type": EngineOrderType.STOP, "stop": stop, "stop_ppm": relative, "tag": TAG_STOP})
    if signals.trail_ppm:
        legs.append({"order_type": EngineOrderType.TRAILING, "trail_ppm": signals.trail_ppm, "tag": TAG_TRAIL})
    if target or signals.target_ppm:
        relative = 0 if target else side * signals.target_ppm
        legs.append({"order_type": EngineOrderType.LIMIT, "limit": target, "limit_ppm": relative, "tag": TAG_TARGET})
    return legs
