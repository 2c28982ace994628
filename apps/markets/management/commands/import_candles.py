"""Import bars from a file or a LEAN data folder."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import TradingError
from apps.core.vocabulary import Timeframe
from apps.markets import services
from apps.markets.adapters import open_source


class Command(BaseCommand):
    help = (
        "Import bars into a library venue: a CSV, Parquet or Feather file with the columns date, open, high, low, close, volume "
        "(as freqtrade writes it), or a symbol of a LEAN data folder. Importing again changes nothing; changed bars become revisions."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", help="The file, or the folder that holds LEAN's equity/ or crypto/.")
        parser.add_argument("--venue", required=True, help="Code of the library venue; created if it is new. One timeframe each.")
        parser.add_argument("--symbol", required=True, help="Such as BTC/USDT or SPY.")
        parser.add_argument("--timeframe", default="1d", choices=[str(item) for item in Timeframe])
        parser.add_argument("--format", default="", choices=["", "csv", "parquet", "feather", "lean"], help="Default: by the file's name.")
        parser.add_argument("--calendar", default="24/7", help="Trading calendar of daily files, such as XNYS. Default: open all the time.")
        parser.add_argument("--quote", default="USD", help="Quote asset, unless the symbol says it.")
        parser.add_argument("--price-scale", type=int, default=None, help="Decimal places of prices. Default: as many as the file needs.")
        parser.add_argument("--security-type", default="equity", help="LEAN only: equity or crypto.")
        parser.add_argument("--market", default="usa", help="LEAN only: the folder of the market, such as usa or coinbase.")

    def handle(self, *args: Any, **options: Any) -> None:
        timeframe = Timeframe(options["timeframe"])
        common = {name: options[name] for name in ("path", "symbol", "timeframe", "price_scale")} | {"quote_asset": options["quote"]}
        try:
            if options["format"] == "lean":
                source = open_source("lean", {**common, "security_type": options["security_type"], "market": options["market"]})
            else:
                source = open_source("files", {**common, "calendar": options["calendar"], "file_format": options["format"]})
            results = services.import_bars(
                source=source, venue_code=options["venue"], timeframe=timeframe, now=datetime.now(UTC), actor="import_candles"
            )
        except TradingError as error:
            raise CommandError(str(error)) from error
        for item in results:
            self.stdout.write(
                f"{item.symbol}: {item.inserted} new bars, {item.revised} corrected, {item.unchanged} as they were, {item.quarantined} quarantined."
            )
