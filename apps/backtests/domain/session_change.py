"""A change to one decision of a run, for whoever asks what it would have come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.forecasts.contracts import ForecastView
from apps.orders.domain.profiles import EngineProfile
from apps.risk.domain.facts import Limits
from apps.strategies.domain.evaluation import Assumed, Inputs
from apps.strategies.domain.event_deciding import EventInputs


@dataclass(frozen=True)
class DecisionChange:
    """What is different when a session decides on a bar, and with `is_lasting` on every later one as well.

    `limits` stand in the place of those in force (None: switched off), `confidence` in that of the forecast and the signal, `quantity` in
    that of the sizing; `profile` charges and fills what trades after the bar, always to the end.
    """

    session_id: UUID
    bar_at: datetime
    is_lasting: bool = False
    limits: Limits = field(default_factory=dict)
    confidence: float | None = None
    risk_per_trade: Decimal | None = None
    quantity: Decimal | None = None
    profile: EngineProfile | None = None

    def applies(self, session_id: UUID, bar_at: datetime) -> bool:
        """Whether the session's decision on this bar is changed."""
        if session_id != self.session_id:
            return False
        return bar_at >= self.bar_at if self.is_lasting else bar_at == self.bar_at

    def changed(self, inputs: Inputs | EventInputs) -> Inputs | EventInputs:
        """The inputs as they would be."""
        terms, forecast = inputs.terms, inputs.forecast
        if self.risk_per_trade is not None:
            terms = replace(terms, risk_per_trade=self.risk_per_trade)
        if self.confidence is not None and isinstance(forecast, ForecastView):
            forecast = replace(forecast, confidence=self.confidence)
        return replace(inputs, terms=terms, forecast=forecast, assumed=Assumed(self.confidence, self.quantity))

    def limits_over(self, in_force: Limits) -> Limits:
        """The limits as they would be."""
        merged: Mapping[str, Decimal | None] = {**in_force, **self.limits}
        return merged
