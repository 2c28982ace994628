"""What an account is worth: cash and every position at its mark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True)
class Held:
    """One position with its mark; `multiplier` is the instrument's. Without a mark it counts at cost."""

    quantity: Decimal
    cost_basis: Decimal
    mark_price: Decimal | None
    multiplier: int
    realised_pnl: Decimal
    fees: Decimal

    @property
    def market_value(self) -> Decimal:
        """Signed value in the quote asset."""
        return self.cost_basis if self.mark_price is None else self.quantity * self.mark_price * self.multiplier

    @property
    def unrealised_pnl(self) -> Decimal:
        return self.market_value - self.cost_basis


@dataclass(frozen=True)
class Valuation:
    """Sums over an account; equity = cash + holdings_value = capital + realised_pnl + unrealised_pnl - fees."""

    cash: Decimal
    holdings_value: Decimal
    gross_exposure: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    fees: Decimal

    @property
    def equity(self) -> Decimal:
        return self.cash + self.holdings_value


def value_account(cash: Decimal, held: Iterable[Held]) -> Valuation:
    """The account's sums; shorts count negative in holdings and positive in exposure."""
    positions = list(held)
    return Valuation(
        cash=cash,
        holdings_value=sum((item.market_value for item in positions), ZERO),
        gross_exposure=sum((abs(item.market_value) for item in positions), ZERO),
        realised_pnl=sum((item.realised_pnl for item in positions), ZERO),
        unrealised_pnl=sum((item.unrealised_pnl for item in positions), ZERO),
        fees=sum((item.fees for item in positions), ZERO),
    )


def drawdown(*, peak: Decimal, equity: Decimal) -> Decimal:
    """Fall from the peak as a fraction of it; 0 at a new peak or without one."""
    return max((peak - equity) / peak, ZERO) if peak > 0 else ZERO
