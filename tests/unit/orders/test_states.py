"""Every (status, trigger) pair against a table written out by hand: "." is illegal."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Conflict
from apps.orders.contracts import OPEN_STATUSES, OrderStatus
from apps.orders.domain.states import TRANSITIONS, Trigger, fill_trigger, is_legal, next_status

EXPECTED = """
                  SEND     ACCEPT            WAIT     REJECT    LOSE_ANSWER  SEND_AGAIN  REQUEST_CANCEL  CANCEL     REQUEST_AMEND     AMEND             REFUSE_AMEND      EXPIRE   PARTIAL_FILL      FILL
PENDING           SENDING  .                 .        .         .            .           CANCELLED       CANCELLED  .                 PENDING           .                 .        .                 .
SENDING           .        ACKNOWLEDGED      WAITING  REJECTED  UNKNOWN      .           SENDING         CANCELLED  SENDING           .                 SENDING           EXPIRED  PARTIALLY_FILLED  FILLED
UNKNOWN           .        ACKNOWLEDGED      WAITING  REJECTED  .            SENDING     UNKNOWN         CANCELLED  UNKNOWN           UNKNOWN           UNKNOWN           EXPIRED  PARTIALLY_FILLED  FILLED
WAITING           .        ACKNOWLEDGED      .        REJECTED  .            .           CANCEL_PENDING  CANCELLED  WAITING           WAITING           WAITING           EXPIRED  PARTIALLY_FILLED  FILLED
ACKNOWLEDGED      .        .                 .        REJECTED  .            .           CANCEL_PENDING  CANCELLED  ACKNOWLEDGED      ACKNOWLEDGED      ACKNOWLEDGED      EXPIRED  PARTIALLY_FILLED  FILLED
PARTIALLY_FILLED  .        PARTIALLY_FILLED  .        .         .            .           CANCEL_PENDING  CANCELLED  PARTIALLY_FILLED  PARTIALLY_FILLED  PARTIALLY_FILLED  EXPIRED  PARTIALLY_FILLED  FILLED
CANCEL_PENDING    .        CANCEL_PENDING    .        REJECTED  .            .           .               CANCELLED  .                 CANCEL_PENDING    CANCEL_PENDING    EXPIRED  CANCEL_PENDING    FILLED
FILLED            .        FILLED            .        .         .            .           .               .          .                 .                 FILLED            .        .                 .
CANCELLED         .        .                 .        .         .            .           .               .          .                 .                 CANCELLED         .        CANCELLED         FILLED
REJECTED          .        .                 .        .         .            .           .               .          .                 .                 REJECTED          .        PARTIALLY_FILLED  FILLED
EXPIRED           .        .                 .        .         .            .           .               .          .                 .                 EXPIRED           .        EXPIRED           FILLED
"""


def expected_table() -> dict[tuple[str, str], str]:
    header, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    return {(row[0], trigger): cell for row in rows for trigger, cell in zip(header, row[1:], strict=True)}


def test_the_written_table_names_every_status_and_trigger() -> None:
    assert set(expected_table()) == set(product(map(str, OrderStatus), map(str, Trigger)))


@pytest.mark.parametrize(("status", "trigger"), list(product(OrderStatus, Trigger)))
def test_every_pair_leads_where_the_written_table_says(status: OrderStatus, trigger: Trigger) -> None:
    wanted = expected_table()[status, trigger]
    if wanted == ".":
        assert not is_legal(status, trigger)
        with pytest.raises(Conflict):
            next_status(status, trigger)
    else:
        assert is_legal(status, trigger)
        assert next_status(status, trigger) == OrderStatus(wanted)


def test_a_late_fill_is_legal_in_every_state_after_sending_but_filled() -> None:
    for status in set(OrderStatus) - {OrderStatus.PENDING, OrderStatus.FILLED}:
        assert is_legal(status, Trigger.FILL)
        assert is_legal(status, Trigger.PARTIAL_FILL)


def test_a_wish_to_amend_and_its_answer_change_no_status() -> None:
    for (status, trigger), after in TRANSITIONS.items():
        if trigger in (Trigger.REQUEST_AMEND, Trigger.AMEND, Trigger.REFUSE_AMEND):
            assert after is status


def test_a_create_is_repeated_only_from_unknown() -> None:
    assert [status for status, trigger in TRANSITIONS if trigger is Trigger.SEND_AGAIN] == [OrderStatus.UNKNOWN]
    assert [status for status, trigger in TRANSITIONS if trigger is Trigger.SEND] == [OrderStatus.PENDING]


def test_no_sequence_of_triggers_reopens_an_order_except_a_fill_after_a_rejection() -> None:
    reopened = {
        (status, trigger) for (status, trigger), after in TRANSITIONS.items() if status not in OPEN_STATUSES and after in OPEN_STATUSES
    }
    assert reopened == {(OrderStatus.REJECTED, Trigger.PARTIAL_FILL)}


def test_the_fill_that_completes_the_order_is_told_from_the_others() -> None:
    assert fill_trigger(quantity=Decimal(10), filled=Decimal(4), fill=Decimal(6)) is Trigger.FILL
    assert fill_trigger(quantity=Decimal(10), filled=Decimal(4), fill=Decimal("5.9")) is Trigger.PARTIAL_FILL


@pytest.mark.parametrize("fill", ["0", "-1", "6.0000000001"])
def test_an_empty_a_negative_and_an_overfill_are_refused(fill: str) -> None:
    with pytest.raises(Conflict):
        fill_trigger(quantity=Decimal(10), filled=Decimal(4), fill=Decimal(fill))


@given(st.integers(1, 50).flatmap(lambda total: st.tuples(st.just(total), st.lists(st.integers(1, 50), max_size=30))))
def test_whatever_fills_come_the_order_never_holds_more_than_was_asked_for(case: tuple[int, list[int]]) -> None:
    quantity, fills = case
    status, filled = OrderStatus.SENDING, Decimal(0)
    for fill in map(Decimal, fills):
        try:
            trigger = fill_trigger(quantity=Decimal(quantity), filled=filled, fill=fill)
        except Conflict:
            assert filled + fill > quantity
            continue
        status, filled = next_status(status, trigger), filled + fill
        assert filled <= quantity
        assert (status is OrderStatus.FILLED) == (filled == quantity)
