"""A second, plain Python implementation of the stop-target semantics, in exact fractions, from their description alone.

Candles are (open, high, low, close) in price units, bits as in `signal_bits`. It knows no engine: in every candle it goes through the steps of
freqtrade's loop - time-outs, entry, its fill, the first exit that applies, its fill - with one trade at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from apps.strategies.domain.exit_plan import ExitPlan

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
MILLION = 1_000_000
Candle = tuple[int, int, int, int]


@dataclass(frozen=True)
class Prices:
    """What a strategy asks for instead of the open; 0: nothing."""

    entry: int = 0
    moved_to: int = 0
    exit: int = 0


@dataclass(frozen=True)
class Closed:
    """A round trip in price units."""

    is_short: bool
    open_bar: int
    close_bar: int
    open_rate: int
    close_rate: int
    reason: str
    profit: Fraction


@dataclass(frozen=True)
class Resting:
    """An order at a price, given at a bar."""

    price: int
    bar: int
    reason: str = ""


@dataclass
class Trade:
    """A trade from its entry order on."""

    sign: int
    bar: int
    entry: Resting | None
    rate: int = 0
    stop: int = 0
    distance: Fraction = field(default_factory=Fraction)
    is_raised: bool = False
    exit: Resting | None = None


class Market:
    """The rules for one plan and one fee (a fraction, taken on both sides)."""

    def __init__(
        self, plan: ExitPlan, *, fee: Fraction = Fraction(0), minutes: int = 60, can_short: bool = True, prices: Prices | None = None
    ) -> None:
        self.plan = plan
        self.fee = fee
        self.minutes = minutes
        self.can_short = can_short
        self.prices = prices or Prices()
        self.leverage = Fraction(plan.leverage, 1000)
        self.near = Fraction(plan.near_ppm, MILLION)
        self.offset = Fraction(plan.near_from_ppm, MILLION)
        self.trade: Trade | None = None
        self.done: list[Closed] = []

    def run(self, candles: Sequence[Candle], bits: Sequence[int]) -> list[Closed]:
        """All round trips, oldest first."""
        last = len(candles) - 1
        for bar in range(1, len(candles)):
            side = self._side(bits[bar - 1])
            for _ in range(2):
                before = self.trade.sign if self.trade else 0
                self._candle(bar, candles[bar], bits[bar - 1], side if bar < last else 0)
                if not before or self.trade is not None or not side or side == before:
                    break
        if self.trade is not None and self.trade.entry is None and self.plan.closes_at_end:
            self._close(self.trade, last, candles[last][0], "force_exit")
        return self.done

    def _side(self, bits: int) -> int:
        wants_long, wants_short = bool(bits & ENTER_LONG), self.can_short and bool(bits & ENTER_SHORT)
        if wants_long == wants_short:
            return 0
        if wants_long:
            return 0 if bits & EXIT_LONG else 1
        return 0 if bits & EXIT_SHORT else -1

    def _candle(self, bar: int, candle: Candle, bits: int, side: int) -> None:
        self._manage(bar)
        if self.trade is None and side:
            self.trade = Trade(side, bar, Resting(self._entry_price(side, candle), bar))
        trade = self.trade
        if trade is None:
            return
        if trade.entry is not None and candle[2] <= trade.entry.price <= candle[1]:
            trade.rate, trade.distance, trade.entry = trade.entry.price, Fraction(self.plan.stop_ppm, MILLION), None
            trade.stop = self._behind(trade.sign, trade.rate, trade.distance)
        if trade.entry is None:
            trade.exit = self._exit(trade, bar, candle, bits) or trade.exit
        if trade.exit is not None and candle[2] <= trade.exit.price <= candle[1]:
            self._close(trade, bar, trade.exit.price, trade.exit.reason)

    def _manage(self, bar: int) -> None:
        """Drop orders whose time is over, move an entry that still waits."""
        trade = self.trade
        if trade is None:
            return
        if trade.exit is not None and (bar - trade.exit.bar) * self.minutes > self.plan.exit_minutes:
            trade.exit = None
        if trade.entry is None:
            return
        if (bar - trade.entry.bar) * self.minutes > self.plan.entry_minutes:
            self.trade = None
        elif self.prices.moved_to not in (0, trade.entry.price):
            trade.entry = Resting(self.prices.moved_to, bar)

    def _entry_price(self, sign: int, candle: Candle) -> int:
        """The open, or what is asked for, no worse than the candle."""
        if not self.prices.entry:
            return candle[0]
        return min(self.prices.entry, candle[1]) if sign > 0 else max(self.prices.entry, candle[2])

    def _behind(self, sign: int, price: int, distance: Fraction) -> int:
        """A stop at a distance on the stake from a price, rounded toward the market."""
        exact = price * (1 - sign * distance / self.leverage)
        return max(math.ceil(exact) if sign > 0 else math.floor(exact), 1)

    def _profit(self, trade: Trade, price: int) -> Fraction:
        if trade.sign > 0:
            return (price * (1 - self.fee) / (trade.rate * (1 + self.fee)) - 1) * self.leverage
        return (1 - price * (1 + self.fee) / (trade.rate * (1 - self.fee))) * self.leverage

    def _close(self, trade: Trade, bar: int, price: int, reason: str) -> None:
        self.done.append(Closed(trade.sign < 0, trade.bar, bar, trade.rate, price, reason, self._profit(trade, price)))
        self.trade = None

    def _exit(self, trade: Trade, bar: int, candle: Candle, bits: int) -> Resting | None:
        """The exit order that this candle gives, None where nothing new is given."""
        open_, high, low, _ = candle
        best, worst = (high, low) if trade.sign > 0 else (low, high)
        leaving, entering = (EXIT_LONG, ENTER_LONG) if trade.sign > 0 else (EXIT_SHORT, ENTER_SHORT)
        self._raise(trade, best, worst)
        is_stopped = trade.sign * (worst - trade.stop) <= 0
        target = self._target(trade, bar, candle, best)
        if self.plan.has_signal_exits and bits & leaving and not bits & entering:
            price = self.prices.exit or open_
            price = max(price, low) if trade.sign > 0 else min(price, high)
            if trade.exit is None or trade.exit.price != price:
                return Resting(price, bar, "exit_signal")
        if is_stopped and not trade.is_raised:
            return Resting(self._stop_rate(trade, bar, candle), bar, "stop_loss")
        if target is not None:
            return Resting(target, bar, "roi")
        rate = self._stop_rate(trade, bar, candle)
        return Resting(rate, bar, "trailing_stop_loss") if is_stopped and low <= rate <= high else None

    def _raise(self, trade: Trade, best: int, worst: int) -> None:
        if not self.plan.is_trailing or trade.sign * (worst - trade.stop) <= 0:
            return
        profit = self._profit(trade, best)
        if self.plan.is_near_only and profit < self.offset:
            return
        distance = self.near if self.near and profit > self.offset else Fraction(self.plan.stop_ppm, MILLION)
        stop = self._behind(trade.sign, best, distance)
        if trade.sign * (stop - trade.stop) > 0:
            trade.stop, trade.distance, trade.is_raised = stop, distance, True

    def _stop_rate(self, trade: Trade, bar: int, candle: Candle) -> int:
        open_, high, low, _ = candle
        if trade.stop > high if trade.sign > 0 else trade.stop < low:
            return open_
        if not (trade.is_raised and bar == trade.bar):
            return trade.stop
        if self.plan.is_near_only and self.near:
            exact = open_ * (1 + trade.sign * (self.offset - self.near / self.leverage))
        else:
            exact = open_ * (1 - trade.sign * trade.distance / self.leverage)
        return max(low, math.floor(exact)) if trade.sign > 0 else min(high, math.ceil(exact))

    def _target(self, trade: Trade, bar: int, candle: Candle, best: int) -> int | None:
        """The rate at which the table closes the trade in this candle, if it does."""
        open_, high, low, close = candle
        age = (bar - trade.bar) * self.minutes
        begun = [one for one in sorted(self.plan.targets) if one[0] <= age]
        if not begun:
            return None
        begin, wanted = begun[-1][0], Fraction(begun[-1][1], MILLION)
        if self._profit(trade, best) <= wanted:
            return None
        if wanted == -1 and begin % self.minutes == 0:
            return open_
        share = (1 + trade.sign * self.fee + trade.sign * wanted / self.leverage) / (1 - trade.sign * self.fee)
        rate = math.floor(trade.rate * share) if trade.sign > 0 else math.ceil(trade.rate * share)
        if age > 0 and age == begin and begin % self.minutes == 0 and trade.sign * (open_ - rate) > 0:
            return open_
        is_against = trade.sign * (open_ - close) > 0 and trade.sign * (open_ - trade.rate) > 0
        if age == 0 and is_against and trade.sign * (rate - close) > 0:
            return None
        return min(max(rate, low), high)
