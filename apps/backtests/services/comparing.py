"""Putting a run beside what another program made of the same: read, compared, stored in its tear sheet."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.db import transaction

from apps.backtests.adapters.freqtrade_results import read_freqtrade_result
from apps.backtests.contracts import RecordKind
from apps.backtests.domain.comparing import Ours, compare_history
from apps.backtests.domain.config import config_from_json
from apps.backtests.domain.imported_history import ImportedHistory
from apps.backtests.domain.scoring import trades_in_money
from apps.backtests.domain.states import RunState
from apps.backtests.models import BacktestRun
from apps.backtests.selectors.records import record_array, records_of
from apps.core.errors import Conflict
from apps.portfolio.domain.ledger_codes import T_PLACE

LARGEST_UPLOAD = 32 * 1024 * 1024
"""Bytes of a file that comes with a request, unpacked."""


def read_history(path: Path, *, strategy: str = "") -> ImportedHistory:
    """The history in a result file of freqtrade, and of which strategy where it has several. Raises InvalidInput saying what is wrong with it."""
    return read_freqtrade_result(path, strategy=strategy)


def read_uploaded_history(file: IO[bytes], *, name: str, strategy: str = "") -> ImportedHistory:
    """The same from an open file, of LARGEST_UPLOAD at most."""
    return read_freqtrade_result(file, name=name, strategy=strategy, most_bytes=LARGEST_UPLOAD)


def compare_run(*, run_id: UUID, history: ImportedHistory) -> dict[str, Any]:
    """Compare a finished run with a history and keep the comparison in its tear sheet, instead of an earlier one.

    Raises NotFound, Conflict for a run that is not done, InvalidInput where nothing can be compared.
    """
    records = records_of(run_id)
    with transaction.atomic():
        run = BacktestRun.objects.select_for_update().get(id=run_id)
        if run.state != RunState.DONE:
            raise Conflict(f"The backtest is {run.state.lower()}; only one that is done can be compared.", where="run_id")
        config, rows = config_from_json(run.config), record_array(run_id, RecordKind.TRADES)
        ours = Ours(
            trades=trades_in_money(rows, records),
            symbols=tuple(records.places[place].symbol for place in rows[:, T_PLACE].tolist()),
            figures=run.metrics["plain"],
            currency=records.currency,
            timeframe=config.market_data,
            bar_us=round(config.timeframe.duration.total_seconds() * 1_000_000),
        )
        found = compare_history(ours, history)
        run.tear_sheet = {**run.tear_sheet, "comparison": found}
        run.save(update_fields=["tear_sheet"])
    return found
