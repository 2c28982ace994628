"""A crisis of one's own on one line, as a trader writes it, and back.

    -20% in 3 days then flat 5 days; gap -5%; slippage x5; volume /10; volatility x2; from 2008-09-15; name Black Monday

The moves come first, separated by "then" or commas; a move without days lasts one. Everything behind the first semicolon may be left out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from apps.backtests.domain.robustness import StressLeg, StressScenario
from apps.core.errors import InvalidInput

EXAMPLE = "-20% in 3 days then flat 5 days; gap -5%; slippage x5; volume /10; volatility x2; from 2008-09-15; name Black Monday"
LONGEST_LINE = 4_000
_TYPED = str.maketrans({"\N{MINUS SIGN}": "-", "\N{MULTIPLICATION SIGN}": "x", "\N{DIVISION SIGN}": "/"})
_NUMBER = r"([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)"
_MOVE = re.compile(_NUMBER + r" ?%(?: (?:in|over) ([0-9]{1,4}) days?)?")
_FLAT = re.compile(r"flat(?: (?:for )?([0-9]{1,4}) days?)?")
_GAP = re.compile(r"gap " + _NUMBER + r" ?%")
_TIMES = re.compile(r"(slippage|volatility) ?[x*] ?" + _NUMBER)
_DIVIDED = re.compile(r"volume ?/ ?" + _NUMBER)
_FROM = re.compile(r"from ([0-9]{4}-[0-9]{2}-[0-9]{2})")
_NAME = re.compile(r"name (.+)", re.IGNORECASE)
_FIELDS = {"slippage": "slippage_multiple", "volatility": "volatility_multiple"}


def scenario_of_text(text: str, *, where: str = "robustness.scenarios") -> StressScenario:
    """The scenario that a line describes; raises InvalidInput naming the words that it does not understand. Bounds are checked elsewhere."""
    if len(text) > LONGEST_LINE:
        raise InvalidInput(f"A scenario is described in at most {LONGEST_LINE} letters.", where=where)
    plain = " ".join(text.translate(_TYPED).split())
    moves, *rest = [part.strip() for part in plain.split(";")]
    legs = tuple(_leg(item.strip(), where) for item in re.split(r"\bthen\b|,", moves, flags=re.IGNORECASE) if item.strip())
    if not legs:
        raise InvalidInput(f"{text.strip()[:80]!r} does not say how prices move.", where=where, hint=f"Write it such as: {EXAMPLE}")
    values: dict[str, object] = {}
    for part in filter(None, rest):
        name, value = _setting(part, where)
        if name in values:
            raise InvalidInput(f"{part[:80]!r} says again what was said before.", where=where)
        values[name] = value
    return StressScenario(legs=legs, **values)  # type: ignore[arg-type]  # each value was read for its field


def scenarios_of_lines(text: str, *, where: str = "robustness.scenarios") -> tuple[StressScenario, ...]:
    """A scenario for each line that is not empty."""
    return tuple(scenario_of_text(line, where=where) for line in text.splitlines() if line.strip())


def text_of_scenario(scenario: StressScenario) -> str:
    """The line that describes a scenario, with nothing that says what is so anyway."""
    parts = [" then ".join(_leg_text(leg) for leg in scenario.legs)]
    parts += [f"gap {_percent(scenario.gap)}"] if scenario.gap else []
    parts += [f"slippage x{scenario.slippage_multiple}"] if scenario.slippage_multiple != 1 else []
    parts += [f"volume /{scenario.volume_divisor}"] if scenario.volume_divisor != 1 else []
    parts += [f"volatility x{scenario.volatility_multiple}"] if scenario.volatility_multiple != 1 else []
    parts += [f"from {scenario.begins_at:%Y-%m-%d}"] if scenario.begins_at else []
    parts += [f"name {scenario.title}"] if scenario.title else []
    return "; ".join(parts)


def _leg(text: str, where: str) -> StressLeg:
    if found := _FLAT.fullmatch(text.lower()):
        return StressLeg(change=Decimal(0), days=int(found[1] or 1))
    if found := _MOVE.fullmatch(text.lower()):
        return StressLeg(change=Decimal(found[1]) / 100, days=int(found[2] or 1))
    raise InvalidInput(
        f"The move {text[:80]!r} is not understood.", where=where, hint="Write a move such as -20% in 3 days, -4%, or flat 5 days."
    )


def _setting(text: str, where: str) -> tuple[str, object]:
    """The field that a part behind a semicolon is about, and its value."""
    lower = text.lower()
    if found := _NAME.fullmatch(text):
        return "title", found[1]
    if found := _GAP.fullmatch(lower):
        return "gap", Decimal(found[1]) / 100
    if found := _TIMES.fullmatch(lower):
        return _FIELDS[found[1]], Decimal(found[2])
    if found := _DIVIDED.fullmatch(lower):
        return "volume_divisor", Decimal(found[1])
    if found := _FROM.fullmatch(lower):
        return "begins_at", _day(found[1], where)
    raise InvalidInput(
        f"{text[:80]!r} is not understood.",
        where=where,
        hint="Behind the moves: gap -5%; slippage x5; volume /10; volatility x2; from 2008-09-15; name Black Monday.",
    )


def _day(text: str, where: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(f"{text} is no day.", where=where, hint="Write it as 2008-09-15.") from None


def _leg_text(leg: StressLeg) -> str:
    length = f" {leg.days} days" if leg.days != 1 else ""
    return f"flat{length}" if not leg.change else f"{_percent(leg.change)}{' in' if length else ''}{length}"


def _percent(change: Decimal) -> str:
    text = f"{change * 100:+f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"
