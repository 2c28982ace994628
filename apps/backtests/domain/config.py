"""What a backtest is asked to do: one frozen value that says everything a run depends on, with the same meaning in JSON.

The same configuration on the same bars by the same code gives the same fills, to the unit.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from apps.backtests.domain.config_part import ConfigPart
from apps.backtests.domain.robustness import Robustness
from apps.backtests.domain.tick_config import TICK, TickFile
from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe

CONFIG_VERSION = 1
_BESIDE = ("score", "walk_forward", "robustness", "compares_alone")
_SINCE = ("rates", "tick_file")
"""Fields that came later: left empty they leave the fingerprint as it was."""
"""Fields that change nothing of what is traded."""
Value = bool | int | float | str
"""What a parameter of a strategy may be."""


class RunMode(StrEnum):
    """How the strategy is written and driven: through the decision cycle of a session, as arrays, or as a class with `on_bar`."""

    SESSION = "session"
    VECTOR = "vector"
    EVENT = "event"


class Profile(StrEnum):
    """Whose rules fills, costs and timing follow; `trading_system/decisions/0010-the-engine.md` has the table."""

    DEFAULT = "default"
    IDEAL = "ideal"
    FREQTRADE = "freqtrade"
    LEAN = "lean"


class ScoreMode(StrEnum):
    """What the headline figures are measured on: bars after those that chose the parameters, or all bars."""

    WALK_FORWARD = "walk-forward"
    PLAIN = "plain"


class FillTiming(StrEnum):
    """When a market order that was decided at a bar's close fills."""

    NEXT_OPEN = "next-open"
    AT_CLOSE = "at-close"


class SizingMethod(StrEnum):
    """How much an entry buys: all free cash, a fraction of equity, a fixed value, a fixed quantity, or by risk as sessions do."""

    ALL = "all"
    FRACTION = "fraction"
    VALUE = "value"
    QUANTITY = "quantity"
    RISK = "risk"


class Sizing(ConfigPart, frozen=True, kw_only=True):
    """How much an entry buys. `amount` is a fraction, a value in the account's currency, a quantity or a risk; unused for ALL."""

    method: SizingMethod = SizingMethod.ALL
    amount: Decimal | None = None


class Costs(ConfigPart, frozen=True, kw_only=True):
    """Costs that replace those of the profile; None keeps the profile's. Rates are in millionths, amounts in the account's currency."""

    half_spread_ppm: int | None = None
    slippage_ppm: int | None = None
    impact_ppm: int | None = None
    fee_maker_ppm: int | None = None
    fee_taker_ppm: int | None = None
    fee_flat: Decimal | None = None
    fee_per_unit: Decimal | None = None
    fee_minimum: Decimal | None = None
    fee_cap_ppm: int | None = None
    volume_share_ppm: int | None = None


class BarFile(ConfigPart, frozen=True, kw_only=True):
    """A CSV, Parquet or Feather file of bars instead of stored instruments. `tick` is checked where it is given."""

    path: str
    symbol: str
    calendar: str = "24/7"
    quote_asset: str = "USD"
    file_format: str = ""
    price_scale: int | None = None
    tick: Decimal | None = None


class WalkForward(ConfigPart, frozen=True, kw_only=True):
    """How the walk forward is made: windows in bars (None: a quarter of all bars to train, a twelfth to test) and the values of parameters
    that each window chooses from on its training bars. Without values every window keeps the parameters of the run."""

    train_bars: int | None = None
    test_bars: int | None = None
    is_anchored: bool = False
    search: dict[str, list[Value]] = {}
    objective: str = "sharpe"


