"""A second, plain Python implementation of the stop-target semantics, in exact fractions, from their description alone.

Candles are (open, high, low, close) in price units, bits as in `signal_bits`. It knows no orders: it walks the candles with one trade at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from apps.strategies.domain.exit_plan import ExitPlan

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
MILLION = 1_000_000
Candle = tuple[int, int, int, int]


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


@dataclass
class Trade:
    """An open trade."""

    sign: int
    bar: int
    rate: int
    stop: int
    distance: Fraction
    is_raised: bool = False


class Market:
    """The rules for one plan and one fee (a fraction, taken on both sides)."""

    def __init__(self, plan: ExitPlan, *, fee: Fraction = Fraction(0), minutes: int = 60, can_short: bool = True) -> None:
        self.plan = plan
        self.fee = fee
        self.minutes = minutes
        self.can_short = can_short
        self.leverage = Fraction(plan.leverage, 1000)
        self.near = Fraction(plan.near_ppm, MILLION)
        self.offset = Fraction(plan.near_from_ppm, MILLION)

    def run(self, candles: Sequence[Candle], bits: Sequence[int]) -> list[Closed]:
        """All round trips, oldest first."""
        done: list[Closed] = []
        trade: Trade | None = None
        last = len(candles) - 1
        for bar in range(1, len(candles)):
            side = self._entry(bits[bar - 1]) if bar < last else 0
            held = trade.sign if trade else 0
            if trade is None and side:
                trade = self._open(side, bar, candles[bar][0])
            if trade is not None:
                trade = self._exit(trade, bar, candles[bar], bits[bar - 1], done)
            if held and trade is None and side == -held:
                trade = self._exit(self._open(side, bar, candles[bar][0]), bar, candles[bar], bits[bar - 1], done)
        if trade is not None and self.plan.closes_at_end:
            self._close(trade, last, candles[last][0], "force_exit", done)
        return done

    def _entry(self, bits: int) -> int:
        wants_long, wants_short = bool(bits & ENTER_LONG), self.can_short and bool(bits & ENTER_SHORT)
        if wants_long == wants_short:
            return 0
        if wants_long:
            return 0 if bits & EXIT_LONG else 1
        return 0 if bits & EXIT_SHORT else -1

    def _open(self, sign: int, bar: int, rate: int) -> Trade:
        distance = Fraction(self.plan.stop_ppm, MILLION)
        return Trade(sign, bar, rate, self._behind(sign, rate, distance), distance)

    def _behind(self, sign: int, price: int, distance: Fraction) -> int:
        """A stop at a distance on the stake from a price, rounded toward the market."""
        exact = price * (1 - sign * distance / self.leverage)
        return max(math.ceil(exact) if sign > 0 else math.floor(exact), 1)

    def _profit(self, trade: Trade, price: int) -> Fraction:
        if trade.sign > 0:
            return (price * (1 - self.fee) / (trade.rate * (1 + self.fee)) - 1) * self.leverage
        return (1 - price * (1 + self.fee) / (trade.rate * (1 - self.fee))) * self.leverage

    def _close(self, trade: Trade, bar: int, price: int, reason: str, done: list[Closed]) -> None:
        done.append(Closed(trade.sign < 0, trade.bar, bar, trade.rate, price, reason, self._profit(trade, price)))

    def _exit(self, trade: Trade, bar: int, candle: Candle, bits: int, done: list[Closed]) -> Trade | None:
        """The trade after the candle: None where it was closed in it."""
        open_, high, low, _ = candle
        best, worst = (high, low) if trade.sign > 0 else (low, high)
        leaving, entering = (EXIT_LONG, ENTER_LONG) if trade.sign > 0 else (EXIT_SHORT, ENTER_SHORT)
        self._raise(trade, best, worst)
        is_stopped = trade.sign * (worst - trade.stop) <= 0
        target = self._target(trade, bar, candle, best)
        if self.plan.has_signal_exits and bits & leaving and not bits & entering and bar > trade.bar:
            self._close(trade, bar, open_, "exit_signal", done)
        elif is_stopped and not trade.is_raised:
            self._close(trade, bar, self._stop_rate(trade, bar, candle), "stop_loss", done)
        elif target is not None:
            self._close(trade, bar, target, "roi", done)
        elif is_stopped:
            self._close(trade, bar, self._stop_rate(trade, bar, candle), "trailing_stop_loss", done)
        else:
            return trade
        return None

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
        open_, high, low, _ = candle
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
        if age > 0 and age == begin and trade.sign * (open_ - rate) > 0:
            return open_
        return min(max(rate, low), high)
