"""Whether bars can be computed with at all: the gate before features, training and forecasts."""

from __future__ import annotations

import numpy as np

from apps.markets.contracts import BarWindow

_PRICES = ("open", "high", "low", "close")


def bar_problem(window: BarWindow) -> str:
    """What is wrong with the bars, as a sentence; "" if nothing is."""
    columns = {name: np.asarray(getattr(window, name)) for name in (*_PRICES, "volume", "opened_at", "closed_at")}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        return "The columns of the bars have different lengths."
    for name, values in columns.items():
        if values.dtype.kind != "i":
            return f"The {name} values are not whole numbers of units (missing or not finite?)."
    if lengths == {0}:
        return ""
    for name in _PRICES:
        if (columns[name] <= 0).any():
            return f"A {name} price is zero or negative at bar {_first(columns[name] <= 0, window)}."
    outside = (columns["high"] < np.maximum(columns["open"], columns["close"])) | (
        columns["low"] > np.minimum(columns["open"], columns["close"])
    )
    if outside.any():
        return f"High and low do not enclose open and close at bar {_first(outside, window)}."
    if (columns["volume"] < 0).any():
        return f"Volume is negative at bar {_first(columns['volume'] < 0, window)}."
    backwards = np.diff(columns["closed_at"]) <= 0
    if backwards.any():
        return f"Time does not move forward after bar {_first(backwards, window)}."
    return ""


def _first(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], window: BarWindow) -> str:
    return f"{np.datetime64(int(window.closed_at[int(mask.argmax())]), 'us')}Z"[:16]
