"""From a command line to a configuration."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from apps.backtests.contracts import RunConfig, RunMode, ScoreMode, config_from_json
from apps.backtests.domain.config import FillTiming, Profile, SizingMethod, WalkForward
from apps.backtests.domain.robustness import Crises, Reruns, Robustness
from apps.backtests.domain.stress_text import EXAMPLE, scenario_of_text
from apps.backtests.management.tick_arguments import ticks_of
from apps.backtests.services import fastest_mode
from apps.core.errors import InvalidInput
from apps.core.vocabulary import Timeframe
from apps.markets import selectors as markets

_COSTS = {
    "fee_bps": ("fee_maker_ppm", "fee_taker_ppm"),
    "slippage_bps": ("slippage_ppm",),
    "half_spread_bps": ("half_spread_ppm",),
}


def add_run_arguments(parser: ArgumentParser) -> None:
    """What says which strategy runs on which bars and how."""
    parser.add_argument("strategy", help="Name of the strategy, such as momentum.")
    parser.add_argument("--file", default="", help="A CSV, Parquet or Feather file with date, open, high, low, close, volume.")
    parser.add_argument("--venue", default="", help="Code of the venue that has the bars, instead of a file. Default: the current one.")
    parser.add_argument("--symbol", action="append", default=[], help="Such as BTC/USDT; repeatable: all trade on one account.")
    parser.add_argument("--timeframe", default="1d", choices=[str(item) for item in Timeframe])
    parser.add_argument(
        "--signal-timeframe",
        default="",
        choices=["", *(str(item) for item in Timeframe)],
        help="What the strategy sees, made of the finer bars on which orders fill.",
    )
    parser.add_argument("--latency-bars", type=int, default=0, help="Bars until an order acts.")
    parser.add_argument("--latency-ms", type=int, default=0, help="Milliseconds until an order acts.")
    parser.add_argument("--from", dest="start", default="", metavar="DATE", help="First bar, such as 2015-01-01 (UTC).")
    parser.add_argument("--to", dest="end", default="", metavar="DATE", help="Last bar.")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="A parameter of the strategy; repeatable.")
    parser.add_argument("--mode", default="", choices=["", *RunMode], help="How the strategy runs. Default: the fastest way that it knows.")
    parser.add_argument("--calendar", default="24/7", help="Trading calendar of a daily file, such as XNYS.")
    parser.add_argument(
        "--quote", default="", help="Currency of a file's prices, unless the symbol says it. Default: the one of --currency."
    )
    parser.add_argument("--tick", default="", help="Smallest price step of a file; prices off it are refused.")
    parser.add_argument("--price-scale", type=int, default=None, help="Decimal places of a file's prices. Default: as many as it needs.")
    parser.add_argument("--capital", default="100000")
    parser.add_argument("--currency", default="", help="Default: the currency of the instrument.")
    parser.add_argument(
        "--rate",
        action="append",
        default=[],
        metavar="EUR=1.08",
        help="The price of another currency in that of the capital, for instruments that are paid in it; repeatable.",
    )
    parser.add_argument("--profile", default="default", choices=[str(item) for item in Profile], help="Whose rules fills and costs follow.")
    parser.add_argument("--fee-bps", default="", help="Fee of every fill in hundredths of a per cent, instead of the profile's.")
    parser.add_argument("--slippage-bps", default="", help="Slippage of market orders.")
    parser.add_argument("--half-spread-bps", default="", help="Half of the spread between bid and ask.")
    parser.add_argument("--sizing", default="all", metavar="HOW", help="all, or fraction=0.5, value=1000, quantity=10, risk=0.02.")
    parser.add_argument(
        "--at-close", action="store_true", help="Market orders fill at the close they are decided on, not at the next open."
    )
    parser.add_argument("--short", action="store_true", help="Positions may go below zero.")
    parser.add_argument("--leverage", default="1")
    parser.add_argument("--seed", type=int, default=0)


def add_score_arguments(parser: ArgumentParser) -> None:
    """What says how the result is scored."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--walk-forward", action="store_true", help="Score on bars behind those that chose the parameters (the default).")
    group.add_argument("--plain", action="store_true", help="Score on all bars.")
    parser.add_argument(
        "--search", action="append", default=[], metavar="NAME=V1,V2", help="Values that each window chooses among; repeatable."
    )
    parser.add_argument("--each-alone", action="store_true", help="Also run each of several instruments alone, with all of the capital.")
    parser.add_argument("--train-bars", type=int, default=None, help="Bars that a window is trained on. Default: a quarter of all.")
    parser.add_argument("--test-bars", type=int, default=None, help="Bars that a window is tested on. Default: a twelfth of all.")


def add_robustness_arguments(parser: ArgumentParser) -> None:
    """What is worked out beside the result; it stands in the tear sheet."""
    parser.add_argument(
        "--crises", default=str(Crises.AUTO), choices=[str(item) for item in Crises],
        help="Put the crises of 2008, 2010 and 2020 into the bars: auto (where it does not take long), always, never.",
    )  # fmt: skip
    parser.add_argument(
        "--stress", action="append", default=[], metavar="SCENARIO",
        help=f"A crisis of your own, run through the engine; repeatable. Such as: '{EXAMPLE.replace('%', '%%')}'",
    )  # fmt: skip
    parser.add_argument(
        "--reruns",
        type=int,
        default=0,
        metavar="N",
        help="Run again N times from random starts and N times with random costs, by the seed.",
    )
    parser.add_argument(
        "--latest-start", default="0.5", metavar="SHARE", help="Random starts lie in this share of the bars; 0: no such re-runs."
    )
    parser.add_argument(
        "--costs-between",
        default="0.5,2",
        metavar="LOW,HIGH",
        help="Multiples of fees and of slippage that random costs lie between; 1,1: no such re-runs.",
    )


