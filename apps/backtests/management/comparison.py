"""A run beside another program's result, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apps.portfolio.domain.metrics import FigureUnit

_SHOWN = 20
_SIDES = {1: "long", -1: "short"}


def comparison_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The figures side by side, the pairs that differ most, and the trades that only one side has."""
    named = f" of {found['strategy']}" if found["strategy"] else ""
    yield f"Beside {found['program']}'s result{named}, on all bars"
    yield from found["notes"]
    yield f"{'':26}{'ours':>16}{'theirs, our way':>18}{'as they state it':>18}"
    for row in found["figures"]:
        own, other, stated = (_figure(row[name], row["unit"]) for name in ("ours", "theirs", "stated"))
        yield f"{row['title'][:25]:26}{own:>16}{other:>18}{stated:>18}"
    counts, sums = found["counts"], found["differences"]
    yield (
        f"{counts['paired']:,} trades began alike, {sums['same_prices']:,} of them at the same prices; ours earned {sums['earned']:+,.2f} more,"
        f" {sums['largest']:,.2f} in the trade that differs most. {counts['only_ours']:,} are only ours, {counts['only_theirs']:,} only theirs."
    )
    yield from _pairs(found["pairs"])
    yield from _alone("Only ours", found["only_ours"], counts["only_ours"])
    yield from _alone("Only theirs", found["only_theirs"], counts["only_theirs"])


def _pairs(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    differing = [row for row in rows if row["entry_difference"] or row["exit_difference"] or row["earned_difference"]]
    if not differing:
        return
    yield f"{'Began':18}{'side':>6}{'entry':>14}{'less theirs':>14}{'exit':>14}{'less theirs':>14}{'earned':>14}{'less theirs':>14}"
    for row in sorted(differing, key=lambda row: -abs(row["earned_difference"]))[:_SHOWN]:
        prices = "".join(f"{row[name]:>14,.6g}" for name in ("entry_price", "entry_difference", "exit_price", "exit_difference"))
        yield f"{_moment(row['opened_at']):18}{_SIDES[row['side']]:>6}{prices}{row['earned']:>14,.2f}{row['earned_difference']:>+14,.2f}"
    if len(differing) > _SHOWN:
        yield f"... and {len(differing) - _SHOWN:,} more that differ less."


def _alone(title: str, rows: list[Mapping[str, Any]], count: int) -> Iterator[str]:
    for row in rows[:_SHOWN]:
        yield (
            f"{title}: {row['symbol']} {_SIDES[row['side']]}, {_moment(row['opened_at'])} at {row['entry_price']:,.6g} to"
            f" {_moment(row['closed_at'])} at {row['exit_price']:,.6g}, earned {row['earned']:+,.2f}"
        )
    if count > _SHOWN:
        yield f"{title}: {count - _SHOWN:,} more."


def _moment(text: str) -> str:
    """A stored moment to the minute."""
    return text[:16].replace("T", " ")


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == FigureUnit.PERCENT:
        return f"{value:.2%}"
    return f"{value:,.0f}" if unit == FigureUnit.COUNT else f"{value:,.2f}"
