"""The double-entry journal: which amounts an event moves between which columns. Every set of lines sums to zero per asset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from apps.core.errors import InvalidInput
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side


class LedgerAccount(StrEnum):
    """The columns of the journal. Every entry sums to zero per asset over these."""

    CASH = "CASH"
    HOLDINGS = "HOLDINGS"
    MARKET = "MARKET"
    """The other side of every trade."""
    FEES = "FEES"
    CAPITAL = "CAPITAL"
    """Where the opening balance came from."""


class EntryKind(StrEnum):
    DEPOSIT = "DEPOSIT"
    FILL = "FILL"


@dataclass(frozen=True)
class Line:
    """One amount of one asset in one column."""

    ledger_account: LedgerAccount
    asset: str
    amount: Decimal


def deposit_lines(*, amount: Decimal, asset: str) -> tuple[Line, ...]:
    """Capital put into the account."""
    return _balanced([Line(LedgerAccount.CASH, asset, amount), Line(LedgerAccount.CAPITAL, asset, -amount)])


def fill_lines(
    *, instrument: InstrumentSpec, side: Side, quantity: Decimal, price: Decimal, fee: Decimal, fee_asset: str
) -> tuple[Line, ...]:
    """A trade: cash against holdings with the market on the other side, and the fee out of cash."""
    bought = side.sign * quantity
    paid = side.sign * instrument.notional(price, quantity)
    quote, base = instrument.quote_asset, instrument.base_asset
    lines = [
        Line(LedgerAccount.CASH, quote, -paid),
        Line(LedgerAccount.MARKET, quote, paid),
        Line(LedgerAccount.HOLDINGS, base, bought),
        Line(LedgerAccount.MARKET, base, -bought),
    ]
    if fee:
        lines += [Line(LedgerAccount.CASH, fee_asset, -fee), Line(LedgerAccount.FEES, fee_asset, fee)]
    return _balanced(lines)


def _balanced(lines: list[Line]) -> tuple[Line, ...]:
    off = imbalance(lines)
    if off:
        raise InvalidInput(f"The lines do not sum to zero: {off}.", where="journal")
    return tuple(lines)


def imbalance(lines: Iterable[Line]) -> dict[str, Decimal]:
    """Sum by asset where it is not zero."""
    totals: dict[str, Decimal] = {}
    for line in lines:
        totals[line.asset] = totals.get(line.asset, Decimal(0)) + line.amount
    return {asset: total for asset, total in totals.items() if total}
