"""The published channel layout (layout version 1) that programs outside may rely on.

Every channel is two things of the same name in the Redis database of REDIS_URL: a pub/sub channel (each message is the payload as JSON) and a
stream of the last thousand messages (fields `payload`: the same JSON, `version`: the channel's version, `position`: the event's place in the log,
or 0 if it came from no event). The key `ts:layout` holds the version of this layout. Times are ISO 8601 in UTC, amounts are decimal strings,
statistics are JSON numbers. A field is never renamed or removed without a new version; readers must accept added ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from apps.core.errors import InvalidInput

LAYOUT_KEY = "ts:layout"
LAYOUT_VERSION = "1"
STREAM_LENGTH = 1000

Payload = dict[str, Any]
Translator = Callable[[Payload, str], Payload]
"""From an event's payload and its time (ISO 8601) to a channel's payload."""


@dataclass(frozen=True)
class OutsideChannel:
    """One row of the published table."""

    name: str
    description: str
    schema: MappingProxyType[str, str]
    sources: MappingProxyType[str, Translator] = field(default_factory=lambda: MappingProxyType({}))
    version: int = 1

    def require_schema(self, payload: Payload) -> None:
        """Raise InvalidInput unless the payload has exactly the published fields."""
        if payload.keys() != self.schema.keys():
            missing = sorted(self.schema.keys() - payload.keys())
            unknown = sorted(payload.keys() - self.schema.keys())
            raise InvalidInput(f"The payload does not fit {self.name}: missing {missing}, unknown {unknown}.", where=self.name)


def horizon_text(bars: int, timeframe: str) -> str:
    """`bars` bars of a timeframe as one duration: 5 bars of 1m are 5m, 3 of 15m are 45m."""
    digits = timeframe.rstrip("abcdefghijklmnopqrstuvwxyz")
    return f"{bars * int(digits or 1)}{timeframe[len(digits) :]}"


def _forecast_update(payload: Payload, at: str) -> Payload:
    return {
        "asset": payload["symbol"],
        "horizon": horizon_text(payload["horizon_bars"], payload["timeframe"]),
        "prediction": payload["expected_return"],
        "confidence": payload["confidence"],
        "timestamp": payload["as_of"],
    }


def _prediction(payload: Payload, at: str) -> Payload:
    return {
        "asset": payload["symbol"],
        "horizon": horizon_text(payload["horizon_bars"], payload["timeframe"]),
        "prediction": payload["expected_return"],
        "probability_up": payload["probability_up"],
        "confidence": payload["confidence"],
        "model": payload["model"],
        "forecast_id": payload["forecast_id"],
        "timestamp": payload["as_of"],
    }


def _risk_update(payload: Payload, at: str) -> Payload:
    return {"risk_factor": payload["risk_factor"], "reasons": payload["reasons"], "timestamp": payload["at"]}


def _strategy_config(payload: Payload, at: str) -> Payload:
    return {
        "strategy_id": payload["strategy_id"],
        "strategy": payload["strategy"],
        "parameters": payload["parameters"],
        "reason": payload["reason"],
        "timestamp": at,
    }


def _signal(payload: Payload, at: str) -> Payload:
    return {
        "asset": payload["symbol"],
        "strategy": payload["strategy"],
        "direction": payload["direction"],
        "strength": payload["strength"],
        "confidence": payload["confidence"],
        "reason": payload["reason"],
        "decision_id": payload["decision_id"],
        "timestamp": payload["bar_at"],
    }


def _tick(payload: Payload, at: str) -> Payload:
    return {
        "venue": payload["venue"],
        "timeframe": payload["timeframe"],
        "instruments": payload["instruments"],
        "bars": [],
        "timestamp": payload["closed_at"],
    }


def _alert(level: str, title: str, message: str) -> Translator:
    """An alert made of an event's payload: the texts are format strings over its fields."""

    def translate(payload: Payload, at: str) -> Payload:
        return {
            "level": level.format(**payload),
            "title": title.format(**payload),
            "message": message.format(**payload),
            "timestamp": at,
        }

    return translate


def _table(*rows: OutsideChannel) -> MappingProxyType[str, OutsideChannel]:
    return MappingProxyType({row.name: row for row in rows})


