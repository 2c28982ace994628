"""What is worth asking of a decision, in sentences, and what is refused because it can change nothing."""

from __future__ import annotations

from dataclasses import dataclass

from apps.backtests.domain.what_if import WhatIfChanges
from apps.core.errors import InvalidInput
from apps.strategies.domain.outcomes import Outcome

OWN_SIZE = "The strategy gave the quantity of its orders on this bar itself, so the risk per trade had no part in it."
TOLD_ON = (
    "The strategy is told the other fills from this bar on and goes on by its own rules, so its later orders may be other ones as well."
    " What it sells in a quantity of its own it sells in that quantity."
)
_NOTHING_OPENED = "This decision opened nothing, so a size alone changes nothing here; a limit, the confidence or a cost may."
_BY_OUTCOME = {
    Outcome.WARMING_UP: "The strategy was still warming up: whatever is changed, it waits on this bar.",
    Outcome.FORECAST_REFUSED: "There was no forecast that could be used, and a what-if does not make one up: another confidence changes nothing.",
    Outcome.HALTED: "A halt stood in the way. Halts are taken as they were; only what it costs, and later decisions, can be other ones.",
    Outcome.FAILED: "The strategy failed on this bar and would fail again; only costs can be other ones.",
}
LATE = "The bar came late, when it could not be traded any more. Such a decision orders nothing, whatever is changed."


@dataclass(frozen=True)
class DecisionShape:
    """What is known of a stored decision that decides what can be asked of it."""

    outcome: Outcome
    is_of_events: bool
    """Of a strategy that is told events and gives orders."""
    opens: bool
    """An order of it opens or adds to a position, or would have, had it not been refused."""
    was_sized: bool
    """The session worked a size out for it."""

    @property
    def sizes_itself(self) -> bool:
        """Whether the strategy left no size to the session."""
        return self.is_of_events and not self.was_sized


def notes_of(shape: DecisionShape) -> tuple[str, ...]:
    """What to know before asking."""
    notes = [_BY_OUTCOME[shape.outcome]] if shape.outcome in _BY_OUTCOME else []
    if not notes and not shape.opens:
        notes.append(_NOTHING_OPENED)
    if shape.is_of_events and shape.opens and shape.sizes_itself:
        notes.append(f"{OWN_SIZE} Change the quantity instead.")
    if shape.is_of_events and shape.outcome is not Outcome.FAILED:
        notes.append(TOLD_ON)
    return tuple(notes)


def refuse_pointless(shape: DecisionShape, changes: WhatIfChanges) -> None:
    """Raise InvalidInput for a change that could not reach this decision."""
    if changes.risk_per_trade is not None and shape.sizes_itself and not changes.is_lasting:
        raise InvalidInput(OWN_SIZE, where="risk_per_trade", hint="Change the quantity, or ask for every later decision as well.")
