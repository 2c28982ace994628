"""Strategies' parameters: validated, logged with their reason, picked up by running sessions at the next bar."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.core.errors import NotFound
from apps.events.services import record_event
from apps.strategies.contracts import StrategyConfigChanged
from apps.strategies.domain.catalog import session_class
from apps.strategies.domain.parameters import build_parameters
from apps.strategies.models import Strategy


@transaction.atomic
def ensure_strategy(*, name: str, kind: str, parameters: dict[str, Any] | None = None) -> UUID:
    """The id of the strategy called `name`, created with these parameters if there is none."""
    build_parameters(session_class(kind).Parameters, parameters or {})
    row, _ = Strategy.objects.get_or_create(name=name, defaults={"kind": kind, "parameters": parameters or {}})
    return row.id


@transaction.atomic
def update_parameters(*, strategy_id: UUID, values: dict[str, Any], actor: str, reason: str) -> dict[str, Any]:
    """Change some parameters; the rest stay. Returns all of them as they now are."""
    row = Strategy.objects.select_for_update().filter(id=strategy_id).first()
    if row is None:
        raise NotFound(f"There is no strategy {strategy_id}.", where="strategy_id")
    merged = {**row.parameters, **values}
    effective = asdict(build_parameters(session_class(row.kind).Parameters, merged))
    if effective != row.parameters:
        row.parameters = effective
        row.save(update_fields=["parameters", "updated_at"])
        record_event(
            StrategyConfigChanged(
                strategy_id=row.id, strategy=row.name, parameters={key: str(value) for key, value in effective.items()}, reason=reason
            ),
            occurred_at=datetime.now(UTC),
            actor=actor,
            subject=str(row.id),
        )
    return effective
