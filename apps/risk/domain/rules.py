"""How a limit is declared, and how its value is compared with what a person has set; whatever is missing or not a number refuses.

Every module of `apps/risk/domain/limits/` is loaded: a new file there with a function under `@limit` is a new limit. It is then seeded with
its default, shown and changed in the admin and over the API with its help, checked on every order, and part of every verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from apps.core.errors import InvalidInput
from apps.core.vocabulary import TradingMode
from apps.risk.domain.facts import Facts, Limits
from apps.risk.domain.numbers import is_usable, show
from apps.risk.domain.values import CheckCode, CheckResult, LimitCode, OrderProposal

EXEMPT = "A reducing order is never held back by this limit."
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,29}")


class Must(StrEnum):
    """How the measured value of an approved order stands to the limit."""

    BE_AT_MOST = "at most"
    BE_BELOW = "below"
    BE_AT_LEAST = "at least"

    def holds(self, value: Decimal, limit: Decimal) -> bool:
        if self is Must.BE_AT_LEAST:
            return value >= limit
        return value <= limit if self is Must.BE_AT_MOST else value < limit


@dataclass(frozen=True)
class Measured:
    """What a limit is about. None or a negative value is not known and refuses; `text` is a sentence without its full stop."""

    value: Decimal | None
    text: str


@dataclass(frozen=True)
class Seeds:
    """What defaults may follow from, as the settings of the installation say it."""

    capital: Decimal
    live_max_drawdown: Decimal
    live_max_trades_per_day: int
    live_min_confidence: Decimal


Measure = Callable[[OrderProposal, Facts], Measured]
LimitCheck = Callable[[OrderProposal, Facts, Limits], CheckResult]
Default = Decimal | Callable[[Seeds], Decimal]


@dataclass(frozen=True)
class LimitRule:
    """A limit: its code, its meaning with its unit, the values that are seeded, and the check."""

    code: str
    help: str
    paper: Default
    live: Default
    larger_is_stricter: bool
    check: LimitCheck

    def default(self, mode: TradingMode, seeds: Seeds) -> Decimal:
        """The value seeded for paper or live trading."""
        given = self.paper if mode is TradingMode.PAPER else self.live
        return given if isinstance(given, Decimal) else given(seeds)


_rules: dict[str, LimitRule] = {}


def limit(code: str, must: Must, *, help: str, paper: Default, live: Default) -> Callable[[Measure], Measure]:
    """Declare a limit on what the function measures. Exits are exempt, and a limit that is off or not known is dealt with here."""

    def register(measure: Measure) -> Measure:
        def check(proposal: OrderProposal, facts: Facts, limits: Limits) -> CheckResult:
            return _compare(code, must, measure(proposal, facts), limits, proposal)

        _add(LimitRule(code, help, paper, live, must is Must.BE_AT_LEAST, check))
        return measure

    return register


def limit_check(code: str, *, help: str, paper: Default, live: Default, larger_is_stricter: bool) -> Callable[[LimitCheck], LimitCheck]:
    """Declare a limit whose check is more than one comparison: the function returns the whole result."""

    def register(check: LimitCheck) -> LimitCheck:
        _add(LimitRule(code, help, paper, live, larger_is_stricter, check))
        return check

    return register


def registered() -> dict[str, LimitRule]:
    """Every limit declared so far: those that ship in their order, then the others by code."""
    order = {str(code): place for place, code in enumerate(LimitCode)}
    return {code: _rules[code] for code in sorted(_rules, key=lambda code: (order.get(code, len(order)), code))}


def value_in_force(code: str, limits: Limits, value: Decimal | None) -> tuple[Decimal | None, CheckResult]:
    """The limit to compare with, or the result that stands without a comparison (switched off, not set, not a number)."""
    if code not in limits:
        return None, CheckResult(code, False, show(value), "–", "This limit is not set, so nothing can be approved under it.")  # noqa: RUF001
    set_to = limits[code]
    if set_to is None:
        return None, CheckResult(code, True, show(value), "off", "A person has switched this limit off.")
    if not is_usable(set_to) or set_to < 0:
        return None, CheckResult(code, False, show(value), str(set_to), f"The limit is {set_to}, which is not a usable number.")
    return set_to, CheckResult(code, False, show(value), show(set_to), "The value that this limit is about is not known.")


def _compare(code: str, must: Must, measured: Measured, limits: Limits, proposal: OrderProposal) -> CheckResult:
    value = measured.value
    if proposal.is_reducing:
        return CheckResult(code, True, show(value), "", EXEMPT)
    set_to, otherwise = value_in_force(code, limits, value)
    if set_to is None or value is None or not is_usable(value) or value < 0:
        return otherwise
    return CheckResult(code, must.holds(value, set_to), show(value), show(set_to), f"{measured.text}; the limit is {show(set_to)}.")


def _add(rule: LimitRule) -> None:
    if not _CODE.fullmatch(rule.code) or (rule.code in list(CheckCode) and rule.code not in list(LimitCode)):
        raise InvalidInput(f"{rule.code!r} cannot be the code of a limit.", hint="Use at most 30 capital letters, digits and underscores.")
    if rule.code in _rules:
        raise InvalidInput(f"Two limits are called {rule.code}.")
    _rules[rule.code] = rule
