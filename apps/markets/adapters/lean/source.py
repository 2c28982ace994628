"""One symbol of a LEAN data folder as a source."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe
from apps.markets.adapters.files.mapping import listing
from apps.markets.adapters.lean import mapping
from apps.markets.adapters.lean.client import RESOLUTIONS, read_files
from apps.markets.adapters.slicing import cut
from apps.markets.contracts import CandleSource
from apps.markets.domain.bars import RawBars
from apps.markets.ports import Listing


class LeanSource:
    """Raw (unadjusted) trade bars, as the folder has them."""

    code = CandleSource.LEAN

    def __init__(
        self,
        *,
        path: str,
        symbol: str,
        timeframe: str,
        security_type: str = "equity",
        market: str = "usa",
        quote_asset: str = "USD",
        price_scale: int | None = None,
    ) -> None:
        self._folder = Path(path)
        self._symbol = symbol
        self._timeframe = Timeframe(timeframe)
        self._security_type = security_type
        self._security = mapping.security(security_type)
        self._market = market
        self._quote_asset = quote_asset
        self._price_scale = price_scale
        if timeframe not in RESOLUTIONS:
            raise InvalidInput(f"LEAN has no {timeframe} bars.", where="timeframe", hint=f"It has {', '.join(RESOLUTIONS)}.")

    @cached_property
    def _bars(self) -> RawBars:
        files = read_files(
            self._folder,
            security_type=self._security_type,
            market=self._market,
            resolution=RESOLUTIONS[self._timeframe],
            symbol=self._symbol,
        )
        return mapping.raw_bars(files, self._security, self._timeframe)

    def listings(self) -> list[Listing]:
        return [
            listing(
                self._symbol,
                self._bars,
                calendar=self._security.calendar,
                quote_asset=self._quote_asset,
                source_label="Raw trade bars from a LEAN data folder.",
                price_scale=self._price_scale,
                asset_class=self._security_type,
            )
        ]

    def bars(self, symbol: str, timeframe: Timeframe, *, since: datetime | None, until: datetime | None) -> RawBars:
        return cut(self._bars, since=since, until=until)


SOURCE = LeanSource
