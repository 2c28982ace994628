"""The profile `freqtrade` against the outside judge: candles, signals, stops, targets and trailing stops, and the trades that must come out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.stop_targets import assert_trades
from tests.outside import CASES, case_path

_FILE = CASES / "stop_target_vectors.json"


def _cases() -> list[Any]:
    if not _FILE.exists():
        return [pytest.param(None, id="the outside judge")]
    return [pytest.param(case, id=case["id"]) for case in json.loads(_FILE.read_text())["cases"]]


@pytest.mark.parametrize("case", _cases())
def test_the_trades_of_the_outside_judge_come_out(case: dict[str, Any] | None) -> None:
    if case is None:
        case_path("stop_target_vectors.json")
        return
    assert_trades(case)
