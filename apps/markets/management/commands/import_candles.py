"""Import bars from a file, a LEAN data folder, or any other source."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import InvalidInput, TradingError
from apps.core.vocabulary import Timeframe
from apps.markets import services
from apps.markets.adapters import open_source, source_names
from apps.markets.ports import BarSource


class Command(BaseCommand):
    help = (
        "Import bars into a library venue: a CSV, Parquet or Feather file with the columns date, open, high, low, close, volume "
        "(as freqtrade writes it), a symbol of a LEAN data folder, or with --source whatever that source lists. "
        "Importing again changes nothing; changed bars become revisions."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="?", default="", help="The file, or the folder that holds LEAN's equity/ or crypto/.")
        parser.add_argument("--source", default="", choices=["", *source_names()], help="Default: files, or lean by --format.")
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="An option of --source, as its source.py takes it; repeatable.",
        )
        parser.add_argument("--venue", required=True, help="Code of the library venue; created if it is new. One timeframe each.")
        parser.add_argument("--symbol", default="", help="Such as BTC/USDT or SPY; files and LEAN need it.")
        parser.add_argument("--timeframe", default="1d", choices=[str(item) for item in Timeframe])
        parser.add_argument("--format", default="", choices=["", "csv", "parquet", "feather", "lean"], help="Default: by the file's name.")
        parser.add_argument("--calendar", default="24/7", help="Trading calendar of daily files, such as XNYS. Default: open all the time.")
        parser.add_argument("--quote", default="USD", help="Quote asset, unless the symbol says it.")
        parser.add_argument("--price-scale", type=int, default=None, help="Decimal places of prices. Default: as many as the file needs.")
        parser.add_argument("--fill-gaps", action="store_true", help="Repeat the last close where bars are missing, marked as filled.")
        parser.add_argument("--security-type", default="equity", help="LEAN only: equity or crypto.")
        parser.add_argument("--market", default="usa", help="LEAN only: the folder of the market, such as usa or coinbase.")

    def handle(self, *args: Any, **options: Any) -> None:
        timeframe = Timeframe(options["timeframe"])
        try:
            name, source = _source(options)
            results = services.import_bars(
                source=source,
                source_name=name,
                venue_code=options["venue"],
                timeframe=timeframe,
                now=datetime.now(UTC),
                actor="import_candles",
                fills_gaps=options["fill_gaps"],
            )
        except TradingError as error:
            raise CommandError(str(error)) from error
        for item in results:
            self.stdout.write(
                f"{item.symbol}: {item.inserted} new bars, {item.revised} corrected, {item.unchanged} as they were, {item.quarantined} quarantined."
            )


def _source(options: dict[str, Any]) -> tuple[str, BarSource]:
    """The source that the command line asks for, with its name."""
    if options["source"]:
        return options["source"], open_source(options["source"], _given(options["option"]))
    if not options["path"] or not options["symbol"]:
        raise InvalidInput("A file needs its path and --symbol.", where="path", hint="Or name another source with --source.")
    common = {name: options[name] for name in ("path", "symbol", "timeframe", "price_scale")} | {"quote_asset": options["quote"]}
    if options["format"] == "lean":
        return "lean", open_source("lean", {**common, "security_type": options["security_type"], "market": options["market"]})
    return "files", open_source("files", {**common, "calendar": options["calendar"], "file_format": options["format"]})


def _given(pairs: list[str]) -> dict[str, Any]:
    """NAME=VALUE pairs; a value that is JSON is read as such, anything else is text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InvalidInput(f"{pair!r} is no option.", where="option", hint="Write --option NAME=VALUE.")
        try:
            found[name] = json.loads(text)
        except json.JSONDecodeError:
            found[name] = text
    return found
