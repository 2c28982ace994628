"""Whose position it is after people and halts have traded beside the sessions."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.orders.domain.attribution import position_of

A, B, C = (UUID(int=value) for value in (1, 2, 3))
QUANTITIES = st.integers(-50, 50).map(Decimal)


def test_a_halt_that_flattened_two_sessions_leaves_both_with_nothing() -> None:
    net = {A: Decimal(10), B: Decimal(7), None: Decimal(-17)}
    assert (position_of(A, net), position_of(B, net)) == (0, 0)


def test_what_a_person_sold_is_taken_from_the_oldest_session_first() -> None:
    net = {B: Decimal(7), A: Decimal(10), None: Decimal(-12)}
    assert (position_of(A, net), position_of(B, net)) == (0, 5)


def test_what_a_person_bought_for_himself_belongs_to_no_session() -> None:
    net = {A: Decimal(10), None: Decimal(5)}
    assert position_of(A, net) == 10
    assert position_of(B, net) == 0


@given(st.dictionaries(st.sampled_from([A, B, C, None]), QUANTITIES))
def test_nobody_gains_by_it_and_all_parts_add_up(net: dict[UUID | None, Decimal]) -> None:
    held = {origin: position_of(origin, net) for origin in (A, B, C)}
    for origin, quantity in held.items():
        traded = net.get(origin, Decimal(0))
        assert quantity * traded >= 0
        assert abs(quantity) <= abs(traded)
    taken = sum(net.get(origin, Decimal(0)) - quantity for origin, quantity in held.items())
    nobodys = net.get(None, Decimal(0))
    assert abs(nobodys + taken) <= abs(nobodys)
    assert sum(held.values()) + nobodys + taken == sum(net.values())
