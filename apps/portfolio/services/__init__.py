"""Writing to the books: accounts, fills, valuation; and the ports that portfolio implements for the apps below it."""

from apps.portfolio.services.accounts import close_account, open_account
from apps.portfolio.services.ports import LedgerAccountDirectory, LedgerFillSink, LedgerPortfolioView

__all__ = ["LedgerAccountDirectory", "LedgerFillSink", "LedgerPortfolioView", "close_account", "open_account"]