CHANNELS = _table(
    OutsideChannel(
        name="forecast_updates",
        description="Each stored forecast.",
        schema=MappingProxyType(
            {
                "asset": "symbol of the instrument",
                "horizon": "duration forecast, such as 1d or 5m",
                "prediction": "expected return over the horizon, number",
                "confidence": "0 to 1, number",
                "timestamp": "as-of time: the close of the last bar used",
            }
        ),
        sources=MappingProxyType({"forecast.updated": _forecast_update}),
    ),
    OutsideChannel(
        name="risk_updates",
        description="Each change of an account's risk factor.",
        schema=MappingProxyType(
            {"risk_factor": "0 to 1, decimal string", "reasons": "list of reason codes, such as low_confidence", "timestamp": "market time"}
        ),
        sources=MappingProxyType({"risk.factor_changed": _risk_update}),
    ),
    OutsideChannel(
        name="strategy_config",
        description="Each change of a strategy's parameters.",
        schema=MappingProxyType(
            {
                "strategy_id": "uuid",
                "strategy": "name",
                "parameters": "all parameters after the change, strings by name",
                "reason": "why",
                "timestamp": "when",
            }
        ),
        sources=MappingProxyType({"strategy.config_changed": _strategy_config}),
    ),
    OutsideChannel(
        name="trading:signals",
        description="Each signal of a strategy.",
        schema=MappingProxyType(
            {
                "asset": "symbol of the instrument",
                "strategy": "name",
                "direction": "LONG, FLAT or SHORT",
                "strength": "0 to 1, number",
                "confidence": "0 to 1, number",
                "reason": "in plain words",
                "decision_id": "uuid of the decision that used it",
                "timestamp": "close of the bar it was decided on",
            }
        ),
        sources=MappingProxyType({"trading.signal_generated": _signal}),
    ),
    OutsideChannel(
        name="ai:predictions",
        description="Each stored forecast, with its model and its probability.",
        schema=MappingProxyType(
            {
                "asset": "symbol of the instrument",
                "horizon": "duration forecast, such as 1d or 5m",
                "prediction": "expected return over the horizon, number",
                "probability_up": "0 to 1, number",
                "confidence": "0 to 1, number",
                "model": "learner and version",
                "forecast_id": "uuid of the stored forecast",
                "timestamp": "as-of time: the close of the last bar used",
            }
        ),
        sources=MappingProxyType({"forecast.updated": _prediction}),
    ),
    OutsideChannel(
        name="system:alerts",
        description="What a person should know.",
        schema=MappingProxyType(
            {"level": "INFO, WARNING or CRITICAL", "title": "a few words", "message": "a sentence", "timestamp": "when"}
        ),
        sources=MappingProxyType(
            {
                "system.alert_raised": _alert("{level}", "{title}", "{message}"),
                "system.handler_failed": _alert("WARNING", "Handler {handler} gave up", "Event {position}: {error}"),
                "system.process_stale": _alert("CRITICAL", "Process {process} is stuck", "No completed work for {age_seconds:.0f} s."),
                "market.feed_failed": _alert("WARNING", "Feed of {venue} failed", "{message}"),
                "trading.emergency_stop": _alert("CRITICAL", "Trading is halted", "{reason}"),
                "backtests.parity_breached": _alert("CRITICAL", "Paper is beside the backtest", "{account}: {message}"),
            }
        ),
    ),
    OutsideChannel(
        name="market:ticks",
        description="Each step of a venue: once from the log (without bars) when its bars are stored, and with its bars where the feed sends them.",
        schema=MappingProxyType(
            {
                "venue": "name of the venue",
                "timeframe": "1m 5m 15m 1h 4h 1d",
                "instruments": "how many instruments have a bar, number",
                "bars": "list of {asset, open, high, low, close, volume}, decimal strings; empty in the copy from the log",
                "timestamp": "close of the bars",
            }
        ),
        sources=MappingProxyType({"market.data_received": _tick}),
    ),
)
"""The published table."""

SOURCE_TYPES = frozenset(event_type for channel in CHANNELS.values() for event_type in channel.sources)
"""Event types that some channel carries."""


def outside_messages(event_type: str, payload: Payload, occurred_at: str) -> list[tuple[OutsideChannel, Payload]]:
    """What an event says to the outside, channel by channel."""
    return [(channel, channel.sources[event_type](payload, occurred_at)) for channel in CHANNELS.values() if event_type in channel.sources]


def channel(name: str) -> OutsideChannel:
    """A row of the table; raises InvalidInput for a name that is not published."""
    try:
        return CHANNELS[name]
    except KeyError:
        raise InvalidInput(f"No outside channel is named {name!r}.", where="channel", hint=f"There are: {', '.join(CHANNELS)}.") from None
