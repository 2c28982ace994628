"""The compiled figures of a sweep agree with the Python figures, and compiled agrees with plain."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.portfolio.domain import metrics_nb as nb
from apps.portfolio.domain.metrics import returns, sharpe
from apps.portfolio.domain.metrics.drawdowns import max_drawdown
from apps.portfolio.domain.records import DAY_MICROS, EquitySeries, FloatArray, Int64Array

ROOT = Path(nb.__file__).resolve().parents[3]
PROGRAM = """
import json, sys
import numpy as np
from apps.core.kernel import is_compiling
from apps.portfolio.domain import metrics_nb as nb

rows = []
for seed in json.loads(sys.argv[1]):
    generator = np.random.default_rng(seed)
    equity = 10**14 + np.cumsum(generator.integers(-10**11, 10**11, 5_000))
    ends = np.append(np.arange(7, 4_990, 24), 4_999)
    out = np.empty(nb.M_COLUMNS)
    status = nb.measure_equity(equity, ends, 252.0, out)
    rows.append([int(status), *(value.hex() for value in out.tolist())])
print(json.dumps({"compiled": is_compiling(), "rows": rows}))
"""


def measure(equity: Int64Array, day_ends: Int64Array, *, per_year: float = 252.0) -> tuple[int, FloatArray]:
    out = np.full(nb.M_COLUMNS, 7.0)
    return nb.measure_equity(equity, day_ends, per_year, out), out


def last_of_days(days: Int64Array) -> Int64Array:
    return np.flatnonzero(np.append(days[1:] != days[:-1], True))


def same(found: float, expected: float | None, *, tolerance: float = 1e-9) -> bool:
    return math.isnan(found) if expected is None else found == pytest.approx(expected, rel=tolerance, abs=1e-14)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(-(10**10), 10**10), min_size=1, max_size=400),
    st.integers(5 * 10**12, 10**15),
    st.integers(1, 40),
    st.integers(0, 39),
)
def test_the_kernel_agrees_with_the_python_figures(moves: list[int], start: int, bars_a_day: int, shift: int) -> None:
    equity = np.cumsum(np.array([start, *moves], np.int64))
    times = (np.arange(len(equity)) + shift) * (DAY_MICROS // bars_a_day)
    series = EquitySeries(times, equity.astype(np.float64))
    status, out = measure(equity, last_of_days(times // DAY_MICROS))
    bars, days = returns.daily_returns(series.equity), returns.daily_returns(series.daily.values)
    assert status == nb.OK
    assert out[nb.M_FINAL] == equity[-1]
    assert out[nb.M_TOTAL_RETURN] == pytest.approx(returns.total_return(series.equity), rel=1e-12, abs=1e-15)
    assert out[nb.M_MAX_DRAWDOWN] == pytest.approx(max_drawdown(series.equity), rel=1e-12)
    assert out[nb.M_DAYS] == len(days)
    for column, gains in ((nb.M_BAR_MEAN, bars), (nb.M_DAY_MEAN, days)):
        assert same(out[column], gains.mean() if len(gains) else None)
        assert same(out[column + 1], gains.var(ddof=1) if len(gains) > 1 else None)
        assert same(out[column + 2], float(np.mean(np.minimum(gains, 0) ** 2)) if len(gains) else None)
    assert same(out[nb.M_SHARPE], sharpe(series.daily.values, per_year=252.0), tolerance=1e-7)
    assert same(out[nb.M_SORTINO], returns.sortino(series.daily.values, per_year=252.0), tolerance=1e-7)


def test_steady_growth_has_no_ratio_and_no_variance() -> None:
    equity = np.rint(1e15 * 1.0001 ** np.arange(300)).astype(np.int64)
    status, out = measure(equity, np.arange(300))
    assert status == nb.OK
    assert out[nb.M_DAY_MEAN] == pytest.approx(0.0001)
    assert out[nb.M_DAY_VARIANCE] < 1e-28
    assert math.isnan(out[nb.M_SHARPE])
    assert math.isnan(out[nb.M_SORTINO])


def test_few_days_have_no_ratio() -> None:
    equity = 10**12 + np.arange(21) ** 2 * (-1) ** np.arange(21) * 10**8
    assert math.isnan(measure(equity[:20], np.arange(20))[1][nb.M_SHARPE])
    assert not math.isnan(measure(equity, np.arange(21))[1][nb.M_SHARPE])


def test_ruin_leaves_what_can_be_said() -> None:
    status, out = measure(np.array([100, 120, 0, 60]), np.array([1, 3]))
    assert status == nb.NOT_POSITIVE
    assert out[: nb.M_BAR_MEAN].tolist() == pytest.approx([60.0, -0.4, 1.0])
    assert np.isnan(out[nb.M_BAR_MEAN :]).all()
    assert measure(np.array([0, 5]), np.array([1]))[0] == nb.NOT_POSITIVE


def test_what_cannot_be_measured_is_refused() -> None:
    assert measure(np.array([5]), np.array([0]))[0] == nb.TOO_SHORT
    for ends in ([], [1], [0, 1], [2, 1, 3], [1, 1, 3], [1, 4], [-1, 3]):
        assert measure(np.array([5, 6, 7, 8]), np.array(ends, np.int64))[0] == nb.BAD_DAYS
    assert measure(np.array([5, 6, 7, 8]), np.array([0, 3]))[0] == nb.OK


def run(folder: Path, seeds: list[int], *, compiled: bool) -> dict[str, object]:
    source = folder / "program.py"
    source.write_text(PROGRAM)
    environment = {name: value for name, value in os.environ.items() if name not in ("TRADING_COMPILE_KERNELS", "NUMBA_CACHE_DIR")}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"TRADING_COMPILE_KERNELS": "1"} if compiled else {})
    done = subprocess.run(
        [sys.executable, str(source), json.dumps(seeds)], env=environment, capture_output=True, text=True, check=True, cwd=folder
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_compiled_and_plain_give_the_same_bits(tmp_path: Path) -> None:
    seeds = [int(seed) for seed in np.random.SeedSequence().generate_state(3)]
    print(f"seeds {seeds}")
    plain, compiled = run(tmp_path, seeds, compiled=False), run(tmp_path, seeds, compiled=True)
    assert (plain["compiled"], compiled["compiled"]) == (False, True)
    assert plain["rows"] == compiled["rows"]
