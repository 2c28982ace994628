"""The engine's reasons in words, for people who look at an order."""

from __future__ import annotations

from apps.orders.domain.engine_codes import Reason

SENTENCES: dict[Reason, str] = {
    Reason.BAD_QUANTITY: "The quantity is not one that the venue takes.",
    Reason.BAD_PRICE: "A price is missing, off the tick, out of bounds or not wanted.",
    Reason.BAD_COMBINATION: "The order's type, time in force and flags do not go together.",
    Reason.TOO_SMALL: "The order is worth less than the venue's minimum.",
    Reason.NO_SHORT: "The account may not sell what it does not hold.",
    Reason.WOULD_TAKE: "A post-only order at or beyond the market would take.",
    Reason.INSUFFICIENT_CASH: "The account's free cash does not carry it.",
    Reason.BOOK_FULL: "The venue's book is full.",
    Reason.UNKNOWN_ORDER: "The venue does not have the order.",
    Reason.NOT_OPEN: "The order is not open any more.",
    Reason.OVER_ORDER_SIZE: "The order is larger than one order may be.",
    Reason.OVER_ORDER_VALUE: "The order is worth more than one order may be.",
    Reason.OVER_POSITION: "The position would be larger than it may be.",
    Reason.OUTSIDE_COLLAR: "The price is too far from the market.",
    Reason.TOO_MANY_OPEN: "Too many orders are open.",
    Reason.TOO_MANY_ORDERS: "Too many orders were given in this time.",
    Reason.CANCELLED_BY_OWNER: "Cancelled as asked.",
    Reason.GROUP_FILLED: "Another order of its group has filled.",
    Reason.PARENT_ENDED: "The order it waited for has ended without a fill.",
    Reason.NOTHING_TO_REDUCE: "There is no position left that it could reduce.",
    Reason.NOT_FILLED_AT_ONCE: "It had to fill at once and did not.",
    Reason.DAY_OVER: "The day ended before it filled.",
    Reason.TIME_OVER: "Its time ended before it filled.",
    Reason.CLOSED_BY_LIQUIDATION: "The account was liquidated in this instrument.",
    Reason.OUT_OF_BOUNDS: "Its price would leave the instrument's bounds.",
    Reason.PROTECTION_FILLED: "An order that protects it has filled, so that the rest would be unprotected.",
}


def sentence(reason: Reason) -> str:
    """The reason as a sentence; its name where it says itself what it is."""
    return SENTENCES.get(reason, reason.name.replace("_", " ").capitalize() + ".")
