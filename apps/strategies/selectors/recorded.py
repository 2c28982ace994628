"""Everything that the sessions of an account decided, in order, for whoever repeats it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.forecasts import selectors as forecasts
from apps.forecasts.contracts import ForecastRefusal, ForecastView, NoForecast
from apps.strategies.contracts import Outcome
from apps.strategies.models import Decision

ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class RecordedDecision:
    """A stored decision with the forecast, or the refusal, that it went by."""

    id: UUID
    session_id: UUID
    instrument_id: UUID
    bar_at: datetime
    outcome: Outcome
    sentence: str
    data_hash: str
    bars_used: int
    features: dict[str, float]
    forecast: ForecastView | NoForecast | None
    parameters: dict[str, Any]
    signal: dict[str, Any]
    position_before: Decimal
    risk_factor: Decimal | None
    risk_factor_reasons: list[str]
    sizing: dict[str, Any]
    checks: list[dict[str, Any]]
    order_id: UUID | None
    """The first of `order_ids`."""
    order_ids: list[UUID]
    decided_at: datetime


def recorded_decisions(account_id: UUID, *, after: datetime | None = None, until: datetime | None = None) -> Iterator[RecordedDecision]:
    """The decisions of an account's sessions on bars that closed after and until these times, oldest first, and by session in a bar."""
    rows = Decision.objects.filter(session__account_id=account_id).order_by("bar_at", "session_id")
    if after is not None:
        rows = rows.filter(bar_at__gt=after)
    if until is not None:
        rows = rows.filter(bar_at__lte=until)
    page: list[Decision] = []
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        page.append(row)
        if len(page) == ROWS_AT_ONCE:
            yield from _recorded(page)
            page = []
    yield from _recorded(page)


def _recorded(rows: list[Decision]) -> list[RecordedDecision]:
    made = forecasts.forecasts_by_id([row.forecast_id for row in rows if row.forecast_id is not None])
    return [
        RecordedDecision(
            id=row.id,
            session_id=row.session_id,
            instrument_id=row.instrument_id,
            bar_at=row.bar_at,
            outcome=Outcome(row.outcome),
            sentence=row.sentence,
            data_hash=row.data_hash,
            bars_used=row.bars_used,
            features=row.features,
            forecast=_refusal(row) if row.forecast_id is None else made[row.forecast_id],
            parameters=row.parameters,
            signal=row.signal,
            position_before=row.position_before,
            risk_factor=row.risk_factor,
            risk_factor_reasons=row.risk_factor_reasons,
            sizing=row.sizing,
            checks=row.checks,
            order_id=row.order_id,
            order_ids=row.order_ids,
            decided_at=row.decided_at,
        )
        for row in rows
    ]


def _refusal(row: Decision) -> NoForecast | None:
    if not row.forecast_refusal:
        return None
    return NoForecast(ForecastRefusal(row.forecast_refusal["code"]), row.forecast_refusal["reason"], row.features)
