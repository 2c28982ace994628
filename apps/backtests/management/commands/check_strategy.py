"""Does a strategy look ahead, and does it need more history than it says?"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.backtests.contracts import RunConfig
from apps.backtests.domain.strategy_check import StrategyCheck, check_decisions, sample_bars
from apps.backtests.management.arguments import add_run_arguments, config_of
from apps.backtests.management.compiling import load_engine_aloud
from apps.backtests.services import load_bars
from apps.core.errors import TradingError
from apps.markets.contracts import BarWindow

_SHOWN = 5


class Command(BaseCommand):
    help = (
        "Check a strategy: decisions on a bar must not change when the bars behind it are cut off or changed, nor, after the warm-up, with "
        "the history in front of it. Several instruments are checked one after the other. Without --file or --symbol it is checked on bars of a random walk. The exit code is 0 only when it is clean."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_run_arguments(parser)
        parser.add_argument("--bars", type=int, default=600, help="Bars that are looked at: the newest ones.")
        parser.add_argument("--cuts", type=int, default=20, help="Places at which the future is changed, and starts of the history.")
        parser.add_argument("--warm-up", type=int, default=None, help="Bars of warm-up to check, instead of what the strategy declares.")
        parser.add_argument("--tolerance", type=float, default=1e-9, help="Relative difference of numbers that the warm-up lets pass.")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            is_sample = not options["symbol"]
            config = config_of(
                {**options, "symbol": options["symbol"] or ["SAMPLE"], "file": options["file"] or ("-" if is_sample else "")}
            )
            load_engine_aloud()
            windows = (
                [sample_bars(options["bars"], seed=options["seed"], timeframe=config.timeframe)] if is_sample else _bars(config, options)
            )
            found = [
                check_decisions(
                    config, bars, seed=options["seed"], cuts=options["cuts"], warmup_bars=options["warm_up"], tolerance=options["tolerance"],
                    beside=windows,
                )
                for bars in windows
            ]  # fmt: skip
        except TradingError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(_whole_json(windows, found)))
        else:
            self.stdout.write("\n".join(line for bars, item in zip(windows, found, strict=True) for line in _lines(config, bars, item)))
        if not all(item.is_clean for item in found):
            raise CommandError(f"{config.strategy} is not clean.")


def _bars(config: RunConfig, options: dict[str, Any]) -> list[BarWindow]:
    return [window.last(options["bars"]) for window in load_bars(config)]


def _whole_json(windows: list[BarWindow], found: list[StrategyCheck]) -> dict[str, Any]:
    """One instrument's findings, or those of each by its symbol."""
    if len(found) == 1:
        return _json(found[0])
    each = {bars.instrument.symbol: _json(item) for bars, item in zip(windows, found, strict=True)}
    return {"is_clean": all(item.is_clean for item in found), "instruments": each}


def _lines(config: RunConfig, bars: BarWindow, found: StrategyCheck) -> list[str]:
    ahead, late = found.look_ahead, found.warm_up
    lines = [f"{config.strategy} ({config.mode}) on {len(bars)} bars of {bars.instrument.symbol}, seed {ahead.seed}"]
    lines.append(f"Look-ahead: {'none found' if ahead.is_clean else f'{len(ahead.peeks)} peeks'} in {ahead.probes} futures.")
    lines += [f"  {peek}" for peek in ahead.peeks[:_SHOWN]]
    if late is not None:
        lines.append(f"Warm-up: {'enough' if late.is_clean else f'too short, {late.needed_bars} bars are needed'} in {late.starts} starts.")
        lines += [f"  {start}" for start in late.late_starts[:_SHOWN]]
    return [*lines, *found.notes]


def _json(found: StrategyCheck) -> dict[str, Any]:
    late = found.warm_up
    return {
        "is_clean": found.is_clean,
        "peeks": [str(peek) for peek in found.look_ahead.peeks],
        "probes": found.look_ahead.probes,
        "late_starts": None if late is None else [str(start) for start in late.late_starts],
        "needed_bars": None if late is None else late.needed_bars,
        "notes": list(found.notes),
    }
