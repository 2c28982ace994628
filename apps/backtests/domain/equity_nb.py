"""Equity from the moments at which cash and position changed."""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel


@kernel("void(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])")
def fill_equity(changed_at: Any, cash: Any, worth: Any, prices: Any, equity: Any) -> None:
    """Cash + position x price at every event. `changed_at` rises; of several changes at one event the last counts. `worth` is lots x cash units."""
    for change in range(changed_at.shape[0]):
        first = changed_at[change]
        last = changed_at[change + 1] if change + 1 < changed_at.shape[0] else prices.shape[0]
        for index in range(first, last):
            equity[index] = cash[change] + worth[change] * prices[index]
