"""Time-ordered folds: train on the past, test on the block after it, with a gap so that no label reaches into the test.

    |------------ train ------------|--purge--|-embargo-|-- test --|

A label spans `horizon_bars`, so as many rows before the test block would leak its prices (purge); the embargo is further distance
against slowly decaying features. Training never uses rows after the test block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apps.core.errors import InvalidInput


@dataclass(frozen=True)
class Fold:
    """Half-open row ranges: train on [0, train_stop), test on [test_start, test_stop)."""

    train_stop: int
    test_start: int
    test_stop: int


def purged_folds(rows: int, *, folds: int, horizon_bars: int, embargo: int, first_train_share: float = 0.4) -> Iterator[Fold]:
    """`folds` consecutive test blocks that together cover everything after the first `first_train_share` of the rows."""
    first = int(rows * first_train_share)
    gap = horizon_bars + embargo
    if folds < 1 or horizon_bars < 1 or embargo < 0:
        raise InvalidInput(f"Cannot split into {folds} folds with horizon {horizon_bars} and embargo {embargo}.", where="folds")
    if first <= gap or rows - first < folds:
        raise InvalidInput(f"{rows} rows are too few for {folds} folds.", where="rows", hint="Load more history.")
    for number in range(folds):
        start = first + (rows - first) * number // folds
        yield Fold(train_stop=start - gap, test_start=start, test_stop=first + (rows - first) * (number + 1) // folds)
