"""What every indicator of the registry promises: bar by bar = whole columns, warm-up, nan, no look-ahead, no crash on odd prices."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from apps.core import kernel as loader
from apps.markets.domain.indicators import INDICATORS, INPUTS, Choice, FloatArray, Indicator, Number, Whole, compute, stream

NAMES = sorted(INDICATORS)
KINDS = sorted({indicator.kind for indicator in INDICATORS.values()})
BARS = 90
LONGEST = 8
Columns = dict[str, FloatArray]
SEEDS = st.integers(0, 2**32 - 1)


def walk(seed: int, bars: int = BARS) -> Columns:
    """A market that moves at every bar."""
    chance = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.02, bars)))
    opened = close * np.exp(chance.normal(0.0, 0.01, bars))
    spread = chance.uniform(0.001, 0.02, (2, bars))
    return {
        "open": opened,
        "high": np.maximum(opened, close) * (1.0 + spread[0]),
        "low": np.minimum(opened, close) * (1.0 - spread[1]),
        "close": close,
        "volume": chance.uniform(1.0, 1_000.0, bars),
        "reference": 50.0 * np.exp(np.cumsum(chance.normal(0.0, 0.02, bars))),
    }


def odd(seed: int) -> Columns:
    """A market in a few whole prices with standstills, empty bars, no volume, and now and then a price that no market has."""
    chance = np.random.default_rng(seed)
    close = np.cumsum(chance.integers(-1, 2, BARS)).astype(np.float64) + chance.choice([0.0, 3.0, 1e9])
    close[30:50] = close[30]
    if chance.random() < 0.3:
        close[chance.integers(BARS)] = chance.choice([1e150, -1e150, 1e-150, 0.0])
    up, down = chance.integers(0, 2, (2, BARS)).astype(np.float64)
    return {
        "open": close - down,
        "high": close + up,
        "low": close - down,
        "close": close,
        "volume": chance.integers(0, 3, BARS).astype(np.float64),
        "reference": np.full(BARS, 7.0) if chance.random() < 0.3 else close[::-1].copy(),
    }


def drawn(indicator: Indicator, seed: int) -> dict[str, int | float | str]:
    """Short lengths, and any word of a choice; other numbers as they are."""
    chance = np.random.default_rng(seed)
    values: dict[str, int | float | str] = {}
    for name, parameter in indicator.parameters.items():
        if isinstance(parameter, Whole):
            values[name] = int(chance.integers(parameter.least, max(LONGEST, parameter.least + 1) + 1))
        elif isinstance(parameter, Choice):
            values[name] = str(chance.choice(parameter.words))
        elif isinstance(parameter, Number):
            values[name] = parameter.default
    return values


def one_by_one(name: str, columns: Columns, parameters: dict[str, int | float | str]) -> dict[str, list[float]]:
    indicator = stream(name, **parameters)
    series: dict[str, list[float]] = {output: [] for output in indicator.outputs}
    for row in zip(*(columns[column].tolist() for column in indicator.inputs), strict=True):
        answer = indicator.update(*row)
        usable = np.isfinite(row).all()
        np.testing.assert_equal(answer, indicator.value if usable else np.nan)
        for output, values in series.items():
            values.append(indicator[output] if usable else np.nan)
    return series


def of_kind(kind: str, seed: int) -> Iterator[tuple[str, dict[str, int | float | str]]]:
    """Each indicator of a kind with parameters drawn for it."""
    for name in NAMES:
        if INDICATORS[name].kind == kind:
            note(f"{name}")
            yield name, drawn(INDICATORS[name], seed)


def assert_same(left: dict[str, FloatArray], right: dict[str, list[float]] | dict[str, FloatArray]) -> None:
    assert list(left) == list(right)
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name], err_msg=name)


PROPERTY = settings(max_examples=3, deadline=None)


@pytest.mark.parametrize("kind", KINDS)
@PROPERTY
@given(seed=SEEDS)
def test_bar_by_bar_gives_the_bits_of_whole_columns(kind: str, seed: int) -> None:
    columns = walk(seed)
    for name, parameters in of_kind(kind, seed):
        assert_same(compute(name, columns, **parameters), one_by_one(name, columns, parameters))


@pytest.mark.parametrize("kind", KINDS)
@PROPERTY
@given(seed=SEEDS)
def test_odd_prices_neither_crash_nor_part_the_two_forms(kind: str, seed: int) -> None:
    columns = odd(seed)
    for name, parameters in of_kind(kind, seed):
        with np.errstate(all="raise"):
            assert_same(compute(name, columns, **parameters), one_by_one(name, columns, parameters))


@pytest.mark.parametrize("kind", KINDS)
@PROPERTY
@given(seed=SEEDS, cut=st.integers(1, BARS - 1))
def test_values_come_when_the_warm_up_ends_without_holes_and_depend_on_no_later_bar(kind: str, seed: int, cut: int) -> None:
    columns = walk(seed)
    begun = {key: values[:cut] for key, values in columns.items()}
    for name, parameters in of_kind(kind, seed):
        whole = compute(name, columns, **parameters)
        known = {output: ~np.isnan(values) for output, values in whole.items()}
        firsts = {output: int(np.argmax(values)) for output, values in known.items()}
        assert max(firsts.values()) + 1 == stream(name, **parameters).warmup, name
        assert all(known[output][first:].all() for output, first in firsts.items()), name
        assert_same(compute(name, begun, **parameters), {output: values[:cut] for output, values in whole.items()})


@pytest.mark.parametrize("kind", KINDS)
@PROPERTY
@given(seed=SEEDS)
def test_a_bar_with_nan_or_infinity_answers_nan_and_is_as_if_it_had_not_been(kind: str, seed: int) -> None:
    chance = np.random.default_rng(seed)
    kept = chance.random(BARS) > 0.2
    clean = {key: values[kept] for key, values in walk(seed).items()}
    for name, parameters in of_kind(kind, seed):
        columns = walk(seed)
        wanted = list(stream(name, **parameters).inputs)
        for index in np.flatnonzero(~kept):
            columns[str(chance.choice(wanted))][index] = chance.choice([np.nan, np.inf, -np.inf])
        series = compute(name, columns, **parameters)
        assert all(np.isnan(values[~kept]).all() for values in series.values()), name
        assert_same(compute(name, clean, **parameters), {output: values[kept] for output, values in series.items()})
        assert_same(series, one_by_one(name, columns, parameters))


@pytest.mark.parametrize("name", ["rsi", "macd", "volume_profile", "supertrend"])
def test_an_indicator_is_ready_when_every_output_has_a_value(name: str) -> None:
    indicator = stream(name)
    columns = walk(5)
    ready = []
    for row in zip(*(columns[column].tolist() for column in indicator.inputs), strict=True):
        indicator.update(*row)
        ready.append(indicator.is_ready)
    assert ready == [False] * (indicator.warmup - 1) + [True] * (BARS - indicator.warmup + 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_says_what_the_indicator_is(name: str) -> None:
    indicator = INDICATORS[name]
    assert indicator.name == name
    assert indicator.description.endswith(".")
    assert indicator.inputs == stream(name).inputs
    assert set(indicator.inputs) <= set(INPUTS)
    assert tuple(compute(name, walk(1))) == indicator.outputs
    for values in compute(name, {column: np.empty(0) for column in INPUTS}).values():
        assert values.shape == (0,)


def test_the_two_instances_of_an_indicator_share_nothing() -> None:
    first, second = stream("rsi", length=2), stream("rsi", length=2)
    for close in (1.0, 2.0, 3.0, 2.0):
        first.update(close)
    assert np.isnan(second.value)
    assert not np.isnan(first.value)


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from tests.unit.markets.test_indicators import NAMES, drawn, one_by_one, walk
from apps.core.kernel import is_compiling
from apps.markets.domain.indicators import INDICATORS, compute
columns = walk(11)
for name in NAMES:
    parameters = drawn(INDICATORS[name], 11)
    for output, values in compute(name, columns, **parameters).items():
        np.save(f"{sys.argv[2]}/{name}.{output}.npy", values)
for name in ("psar", "bollinger", "percent_rank"):
    parameters = drawn(INDICATORS[name], 11)
    for output, values in one_by_one(name, columns, parameters).items():
        np.testing.assert_array_equal(np.load(f"{sys.argv[2]}/{name}.{output}.npy"), values)
print(is_compiling())
"""


def test_compiled_kernels_give_the_numbers_of_plain_ones(tmp_path: Path) -> None:
    root = str(Path(loader.__file__).resolve().parents[2])
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"TRADING_COMPILE_KERNELS": "1", "TRADING_DATA_DIR": str(tmp_path), "PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, root, str(tmp_path)], env=environment, capture_output=True, text=True, cwd=root, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"
    for name in NAMES:
        for output, values in compute(name, walk(11), **drawn(INDICATORS[name], 11)).items():
            compiled = np.load(tmp_path / f"{name}.{output}.npy")
            np.testing.assert_allclose(compiled, values, rtol=1e-12, atol=1e-12, err_msg=f"{name} {output}")