def config_of(options: dict[str, Any]) -> RunConfig:
    """The configuration of a command line; raises InvalidInput or NotFound for what it cannot mean."""
    payload: dict[str, Any] = {
        "strategy": options["strategy"],
        "timeframe": options["timeframe"],
        "parameters": dict(_pair(item) for item in options["set"]),
        "start": _date(options["start"], "from"),
        "end": _date(options["end"], "to"),
        "capital": _decimal(options["capital"], "capital"),
        "profile": options["profile"],
        "costs": _costs(options),
        "sizing": _sizing(options["sizing"]),
        "timing": FillTiming.AT_CLOSE if options["at_close"] else FillTiming.NEXT_OPEN,
        "allows_short": options["short"],
        "leverage": _decimal(options["leverage"], "leverage"),
        "signal_timeframe": options["signal_timeframe"] or None,
        "latency_bars": options["latency_bars"],
        "latency_ms": options["latency_ms"],
        "seed": options["seed"],
        "score": ScoreMode.PLAIN if options.get("plain") else ScoreMode.WALK_FORWARD,
        "walk_forward": _walk_forward(options),
        "robustness": _robustness(options),
        "rates": {name: _decimal(rate, "rate") for name, rate in (_split(item, "rate") for item in options["rate"])},
        "compares_alone": options.get("each_alone", False),
        **_bars(options),
    }
    if options["mode"]:
        payload["mode"] = options["mode"]
    config = config_from_json(payload)
    return config if options["mode"] else fastest_mode(config)


def _bars(options: dict[str, Any]) -> dict[str, Any]:
    """Where the bars are, and the currency that they are paid in."""
    if not options["symbol"]:
        raise InvalidInput("Which instrument is it?", where="symbol", hint="Give --symbol, with --file for bars of a file.")
    if options.get("ticks"):
        tick, lot = (_decimal(options[name], name) if options[name] else None for name in ("tick", "lot"))
        return ticks_of(options, tick=tick, lot=lot)
    if options["file"]:
        return _file(options)
    venue = markets.venue_by_code(options["venue"]) if options["venue"] else markets.active_venue()
    if venue is None:
        raise InvalidInput("No market is open.", where="venue", hint="Give --venue, or --file for bars of a file.")
    found = [markets.instrument_by_symbol(venue.id, symbol) for symbol in options["symbol"]]
    ids: tuple[UUID, ...] = tuple(spec.id for spec in found)
    return {"instrument_ids": ids, "currency": options["currency"] or found[0].quote_asset}


def _file(options: dict[str, Any]) -> dict[str, Any]:
    if len(options["symbol"]) > 1 or options["venue"]:
        raise InvalidInput("A file has the bars of one symbol and belongs to no venue.", where="file")
    symbol = options["symbol"][0]
    quote = symbol.partition("/")[2] or options["quote"] or options["currency"] or "USD"
    file = {"path": options["file"], "symbol": symbol, "calendar": options["calendar"], "quote_asset": quote}
    tick = _decimal(options["tick"], "tick") if options["tick"] else None
    return {
        "bar_file": file | {"price_scale": options["price_scale"], "tick": tick},
        "currency": options["currency"] or quote,
    }


def _walk_forward(options: dict[str, Any]) -> WalkForward:
    search: dict[str, list[Any]] = {}
    for item in options.get("search", []):
        name, values = _split(item, "search")
        search[name] = [_value(text) for text in values.split(",")]
    return WalkForward(train_bars=options.get("train_bars"), test_bars=options.get("test_bars"), search=search)


def _robustness(options: dict[str, Any]) -> Robustness:
    lowest, comma, highest = options.get("costs_between", "0.5,2").partition(",")
    if not comma:
        raise InvalidInput(
            f"{lowest!r} names one multiple of costs.", where="costs-between", hint="Write two, such as --costs-between 0.5,2."
        )
    reruns = Reruns(
        count=options.get("reruns", 0),
        latest_start=_decimal(options.get("latest_start", "0.5"), "latest-start"),
        lowest_costs=_decimal(lowest, "costs-between"),
        highest_costs=_decimal(highest, "costs-between"),
    )
    scenarios = tuple(scenario_of_text(text, where="stress") for text in options.get("stress", []))
    return Robustness(crises=Crises(options.get("crises", Crises.AUTO)), scenarios=scenarios, reruns=reruns)


def _costs(options: dict[str, Any]) -> dict[str, int]:
    """Hundredths of a per cent as millionths."""
    found: dict[str, int] = {}
    for name, fields in _COSTS.items():
        if options[name]:
            ppm = _decimal(options[name], name) * 100
            if not ppm.is_finite() or ppm != ppm.to_integral_value():
                raise InvalidInput(f"{options[name]} is no number with at most two decimal places.", where=name)
            found |= dict.fromkeys(fields, int(ppm))
    return found


def _sizing(text: str) -> dict[str, Any]:
    method, equals, amount = text.partition("=")
    if method not in list(SizingMethod):
        raise InvalidInput(f"There is no sizing {method!r}.", where="sizing", hint=f"Known: {', '.join(SizingMethod)}.")
    return {"method": method, "amount": _decimal(amount, "sizing") if equals else None}


def _pair(text: str) -> tuple[str, Any]:
    name, value = _split(text, "set")
    return name, _value(value)


def _split(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput(f"{text!r} names no value.", where=option, hint=f"Write --{option} NAME=VALUE.")
    return name, value


def _value(text: str) -> Any:
    """A number, true or false where it is one, else the text."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _date(text: str, option: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is no date.", where=option, hint="Write it as 2015-01-31 or 2015-01-31T09:30.") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _decimal(text: str, option: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidInput(f"{text!r} is no number.", where=option) from None
