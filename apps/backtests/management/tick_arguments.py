"""Ticks on a command line."""

from __future__ import annotations

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from apps.backtests.domain.tick_config import TimeUnit
from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe

TICKS_HELP = """\
A file of ticks (--ticks, CSV or Parquet) has a column time, and in each row the columns of one kind:
  a quote            bid, ask; bid_size, ask_size where they are known
  a trade of others  price, size; side (buy or sell, of who took) where it is known
  a depth snapshot   bid_1, bid_size_1, ask_1, ask_size_1, then bid_2 ... for the next level, best first
Cells of the other kinds stay empty, a file needs the columns of one kind alone. Times are ISO 8601 (UTC without a zone) or
seconds, ms, us or ns since 1970, rising; which of them is found out and said. Such as:
  time,bid,ask,bid_size,ask_size,price,size,side
  1704186000000,100.01,100.03,12,8,,,
  1704186000120,,,,,100.03,2,buy
An order that is given on a quote or snapshot meets it, one given on a trade the next tick; --latency-ms delays both.
--timeframe and the options of bars say nothing. Equity is stored after each moment that has ticks."""


def add_tick_arguments(parser: ArgumentParser) -> None:
    """What says which file of ticks is run over; the price options of bar files count for it, too."""
    group = parser.add_argument_group("ticks")
    group.add_argument(
        "--ticks", default="", metavar="FILE", help="A CSV or Parquet file of quotes, trades and depth, instead of bars; see below."
    )
    group.add_argument(
        "--lot", default="", help="Smallest step of quantities and sizes in the file. Default: as fine as prices leave room for."
    )
    group.add_argument(
        "--time-unit", default="", choices=["", *(str(item) for item in TimeUnit)], help="How its times are written. Default: found out."
    )


def ticks_of(options: dict[str, Any], *, tick: Decimal | None, lot: Decimal | None) -> dict[str, Any]:
    """The part of a configuration that names a file of ticks; raises InvalidInput beside options that only bars have."""
    for name, given in (("file", options["file"]), ("venue", options["venue"]), ("signal-timeframe", options["signal_timeframe"])):
        if given:
            raise InvalidInput(f"--{name} is for bars, and --ticks runs over ticks.", where=name, hint="Give one of the two.")
    if len(options["symbol"]) > 1:
        raise InvalidInput("A file has the ticks of one symbol.", where="symbol")
    symbol = options["symbol"][0]
    quote = symbol.partition("/")[2] or options["quote"] or options["currency"] or "USD"
    file = {
        "path": options["ticks"], "symbol": symbol, "quote_asset": quote, "price_scale": options["price_scale"], "tick": tick, "lot": lot,
        "time_unit": options["time_unit"] or None,
    }  # fmt: skip
    return {"tick_file": file, "timeframe": Timeframe.M1, "mode": "event", "currency": options["currency"] or quote}
