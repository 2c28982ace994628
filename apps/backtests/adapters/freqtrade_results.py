"""Reads the result file of a freqtrade backtest (`backtest-result-*.json`, or the .zip around it) for comparison. Nothing in it is run."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeGuard

import numpy as np

from apps.backtests.domain.imported_history import ImportedHistory
from apps.core.errors import InvalidInput
from apps.portfolio.domain.records import ExitReason, TradeRecords

LARGEST_BYTES = 512 * 1024 * 1024
LARGEST_NUMBER = 1e15
"""Of amounts, prices and figures: beyond it, or with a capital nearer to nothing than its inverse, sums and ratios might not stay finite."""
LATEST_MS = 4_102_444_800_000
"""The year 2100."""
LONGEST_NAME = 200
PROGRAM = "freqtrade"
_HINT = "Give the file that `freqtrade backtesting --export trades` writes: backtest-result-<time>.json or .zip."
_TOLD = {
    "trades": ("total_trades", 1.0),
    "win_rate": ("winrate", 1.0),
    "total_return": ("profit_total", 1.0),
    "profit_factor": ("profit_factor", 1.0),
    "max_drawdown": ("max_drawdown_account", 1.0),
    "average_trade_days": ("holding_avg_s", 1 / 86_400),
    "sharpe": ("sharpe", 1.0),
}
"""Our figures under the names that they have there, and what theirs are multiplied by."""
_EXITS = {
    "exit_signal": ExitReason.SIGNAL,
    "sell_signal": ExitReason.SIGNAL,
    "stop_loss": ExitReason.STOP,
    "stoploss_on_exchange": ExitReason.STOP,
    "trailing_stop_loss": ExitReason.TRAILING,
    "roi": ExitReason.TARGET,
    "liquidation": ExitReason.LIQUIDATION,
    "force_exit": ExitReason.END_OF_DATA,
    "force_sell": ExitReason.END_OF_DATA,
}


def read_freqtrade_result(
    source: Path | IO[bytes], *, name: str = "", strategy: str = "", most_bytes: int = LARGEST_BYTES
) -> ImportedHistory:
    """The history of a strategy in a result file, or in an open one of this name; the strategy may be left out where the file has only one.

    Raises InvalidInput for more than `most_bytes` and for what the file lacks, with the number of the trade that cannot be used.
    """
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                return read_freqtrade_result(file, name=source.name, strategy=strategy, most_bytes=most_bytes)
        except OSError as error:
            raise InvalidInput(f"{source} cannot be read: {error.strerror or error}.", where=str(source), hint=_HINT) from error
    strategies = _strategies(_document(source, name, most_bytes), name)
    if (strategy and strategy not in strategies) or (not strategy and len(strategies) > 1):
        wanted = f"no strategy {strategy[:LONGEST_NAME]!r}" if strategy else "several strategies"
        raise InvalidInput(f"{name} has {wanted}.", where="strategy", hint=f"Name one of: {', '.join(sorted(strategies)[:20])}.")
    chosen = strategy or next(iter(strategies))
    return _history(chosen, strategies[chosen])


def _document(file: IO[bytes], name: str, most_bytes: int) -> Any:
    try:
        return json.loads(_text(file, name, most_bytes), parse_constant=lambda _: None)
    except (ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidInput(f"{name} is no JSON: {error or 'it breaks off'}.", where=name, hint=_HINT) from error


def _text(file: IO[bytes], name: str, most_bytes: int) -> bytes:
    if not zipfile.is_zipfile(file):
        _check_size(file.seek(0, os.SEEK_END), name, most_bytes)
        file.seek(0)
        return file.read()
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            stem = member.filename.removesuffix(".json")
            if member.filename.endswith(".json") and not stem.endswith(("_config", "_market_change")) and "/" not in member.filename:
                _check_size(member.file_size, name, most_bytes)
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise InvalidInput(f"{name} is packed in an unusual way.", where=name, hint="Unpack it and give the .json in it.")
                with archive.open(member) as packed:
                    return packed.read(member.file_size + 1)
    raise InvalidInput(f"{name} has no result in it.", where=name, hint=_HINT)


def _check_size(size: int, name: str, most_bytes: int) -> None:
    if size > most_bytes:
        raise InvalidInput(f"{name} has {size:,} bytes, more than {most_bytes:,}.", where=name)


def _strategies(document: Any, name: str) -> dict[str, Mapping[str, Any]]:
    found = document.get("strategy") if isinstance(document, dict) else None
    if not isinstance(found, dict) or not found or not all(isinstance(value, dict) for value in found.values()):
        is_about = isinstance(document, dict) and any(isinstance(value, dict) and "run_id" in value for value in document.values())
        what = "is the description beside a result" if is_about else "is no result of a freqtrade backtest: it has no strategy"
        raise InvalidInput(f"{name} {what}.", where="strategy", hint=_HINT)
    for key in found:
        _name(key, "The name of a strategy", "strategy")
    return found


def _name(value: Any, what: str, where: str) -> str:
    """A word of the file that is shown and stored."""
    text = str(value or "")
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise InvalidInput(f"{what} has more than {LONGEST_NAME} letters, or some that cannot be shown.", where=where, hint=_HINT)
    return text


def _history(name: str, content: Mapping[str, Any]) -> ImportedHistory:
    rows = content.get("trades")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput(f"The strategy {name} has no list of trades.", where=f"strategy.{name}.trades", hint=_HINT)
    closed = [(number, row) for number, row in enumerate(rows) if not row.get("is_open", False)]
    stated = {key: float(value) for key, value in content.items() if _is_number(value)}
    trades = sorted((_Trade(number, row, f"strategy.{name}.trades[{number}]") for number, row in closed), key=lambda one: one.order)
    return ImportedHistory(
        program=PROGRAM,
        strategy=name,
        currency=_name(content.get("stake_currency"), "The currency", f"strategy.{name}.stake_currency"),
        timeframe=_name(content.get("timeframe"), "The timeframe", f"strategy.{name}.timeframe"),
        capital=_capital(name, content),
        started_at=_bound(content, "backtest_start", min((one.opened_at for one in trades), default=0)),
        ended_at=_bound(content, "backtest_end", max((one.closed_at for one in trades), default=0)),
        symbols=tuple(one.symbol for one in trades),
        trades=_records(trades),
        stated=stated,
        open_trades=len(rows) - len(closed),
        told={key: stated[name] * factor for key, (name, factor) in _TOLD.items() if name in stated},
    )


def _capital(name: str, content: Mapping[str, Any]) -> float:
    for key in ("starting_balance", "dry_run_wallet"):
        value = content.get(key)
        if _is_number(value) and value >= 1 / LARGEST_NUMBER:
            return float(value)
    raise InvalidInput(f"The strategy {name} has no starting balance.", where=f"strategy.{name}.starting_balance", hint=_HINT)


def _bound(content: Mapping[str, Any], name: str, otherwise: int) -> int:
    stamp = content.get(f"{name}_ts")
    return int(stamp) * 1000 if _is_number(stamp) and 0 <= stamp <= LATEST_MS else otherwise


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST_NUMBER <= value <= LARGEST_NUMBER


class _Trade:
    """One trade of the file, checked."""

    def __init__(self, number: int, row: Mapping[str, Any], where: str) -> None:
        self._row, self._where = row, where
        self.symbol = _name(row.get("pair"), "The pair", where)
        self.side = -1 if row.get("is_short") else 1
        self.opened_at, self.closed_at = self._time("open"), self._time("close")
        if self.closed_at < self.opened_at:
            raise InvalidInput("The trade closes before it opens.", where=where)
        self.order = (self.closed_at, self.opened_at, number)
        self.quantity, self.entry_value, self.exit_value = self._amounts()
        self.realised = self.side * (self.exit_value - self.entry_value)
        self.fees = self.realised - self._number("profit_abs")
        self.reason = _EXITS.get(str(row.get("exit_reason") or row.get("sell_reason") or ""), ExitReason.OTHER)

    def _number(self, name: str) -> float:
        value = self._row.get(name)
        if not _is_number(value):
            raise InvalidInput(f"The trade has no number for {name!r}: {str(value)[:40]!r}.", where=self._where, hint=_HINT)
        return float(value)

    def _time(self, side: str) -> int:
        """In microseconds UTC."""
        stamp = self._row.get(f"{side}_timestamp")
        if not _is_number(stamp):
            try:
                at = datetime.fromisoformat(str(self._row.get(f"{side}_date")))
            except ValueError:
                raise InvalidInput(f"The trade has no time for its {side}.", where=self._where, hint=_HINT) from None
            stamp = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000
        if not 0 <= stamp <= LATEST_MS:
            raise InvalidInput(f"The trade's time of its {side} is not between 1970 and 2100.", where=self._where, hint=_HINT)
        return round(stamp * 1000)

    def _amounts(self) -> tuple[float, float, float]:
        """Quantity, value of the entries, value of the exits; from the orders where they are given, since a trade may have several."""
        orders = self._row.get("orders")
        if isinstance(orders, Sequence) and orders and all(self._is_full(order) for order in orders):
            sides = [[order for order in orders if bool(order["ft_is_entry"]) is is_entry] for is_entry in (True, False)]
            bought, value, got = (
                sum(order["amount"] for order in sides[0]),
                *(sum(order["amount"] * order["safe_price"] for order in side) for side in sides),
            )
            return float(bought), float(value), float(got)
        amount = self._number("amount")
        return amount, amount * self._number("open_rate"), amount * self._number("close_rate")

    @staticmethod
    def _is_full(order: Any) -> bool:
        return (
            isinstance(order, dict) and "ft_is_entry" in order and _is_number(order.get("amount")) and _is_number(order.get("safe_price"))
        )


def _records(trades: Sequence[_Trade]) -> TradeRecords:
    def times(name: str) -> Any:
        return np.array([getattr(one, name) for one in trades], np.int64)

    def amounts(name: str) -> Any:
        return np.array([getattr(one, name) for one in trades], np.float64)

    return TradeRecords(
        opened_at=times("opened_at"), closed_at=times("closed_at"), side=times("side"), quantity=amounts("quantity"),
        entry_value=amounts("entry_value"), exit_value=amounts("exit_value"), realised=amounts("realised"), fees=amounts("fees"),
        exit_reason=times("reason"),
    )  # fmt: skip