class RunConfig(ConfigPart, frozen=True, kw_only=True):
    """Everything that a run depends on.

    `start` and `end` bound the opening and closing times of the bars (None: from the first, to the last that the market's clock has
    reached). Bars that open before `trade_from` are warm-up: indicators run over them, nothing trades. With `closes_at_end` whatever is
    held is sold at the close of the last bar. `capital` is in `currency`. `leverage` of 1 is a cash account; `allows_short` lets
    positions go below zero. With `signal_timeframe` the strategy sees bars of it, made of the finer ones of `timeframe`, on which orders fill.
    `rates` are the prices of other currencies in `currency`; they do not move during a run. With `compares_alone` each of several instruments is also
    run alone with all of the capital. Orders act `latency_bars` bars and `latency_ms` milliseconds after they are given. With a `tick_file` the
    run is one over quotes, trades and depth: times bound those, and neither `timeframe` nor the bars of others say anything. `robustness` says what is worked out beside the result.
    """

    strategy: str
    timeframe: Timeframe
    version: int = CONFIG_VERSION
    mode: RunMode = RunMode.SESSION
    parameters: dict[str, Value] = {}
    instrument_ids: tuple[UUID, ...] = ()
    bar_file: BarFile | None = None
    tick_file: TickFile | None = None
    start: datetime | None = None
    end: datetime | None = None
    trade_from: datetime | None = None
    closes_at_end: bool = False
    capital: Decimal = Decimal(100_000)
    currency: str = "USD"
    rates: dict[str, Decimal] = {}
    profile: Profile = Profile.DEFAULT
    costs: Costs = Costs()
    sizing: Sizing = Sizing()
    timing: FillTiming = FillTiming.NEXT_OPEN
    allows_short: bool = False
    leverage: Decimal = Decimal(1)
    signal_timeframe: Timeframe | None = None
    latency_bars: int = 0
    latency_ms: int = 0
    seed: int = 0
    score: ScoreMode = ScoreMode.WALK_FORWARD
    walk_forward: WalkForward = WalkForward()
    robustness: Robustness = Robustness()
    compares_alone: bool = False

    def with_parameters(self, values: dict[str, Value]) -> RunConfig:
        """The same run with some parameters replaced."""
        return msgspec.structs.replace(self, parameters={**self.parameters, **values})

    @property
    def market_data(self) -> str:
        """What the run is listed under: the timeframe of its bars, or that it is one over ticks."""
        return TICK if self.tick_file is not None else str(self.timeframe)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready builtins; decimals, times and ids as strings."""
        payload: dict[str, Any] = msgspec.to_builtins(self)
        return payload

    def fingerprint(self) -> str:
        """Identifies what was tried on its data: everything but how the result is scored and tested. 32 hex digits."""
        relevant = {name: value for name, value in self.to_json().items() if name not in _BESIDE and not (name in _SINCE and not value)}
        return hashlib.blake2b(msgspec.json.encode(relevant, order="deterministic"), digest_size=16).hexdigest()


def config_from_json(payload: dict[str, Any]) -> RunConfig:
    """The configuration that `to_json` wrote; unknown, missing or badly typed fields raise InvalidInput naming the field."""
    version = payload.get("version", CONFIG_VERSION)
    if version != CONFIG_VERSION:
        raise InvalidInput(
            f"A configuration of version {version!r} is not known.", where="version", hint=f"This code reads version {CONFIG_VERSION}."
        )
    try:
        config = msgspec.convert(payload, RunConfig)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise InvalidInput(f"The configuration does not fit: {message}.", where=path.strip(".`") or "config") from error
    times = {name: _utc(getattr(config, name), name) for name in ("start", "end", "trade_from")}
    return msgspec.structs.replace(config, robustness=_in_utc(config.robustness), **times)


def _in_utc(asked: Robustness) -> Robustness:
    scenarios = tuple(
        msgspec.structs.replace(item, begins_at=_utc(item.begins_at, "robustness.scenarios.begins_at")) for item in asked.scenarios
    )
    return msgspec.structs.replace(asked, scenarios=scenarios)


def _utc(at: datetime | None, name: str) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise InvalidInput(f"{name} {at} has no time zone.", where=name, hint="Write it in UTC, such as 2020-01-01T00:00:00Z.")
    return at.astimezone(UTC) if at else None
