"""Run a backtest here and now, and print its result."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from apps.backtests import selectors, services
from apps.backtests.contracts import ExportFormat, RecordKind, RunState, RunView
from apps.backtests.domain.robustness import Robustness
from apps.backtests.management.arguments import add_robustness_arguments, add_run_arguments, add_score_arguments, config_of
from apps.backtests.management.comparison import comparison_lines
from apps.backtests.management.compiling import load_engine_aloud
from apps.backtests.management.report import data_of, json_of, lines_of, place_lines, robustness_lines, tick_lines
from apps.backtests.management.tick_arguments import TICKS_HELP, add_tick_arguments
from apps.core.errors import TradingError

_BAR = 40
ACTOR = "manage.py backtest"


class _Help(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the lines of the text behind the options."""


class Command(BaseCommand):
    help = (
        "Run a strategy over stored bars, a file of bars or a file of ticks, and print the result. The run is stored like any other and counted in the trial ledger. "
        "The exit code is 0 only when it is done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class, parser.epilog = _Help, TICKS_HELP
        add_run_arguments(parser)
        add_tick_arguments(parser)
        add_score_arguments(parser)
        add_robustness_arguments(parser)
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")
        parser.add_argument(
            "--export", default="", metavar="DIR", help="Write orders, fills, trades, entries, equity and the result there."
        )
        parser.add_argument(
            "--compare",
            default="",
            metavar="FILE",
            help="A result of freqtrade's backtesting (.json, .zip): compare with it, trade by trade.",
        )
        parser.add_argument("--compare-strategy", default="", metavar="NAME", help="Which strategy of that file, where it has several.")
        parser.add_argument("--export-format", default="csv", choices=[str(item) for item in ExportFormat])

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        try:
            config = config_of(options)
            history = services.read_history(Path(options["compare"]), strategy=options["compare_strategy"]) if options["compare"] else None
            load_engine_aloud()
            run_id = services.request_run(config, ACTOR, is_queued=False)
            self._execute(run_id, data_of(config))
            run = selectors.run(run_id)
            seconds = time.monotonic() - began
            is_done = run.summary.state is RunState.DONE
            if not options["json"]:
                self.stdout.write("\n".join([*lines_of(run, seconds), *self._places(run), *self._tested(run), *self._ticks(run)]))
            found = services.compare_run(run_id=run_id, history=history) if history is not None and is_done else None
            if options["json"]:
                self.stdout.write(json.dumps(json_of(run, seconds) | {"comparison": found}, indent=2, default=str))
            elif found is not None:
                self.stdout.write("\n".join(comparison_lines(found)))
            if not is_done:
                raise CommandError(_sentence(run.error or "It was cancelled.", run.error_where, run.error_hint))
            if options["export"]:
                self._export(run_id, Path(options["export"]), ExportFormat(options["export_format"]), json_of(run, seconds))
        except TradingError as error:
            raise CommandError(str(error)) from error

    @staticmethod
    def _tested(run: RunView) -> list[str]:
        """What crises and re-runs did, where something of it was asked for."""
        is_asked = run.summary.state is RunState.DONE and run.config.robustness != Robustness()
        return list(robustness_lines(selectors.tear_sheet(run.summary.id))) if is_asked else []

    @staticmethod
    def _places(run: RunView) -> list[str]:
        """A line for each of several instruments."""
        if run.summary.state is not RunState.DONE or len(run.config.instrument_ids) < 2:
            return []
        return list(place_lines(selectors.results_by_place(run.summary.id), selectors.tear_sheet(run.summary.id).get("alone", [])))

    @staticmethod
    def _ticks(run: RunView) -> list[str]:
        """What was in the file, for a run over ticks."""
        is_told = run.summary.state is RunState.DONE and run.config.tick_file is not None
        return list(tick_lines(selectors.tear_sheet(run.summary.id))) if is_told else []

    def _execute(self, run_id: UUID, what: str) -> None:
        is_shown = sys.stderr.isatty()

        def show(done: int, total: int) -> None:
            filled = _BAR * done // max(total, 1)
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (_BAR - filled)}] {done:,} of {total:,} {what} ")
            sys.stderr.flush()

        services.execute_run(run_id, on_progress=show if is_shown else None)
        if is_shown:
            sys.stderr.write("\r" + " " * 80 + "\r")

    def _export(self, run_id: UUID, folder: Path, file_format: ExportFormat, result: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in RecordKind:
            with (folder / f"{kind}.{file_format}").open("wb") as file:
                for piece in selectors.export(run_id, kind, file_format):
                    file.write(piece)
        (folder / "result.json").write_text(json.dumps(result, indent=2, default=str))
        (folder / "tear_sheet.json").write_text(json.dumps(selectors.tear_sheet(run_id)))
        self.stderr.write(f"Written to {folder}.")


def _sentence(message: str, where: str, hint: str) -> str:
    return " ".join(part for part in (message, f"({where})" if where else "", hint) if part)
