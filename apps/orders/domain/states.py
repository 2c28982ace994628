"""The one transition table of orders: (status, trigger) -> status. What is not in it is illegal.

Three rules shape it. Fills may come in any order and at any time after the order was sent, so a late fill is legal in every state that
an order can reach after SENDING: the venue's trade happened, whatever we believed. Only evidence leaves UNKNOWN. An order that is
completely filled takes nothing more but a late acknowledgement and the refusal of an amendment that came too late.

A wish to amend changes no status: what it asks for is stored beside the order, and the order's terms change when the venue says so.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from apps.core.errors import Conflict
from apps.orders.domain.vocabulary import OrderStatus


class Trigger(StrEnum):
    """What can happen to an order."""

    SEND = "SEND"
    """The executor claims the intent; stored before the venue is called."""
    ACCEPT = "ACCEPT"
    """The venue says that it has the order, or that the parent it waited for has filled: it works."""
    WAIT = "WAIT"
    """The venue says that it has the order, which waits for its parent to fill."""
    REJECT = "REJECT"
    """The venue refused it, or it is established that the order never arrived."""
    LOSE_ANSWER = "LOSE_ANSWER"
    """Time-out, 5xx, unreadable answer, or a restart while sending: only evidence can tell."""
    SEND_AGAIN = "SEND_AGAIN"
    """The venue has proven that the order never arrived: one new send."""
    REQUEST_CANCEL = "REQUEST_CANCEL"
    """A person, a strategy or a halt wants it gone."""
    CANCEL = "CANCEL"
    """It is cancelled: at the venue, or before it left us."""
    REQUEST_AMEND = "REQUEST_AMEND"
    """A person or a strategy wants another quantity or price."""
    AMEND = "AMEND"
    """Its quantity or price is another one now: as asked, or because its group or its parent has filled."""
    REFUSE_AMEND = "REFUSE_AMEND"
    """The venue leaves it as it is."""
    EXPIRE = "EXPIRE"
    """Its time in force ended at the venue."""
    PARTIAL_FILL = "PARTIAL_FILL"
    """A fill that leaves a remainder."""
    FILL = "FILL"
    """The fill that completes it."""


_S = OrderStatus
_T = Trigger

TRANSITIONS: dict[tuple[OrderStatus, Trigger], OrderStatus] = {
    (_S.PENDING, _T.SEND): _S.SENDING,
    (_S.PENDING, _T.REQUEST_CANCEL): _S.CANCELLED,
    (_S.PENDING, _T.CANCEL): _S.CANCELLED,
    (_S.PENDING, _T.AMEND): _S.PENDING,
    (_S.SENDING, _T.ACCEPT): _S.ACKNOWLEDGED,
    (_S.SENDING, _T.WAIT): _S.WAITING,
    (_S.SENDING, _T.REJECT): _S.REJECTED,
    (_S.SENDING, _T.LOSE_ANSWER): _S.UNKNOWN,
    (_S.SENDING, _T.REQUEST_CANCEL): _S.SENDING,
    (_S.SENDING, _T.CANCEL): _S.CANCELLED,
    (_S.SENDING, _T.REQUEST_AMEND): _S.SENDING,
    (_S.SENDING, _T.REFUSE_AMEND): _S.SENDING,
    (_S.SENDING, _T.EXPIRE): _S.EXPIRED,
    (_S.SENDING, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.SENDING, _T.FILL): _S.FILLED,
    (_S.UNKNOWN, _T.ACCEPT): _S.ACKNOWLEDGED,
    (_S.UNKNOWN, _T.WAIT): _S.WAITING,
    (_S.UNKNOWN, _T.REJECT): _S.REJECTED,
    (_S.UNKNOWN, _T.SEND_AGAIN): _S.SENDING,
    (_S.UNKNOWN, _T.REQUEST_CANCEL): _S.UNKNOWN,
    (_S.UNKNOWN, _T.CANCEL): _S.CANCELLED,
    (_S.UNKNOWN, _T.REQUEST_AMEND): _S.UNKNOWN,
    (_S.UNKNOWN, _T.AMEND): _S.UNKNOWN,
    (_S.UNKNOWN, _T.REFUSE_AMEND): _S.UNKNOWN,
    (_S.UNKNOWN, _T.EXPIRE): _S.EXPIRED,
    (_S.UNKNOWN, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.UNKNOWN, _T.FILL): _S.FILLED,
    (_S.WAITING, _T.ACCEPT): _S.ACKNOWLEDGED,
    (_S.WAITING, _T.REJECT): _S.REJECTED,
    (_S.WAITING, _T.REQUEST_CANCEL): _S.CANCEL_PENDING,
    (_S.WAITING, _T.CANCEL): _S.CANCELLED,
    (_S.WAITING, _T.REQUEST_AMEND): _S.WAITING,
    (_S.WAITING, _T.AMEND): _S.WAITING,
    (_S.WAITING, _T.REFUSE_AMEND): _S.WAITING,
    (_S.WAITING, _T.EXPIRE): _S.EXPIRED,
    (_S.WAITING, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.WAITING, _T.FILL): _S.FILLED,
    (_S.ACKNOWLEDGED, _T.REJECT): _S.REJECTED,
    (_S.ACKNOWLEDGED, _T.REQUEST_CANCEL): _S.CANCEL_PENDING,
    (_S.ACKNOWLEDGED, _T.CANCEL): _S.CANCELLED,
    (_S.ACKNOWLEDGED, _T.REQUEST_AMEND): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _T.AMEND): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _T.REFUSE_AMEND): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _T.EXPIRE): _S.EXPIRED,
    (_S.ACKNOWLEDGED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.ACKNOWLEDGED, _T.FILL): _S.FILLED,
    (_S.PARTIALLY_FILLED, _T.ACCEPT): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _T.REQUEST_CANCEL): _S.CANCEL_PENDING,
    (_S.PARTIALLY_FILLED, _T.CANCEL): _S.CANCELLED,
    (_S.PARTIALLY_FILLED, _T.REQUEST_AMEND): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _T.AMEND): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _T.REFUSE_AMEND): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _T.EXPIRE): _S.EXPIRED,
    (_S.PARTIALLY_FILLED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _T.FILL): _S.FILLED,
    (_S.CANCEL_PENDING, _T.ACCEPT): _S.CANCEL_PENDING,
    (_S.CANCEL_PENDING, _T.REJECT): _S.REJECTED,
    (_S.CANCEL_PENDING, _T.CANCEL): _S.CANCELLED,
    (_S.CANCEL_PENDING, _T.AMEND): _S.CANCEL_PENDING,
    (_S.CANCEL_PENDING, _T.REFUSE_AMEND): _S.CANCEL_PENDING,
    (_S.CANCEL_PENDING, _T.EXPIRE): _S.EXPIRED,
    (_S.CANCEL_PENDING, _T.PARTIAL_FILL): _S.CANCEL_PENDING,
    (_S.CANCEL_PENDING, _T.FILL): _S.FILLED,
    (_S.FILLED, _T.ACCEPT): _S.FILLED,
    (_S.FILLED, _T.REFUSE_AMEND): _S.FILLED,
    (_S.CANCELLED, _T.REFUSE_AMEND): _S.CANCELLED,
    (_S.CANCELLED, _T.PARTIAL_FILL): _S.CANCELLED,
    (_S.CANCELLED, _T.FILL): _S.FILLED,
    (_S.EXPIRED, _T.REFUSE_AMEND): _S.EXPIRED,
    (_S.EXPIRED, _T.PARTIAL_FILL): _S.EXPIRED,
    (_S.EXPIRED, _T.FILL): _S.FILLED,
    (_S.REJECTED, _T.REFUSE_AMEND): _S.REJECTED,
    # A fill disproves the rejection: the rest works at the venue.
    (_S.REJECTED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.REJECTED, _T.FILL): _S.FILLED,
}


def next_status(status: OrderStatus, trigger: Trigger) -> OrderStatus:
    """The status after `trigger`; raises Conflict when the table does not allow it."""
    try:
        return TRANSITIONS[status, trigger]
    except KeyError:
        raise Conflict(
            f"An order that is {status} cannot take {trigger}.",
            where="status",
            hint="Read the order again: it has moved on since it was looked at.",
        ) from None


def is_legal(status: OrderStatus, trigger: Trigger) -> bool:
    """Whether the table allows `trigger` now."""
    return (status, trigger) in TRANSITIONS


def fill_trigger(*, quantity: Decimal, filled: Decimal, fill: Decimal) -> Trigger:
    """Whether this fill completes the order. An overfill or an empty fill raises Conflict: it is never stored."""
    if fill <= 0:
        raise Conflict(f"A fill of {fill} is not a trade.", where="quantity")
    after = filled + fill
    if after > quantity:
        raise Conflict(
            f"A fill of {fill} would take the order to {after} of {quantity}.",
            where="quantity",
            hint="The venue reports more than was ordered; the account stays shut until a person has looked.",
        )
    return Trigger.FILL if after == quantity else Trigger.PARTIAL_FILL
