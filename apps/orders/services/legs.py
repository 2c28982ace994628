"""Exits that belong to an entry: recorded with it, opened at the venue by its fill."""

from __future__ import annotations

from dataclasses import replace

from apps.core.ids import client_order_id, uuid7
from apps.orders.contracts import ExitPrices, OrderRequest
from apps.orders.domain.brackets import exit_terms


def exit_requests(entry: OrderRequest, exits: ExitPrices) -> list[OrderRequest]:
    """The exits of an entry as orders that wait for it; several of them share what is left. Their ids follow from the entry's client id."""
    legs = exit_terms(entry.side, entry.quantity, exits)
    group_id = uuid7() if len(legs) > 1 else None
    return [
        replace(
            entry,
            id=uuid7(),
            client_order_id=client_order_id(account_id=entry.account_id, origin=f"{entry.client_order_id}|{name}"),
            side=entry.side.opposite,
            is_reducing=True,
            parent_id=entry.id,
            group_id=group_id,
            verdict_id=None,
            decision_id=None,
            reason=f"{name.replace('_', ' ').capitalize()} of {entry.client_order_id}.",
            **vars(terms),
        )
        for name, terms in legs.items()
    ]
