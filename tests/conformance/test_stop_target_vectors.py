"""The profile `freqtrade` against the outside judge: candles, signals, stops, targets and trailing stops, and the trades that must come out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance import stop_targets
from tests.outside import CASES, case_path

_FILE = CASES / "stop_target_vectors.json"
_WITHIN = 1e-6
_RATIO_WITHIN = 5.1e-6
"""The judge's ratios have five decimals."""


def _cases() -> list[Any]:
    if not _FILE.exists():
        return [pytest.param(None, id="the outside judge")]
    return [pytest.param(case, id=case["id"]) for case in json.loads(_FILE.read_text())["cases"]]


@pytest.mark.parametrize("case", _cases())
def test_the_trades_of_the_outside_judge_come_out(case: dict[str, Any] | None) -> None:
    if case is None:
        case_path("stop_target_vectors.json")
        return
    candles, params = case["candles"], case["params"]
    if params["custom_exit_price"] is not None:
        pytest.skip("an exit at a price that the strategy's own code asks for is not part of an exit plan")
    prices = [round((params[name] or 0) * 10**8) for name in ("custom_entry_price", "adjust_entry_price")]
    ours = stop_targets.Case(stop_targets.columns(candles), stop_targets.signals(candles), stop_targets.plan(params), *prices)
    _, trades = stop_targets.run(ours)
    expected = case["expected"]["trades"]
    assert [(t.reason.value, t.open_bar, t.close_bar, t.is_short) for t in trades] == [
        (t["exit_reason"], t["open_tick"], t["close_tick"], t["is_short"]) for t in expected
    ]
    for trade, wanted in zip(trades, expected, strict=True):
        assert float(trade.open_rate) == pytest.approx(wanted["open_rate"], abs=_WITHIN)
        assert float(trade.close_rate) == pytest.approx(wanted["close_rate"], abs=_WITHIN)
        assert float(trade.profit_ratio) == pytest.approx(wanted["profit_ratio"], abs=_RATIO_WITHIN)
