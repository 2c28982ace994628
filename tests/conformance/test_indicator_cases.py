"""Every indicator that we offer agrees with the outside judge, column by column (`indicator_table.py` says which, how closely and what not)."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from apps.markets.domain.indicators import INDICATORS, FloatArray, compute, stream
from tests.conformance.indicator_table import (
    CANDLE_FILES,
    CANDLES,
    CANDLES_NOT_OFFERED,
    COLUMNS_NOT_OFFERED,
    NO_JUDGE,
    NOT_OFFERED,
    PAIRS,
    TABLE,
    Case,
)
from tests.outside import case_path

BAR_BY_BAR = 300
"""Bars that each case also takes one by one (that the two forms agree everywhere is a property of its own)."""


class Judge:
    """One file: its columns as numbers, nan where empty."""

    def __init__(self, file: str, last: int) -> None:
        with case_path("indicators", file).open(encoding="utf-8-sig", newline="") as lines:
            head, *rows = list(csv.reader(lines))
        self._head = [name.strip().lower() for name in head]
        self._own = rows[0::2] if file in PAIRS else rows
        self._other = rows[1::2] if file in PAIRS else rows
        if last:
            self._own, self._other = self._own[-last:], self._other[-last:]

    def expected(self, name: str) -> FloatArray:
        return self._numbers(self._other, name)

    def inputs(self, names: tuple[str, ...]) -> dict[str, FloatArray]:
        return {name: self._numbers(self._other, "close") if name == "reference" else self._numbers(self._own, name) for name in names}

    def _numbers(self, rows: list[list[str]], name: str) -> FloatArray:
        place = self._head.index(name.lower())
        cells = [row[place].strip() if place < len(row) else "" for row in rows]
        return np.array([float(cell) if cell and cell.lower() != "nan" else np.nan for cell in cells])


def ours(case: Case, inputs: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """The output over whole columns, and bar by bar for the first bars."""
    output = case.output or INDICATORS[case.name].outputs[0]
    if case.first_range:
        inputs = {name: np.concatenate([inputs["close"][:1], values]) for name, values in inputs.items()}
    whole = compute(case.name, inputs, **case.parameters)[output]
    indicator = stream(case.name, **case.parameters)
    single = []
    for row in zip(*(inputs[name][:BAR_BY_BAR].tolist() for name in indicator.inputs), strict=True):
        indicator.update(*row)
        single.append(indicator[output])
    begun = np.array(single)
    return (whole[1:], begun[1:]) if case.first_range else (whole, begun)


@pytest.mark.shared
@pytest.mark.parametrize("case", TABLE, ids=str)
def test_the_indicator_agrees_with_the_outside_judge(case: Case) -> None:
    judge = Judge(case.file, case.last)
    expected = judge.expected(case.column)
    whole, single = ours(case, judge.inputs(stream(case.name, **case.parameters).inputs))
    judged = ~np.isnan(expected)
    first = int(np.argmax(judged & ~np.isnan(whole))) + case.settle
    compared = judged & (np.arange(len(expected)) >= first)
    assert compared.sum() >= 15, "too few rows are compared"
    assert not np.isnan(whole[compared]).any(), "ours has a hole where the judge has a value"
    np.testing.assert_allclose(whole[compared], expected[compared], rtol=1e-9 if case.within else 0.0, atol=case.within)
    np.testing.assert_array_equal(single, whole[: len(single)])


@pytest.mark.shared
def test_no_case_is_left_out_silently() -> None:
    folder = case_path("indicators")
    told = {case.file for case in TABLE} | set(NOT_OFFERED) | set(NO_JUDGE)
    assert {path.name for path in folder.iterdir()} == told


@pytest.mark.shared
@pytest.mark.parametrize("file", CANDLE_FILES)
def test_every_candle_pattern_is_compared_or_listed(file: str) -> None:
    with case_path("indicators", file).open(encoding="utf-8-sig") as lines:
        columns = [name.strip() for name in lines.readline().split(",")[6:]]
    assert sorted(columns) == sorted(f"CDL{name}" for name in [*CANDLES.values(), *CANDLES_NOT_OFFERED.split()])


def test_rows_are_left_out_only_for_a_reason() -> None:
    assert [str(case) for case in TABLE if (case.settle or case.first_range) and not case.because] == []
    assert not {case.file for case in TABLE} & (set(NOT_OFFERED) | set(NO_JUDGE))
    assert not {(case.file, case.column) for case in TABLE} & set(COLUMNS_NOT_OFFERED)
