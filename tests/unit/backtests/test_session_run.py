"""The runner of sessions: configuration in, records out that add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from apps.backtests.domain.config import FillTiming, RunConfig, RunMode, Sizing, SizingMethod
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.runners import RunCancelled, runner_for
from apps.core.errors import InvalidInput, NotFound
from apps.core.vocabulary import Timeframe
from apps.markets.contracts import BarWindow
from apps.orders.domain import engine_codes as code
from apps.orders.domain.venue_profiles import VenueTerms
from apps.portfolio.domain import ledger_codes as ledger
from tests.factories.windows import make_spec, real_window

WINDOW = real_window("sp500").part(1000, 1500)
OTHER = replace(real_window("nasdaq").part(1000, 1500), instrument=make_spec("NASDAQ"))


def config(*windows: BarWindow, **changes: Any) -> RunConfig:
    ids = tuple(window.instrument.id for window in windows)
    given = RunConfig(strategy="momentum", timeframe=Timeframe.D1, mode=RunMode.SESSION, instrument_ids=ids)
    return msgspec.structs.replace(given, **changes)


def run(asked: RunConfig, *windows: BarWindow, is_cancelled: Callable[[], bool] = lambda: False) -> RunRecords:
    return runner_for(RunMode.SESSION).run(asked, windows, progress=lambda done, total: None, is_cancelled=is_cancelled, seed=0)


def test_records_add_up_to_the_equity() -> None:
    records = run(config(WINDOW, OTHER), WINDOW, OTHER)
    assert [spec.symbol for spec in records.places] == ["NASDAQ", "SP500"]
    assert len(records.equity) == 500 and len(records.fills) > 10
    entries = records.entries
    for asset in np.unique(entries[:, ledger.L_ASSET]):
        assert entries[entries[:, ledger.L_ASSET] == asset, ledger.L_AMOUNT].sum() == 0
    cash = records.opening_cash + entries[(entries[:, ledger.L_COLUMN] == 0) & (entries[:, ledger.L_ASSET] == 0), ledger.L_AMOUNT].sum()
    held = sum(
        int((rows[:, code.F_SIDE] * rows[:, code.F_LOTS]).sum()) * int(window.close[-1]) * spec.cash_units_per_price_unit_lot
        for place, spec in enumerate(records.places)
        for window in (WINDOW, OTHER)
        if window.instrument.symbol == spec.symbol
        for rows in (records.fills[records.fills[:, code.F_PLACE] == place],)
    )
    assert records.equity[-1] == cash + held
    assert sum(records.decisions.values()) == 1000


def test_the_same_run_has_the_same_hash_and_other_parameters_another() -> None:
    asked = config(WINDOW)
    first, second = run(asked, WINDOW), run(asked, WINDOW)
    other = run(asked.with_parameters({"fast_bars": 5}), WINDOW)
    assert first.fills_hash() == second.fills_hash() != other.fills_hash()


def test_nothing_trades_before_trading_begins_and_the_end_is_flat() -> None:
    begins = datetime.fromtimestamp(int(WINDOW.opened_at[200]) / 1_000_000, UTC)
    records = run(config(WINDOW, trade_from=begins, closes_at_end=True), WINDOW)
    assert len(records.equity) == sum(records.decisions.values()) == 300
    assert records.fills[:, code.F_AT].min() > WINDOW.closed_at[200]
    assert (records.fills[:, code.F_SIDE] * records.fills[:, code.F_LOTS]).sum() == 0
    assert records.exposure is not None and records.exposure[-1] == 0 and records.exposure.max() > 0
    assert records.trades[-1, ledger.T_CLOSED_AT] == WINDOW.closed_at[-1]
    assert records.equity[-1] == records.opening_cash + records.trades[:, ledger.T_REALISED].sum() - records.trades[:, ledger.T_FEES].sum()


def test_what_a_session_cannot_do_is_said_before_the_run() -> None:
    with pytest.raises(NotFound):
        run(config(WINDOW, strategy="nothing"), WINDOW)
    for changes in (
        {"latency_bars": 25},
        {"timing": FillTiming.AT_CLOSE},
        {"sizing": Sizing(method=SizingMethod.QUANTITY, amount=Decimal(1))},
    ):
        with pytest.raises(InvalidInput):
            run(config(WINDOW, **changes), WINDOW)


def test_leverage_lets_sessions_carry_more_than_the_capital() -> None:
    plain, lent = run(config(WINDOW), WINDOW), run(config(WINDOW, leverage=Decimal(3)), WINDOW)
    unit = plain.cash_unit
    assert plain.exposure is not None and lent.exposure is not None
    assert int(plain.exposure.max()) * unit < 200_000 < int(lent.exposure.max()) * unit
    first = [int(made.fills[0, code.F_LOTS]) for made in (plain, lent)]
    assert abs(first[1] - 3 * first[0]) <= 2, "three times the size, cut to the lot"
    assert lent.opening_cash == plain.opening_cash


def test_latency_of_a_bar_fills_a_bar_later() -> None:
    plain, late = run(config(WINDOW), WINDOW), run(config(WINDOW, latency_bars=1), WINDOW)
    closes = WINDOW.closed_at.tolist()
    first, then = (closes.index(made.fills[0, code.F_AT]) for made in (plain, late))
    assert then > first
    ended = run(config(WINDOW, latency_bars=1, closes_at_end=True), WINDOW)
    assert (ended.fills[:, code.F_SIDE] * ended.fills[:, code.F_LOTS]).sum() == 0, "what is given up at the end does not wait"


def test_the_rules_of_a_run_are_those_of_a_paper_account_set_alike() -> None:
    asked = engine_profile(config(WINDOW, leverage=Decimal(3), latency_ms=1_500, allows_short=True))
    terms = VenueTerms(
        leverage=Decimal(3),
        maintenance_percent=Decimal(50),
        latency_ms=1_500,
        allows_short=True,
        volume_percent=Decimal(10),
        maker_fee_bps=Decimal(5),
    )
    assert asked == terms.engine_profile


def test_a_cancelled_run_stops() -> None:
    with pytest.raises(RunCancelled):
        run(config(WINDOW), WINDOW, is_cancelled=lambda: True)
