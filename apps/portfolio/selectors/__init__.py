"""Reading the books: accounts, positions, equity, performance, journal and trial balance."""

from apps.portfolio.selectors.accounts import (
    account,
    account_summary,
    accounts,
    default_account_id,
    exposure,
    held_quantities,
    open_accounts,
    positions,
)
from apps.portfolio.selectors.figures import figures, market_index, tear_sheet
from apps.portfolio.selectors.journal import entries, entry_for_fill
from apps.portfolio.selectors.margin import margin_call_at, margin_calls, margin_state
from apps.portfolio.selectors.performance import closed_trades, equity_curve, performance
from apps.portfolio.selectors.trial_balance import trial_balance

__all__ = [
    "account",
    "account_summary",
    "accounts",
    "closed_trades",
    "default_account_id",
    "entries",
    "entry_for_fill",
    "equity_curve",
    "exposure",
    "figures",
    "held_quantities",
    "margin_call_at",
    "margin_calls",
    "margin_state",
    "market_index",
    "open_accounts",
    "performance",
    "positions",
    "tear_sheet",
    "trial_balance",
]
