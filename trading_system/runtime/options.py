"""What `manage.py up` is asked for."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, TypeVar

from apps.core.vocabulary import Timeframe, TradingMode
from trading_system.runtime.refusals import StartRefused
from trading_system.runtime.specifications import BASE_DIR

_Choice = TypeVar("_Choice", bound=StrEnum)
_TRUE = {"1", "true", "yes", "on", "y", "t"}


@dataclass(frozen=True)
class UpOptions:
    """The checked options of one start."""

    data_dir: Path
    host: str
    port: int
    venue: str
    """A ccxt exchange id; empty for the replay of bundled history."""
    symbol: str
    timeframe: Timeframe
    mode: TradingMode


class _PoliteParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartRefused(f"{message[:1].upper()}{message[1:]}.", hint="`manage.py up --help` lists the options.")


def option_parser() -> argparse.ArgumentParser:
    """The command line of `manage.py up`."""
    parser = _PoliteParser(
        prog="manage.py up", description="Start the whole system: PostgreSQL, Redis, web, workers, streams, sessions, executor.", allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument(
        "--venue", default="", help="trade on live public data of this exchange (a ccxt id such as binance) instead of the replay"
    )
    parser.add_argument("--symbol", default="BTC/USDT", help="instrument at the venue (default %(default)s)")
    parser.add_argument("--timeframe", default=str(Timeframe.M1), help="bar length at the venue: 1m 5m 15m 1h 4h 1d (default %(default)s)")
    parser.add_argument(
        "--mode", default="", help="paper (simulated fills) or live (real money; needs two switches); default TRADING_MODE or paper"
    )
    parser.add_argument("--port", default="8000", help="port of the pages and the API (default %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s: this machine only)")
    parser.add_argument("--data-dir", default="", help="where everything is kept (default var/ in the project, or TRADING_DATA_DIR)")
    return parser


def parse_options(arguments: Sequence[str]) -> UpOptions:
    """Options from the command line and the environment. Refuses what makes no sense with one sentence."""
    given = option_parser().parse_args(list(arguments))
    mode = _one_of(TradingMode, given.mode or os.environ.get("TRADING_MODE", "") or TradingMode.PAPER, "mode")
    _refuse_live_without_switch(mode)
    return UpOptions(
        data_dir=Path(given.data_dir or os.environ.get("TRADING_DATA_DIR") or BASE_DIR / "var").expanduser().resolve(),
        host=given.host,
        port=_port(given.port),
        venue=given.venue.strip().lower(),
        symbol=given.symbol.strip().upper(),
        timeframe=_one_of(Timeframe, given.timeframe, "timeframe"),
        mode=mode,
    )


def _one_of(choices: type[_Choice], text: str, name: str) -> _Choice:
    try:
        return choices(text.strip())
    except ValueError:
        known = ", ".join(str(choice) for choice in choices)
        raise StartRefused(f"There is no {name} {text!r}.", hint=f"Choose one of: {known}.") from None


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise StartRefused(f"{text!r} is not a port.", hint="Give a number from 1 to 65535 with --port.")
    return int(text)


def _refuse_live_without_switch(mode: TradingMode) -> None:
    """The first of the two switches; the second is in the database and is asked when the world is opened."""
    if mode is TradingMode.LIVE and os.environ.get("LIVE_TRADING_ENABLED", "").strip().lower() not in _TRUE:
        raise StartRefused(
            "Live trading is switched off: it needs LIVE_TRADING_ENABLED=true in the environment and the switch in the database.",
            hint="Start with --mode paper, or set both.",
        )
