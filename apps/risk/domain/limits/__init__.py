"""The limits, one file for each thing that is limited. Every module in this folder is loaded; a new file is a new limit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from apps.core.discovery import load_modules
from apps.core.vocabulary import TradingMode
from apps.risk.domain.numbers import is_usable
from apps.risk.domain.rules import LimitRule, Seeds, registered

load_modules(__name__)
_RULES = registered()


def limit_rules() -> tuple[LimitRule, ...]:
    """Every limit, in the order of a verdict."""
    return tuple(_RULES.values())


def limit_choices() -> list[tuple[str, str]]:
    """Codes as a form offers them."""
    return [(code, code) for code in _RULES]


def is_limit(code: str) -> bool:
    """Whether there is a limit of that code."""
    return code in _RULES


def limit_help(code: str) -> str:
    """What a limit means, with its unit; a sentence where its file is gone and only rows of it are left."""
    rule = _RULES.get(code)
    return rule.help if rule else "No file of this installation defines this limit, so nothing is checked against it."


def default_limits(mode: TradingMode, seeds: Seeds) -> dict[str, Decimal | None]:
    """Every limit at its default, as the gate takes them."""
    return {code: rule.default(mode, seeds) for code, rule in _RULES.items()}


def strictest(code: str, values: Iterable[Decimal]) -> Decimal:
    """The value that satisfies all of `values` (at least one); NaN if one of them cannot be used, so that the check fails."""
    given = list(values)
    if not all(is_usable(value) for value in given):
        return Decimal("NaN")
    rule = _RULES.get(code)
    return max(given) if rule is not None and rule.larger_is_stricter else min(given)
