"""Accounts as they stand: cash, positions at their marks, equity, exposure."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from uuid import UUID

from apps.core.errors import NotFound
from apps.core.vocabulary import TradingMode
from apps.orders.selectors.simulated import leverage_of
from apps.portfolio.contracts import AccountSummary, AccountView, PositionView
from apps.portfolio.domain.valuation import Held, Valuation, drawdown, value_account
from apps.portfolio.models import Account, CashBalance, EquitySnapshot, Position
from apps.risk.ports import AccountExposure

ZERO = Decimal(0)


def account_row(account_id: UUID) -> Account:
    """The account's row, for this app alone; NotFound if there is none."""
    row = Account.objects.filter(id=account_id).first()
    if row is None:
        raise NotFound(f"There is no account {account_id}.", where="account_id")
    return row


def account(account_id: UUID) -> AccountView:
    """One account."""
    return _view(account_row(account_id))


def accounts() -> list[AccountView]:
    """Every account, newest first, closed ones too."""
    return [_view(row) for row in Account.objects.all()]


def open_accounts(venue_id: UUID) -> list[AccountView]:
    """The accounts of a venue that still trade."""
    return [_view(row) for row in Account.objects.filter(venue_id=venue_id, closed_at=None)]


def default_account_id() -> UUID | None:
    """The account of orders that name none."""
    return Account.objects.filter(is_default=True).values_list("id", flat=True).first()


def held_quantities(account_id: UUID) -> dict[UUID, Decimal]:
    """Signed quantities by instrument, without zeros."""
    return dict(Position.objects.filter(account_id=account_id).exclude(quantity=0).values_list("instrument_id", "quantity"))


def positions(account_id: UUID, *, with_closed: bool = False) -> list[PositionView]:
    """What the account holds, by symbol; `with_closed` adds what it has held."""
    rows = Position.objects.filter(account_id=account_id).select_related("instrument").order_by("instrument__symbol")
    return [_position_view(row) for row in (rows if with_closed else rows.exclude(quantity=0))]


def valuation(row: Account) -> Valuation:
    """The account's sums at the newest marks."""
    return value_account(_cash(row), [_held(item) for item in Position.objects.filter(account=row).select_related("instrument")])


def account_summary(account_id: UUID) -> AccountSummary:
    """The account in one view; `day_pnl` is since the start of the venue's day."""
    row = account_row(account_id)
    worth = valuation(row)
    newest = _newest(row)
    peak = max(newest.peak_equity if newest else row.initial_capital, worth.equity)
    return AccountSummary(
        account_id=row.id,
        name=row.name,
        currency=row.currency,
        at=newest.at if newest else None,
        cash=worth.cash,
        holdings_value=worth.holdings_value,
        equity=worth.equity,
        initial_capital=row.initial_capital,
        realised_pnl=worth.realised_pnl,
        unrealised_pnl=worth.unrealised_pnl,
        fees=worth.fees,
        day_pnl=worth.equity - _day_start_equity(row, newest),
        peak_equity=peak,
        drawdown=drawdown(peak=peak, equity=worth.equity),
    )


def exposure(account_id: UUID, instrument_id: UUID) -> AccountExposure:
    """What the risk gate needs to know; the venue's day is that of the newest valuation, UTC."""
    row = account_row(account_id)
    items = list(Position.objects.filter(account=row).select_related("instrument"))
    worth = value_account(_cash(row), [_held(item) for item in items])
    here = next((item for item in items if item.instrument_id == instrument_id), None)
    newest = _newest(row)
    return AccountExposure(
        account_id=row.id,
        currency=row.currency,
        mode=TradingMode(row.mode),
        is_open=row.closed_at is None,
        cash=worth.cash,
        equity=worth.equity,
        day_start_equity=_day_start_equity(row, newest),
        peak_equity=max(newest.peak_equity if newest else row.initial_capital, worth.equity),
        gross_exposure=worth.gross_exposure,
        position_quantity=here.quantity if here else ZERO,
        position_notional=_held(here).market_value if here else ZERO,
        day_started_at=_day_start(newest.at) if newest else None,
        leverage=leverage_of(row.id),
    )


def _newest(row: Account) -> EquitySnapshot | None:
    return EquitySnapshot.objects.filter(account=row).order_by("-at").first()


def _day_start(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)


def _day_start_equity(row: Account, newest: EquitySnapshot | None) -> Decimal:
    """Equity at the last valuation before the venue's day; on the first day, the initial capital."""
    before = EquitySnapshot.objects.filter(account=row, at__lt=_day_start(newest.at)).order_by("-at").first() if newest else None
    equity: Decimal = before.equity if before else row.initial_capital
    return equity


def _cash(row: Account) -> Decimal:
    amount: Decimal | None = CashBalance.objects.filter(account=row, asset=row.currency).values_list("amount", flat=True).first()
    return ZERO if amount is None else amount


def _held(row: Position) -> Held:
    return Held(
        quantity=row.quantity,
        cost_basis=row.cost_basis,
        mark_price=row.mark_price,
        multiplier=row.instrument.multiplier,
        realised_pnl=row.realised_pnl,
        fees=row.fees,
    )


def _position_view(row: Position) -> PositionView:
    held = _held(row)
    size = row.quantity * row.instrument.multiplier
    return PositionView(
        account_id=row.account_id,
        instrument_id=row.instrument_id,
        symbol=row.instrument.symbol,
        quantity=row.quantity,
        cost_basis=row.cost_basis,
        average_price=row.cost_basis / size if size else ZERO,
        mark_price=row.mark_price,
        market_value=held.market_value,
        unrealised_pnl=held.unrealised_pnl,
        realised_pnl=row.realised_pnl,
        opened_at=row.opened_at,
    )


def _view(row: Account) -> AccountView:
    return AccountView(
        id=row.id,
        name=row.name,
        venue_id=row.venue_id,
        broker=row.broker,
        mode=TradingMode(row.mode),
        currency=row.currency,
        initial_capital=row.initial_capital,
        is_default=row.is_default,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )
