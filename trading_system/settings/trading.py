"""Trading: defaults that seed the first database rows, the two switches of live trading, and which class implements which port."""

from __future__ import annotations

from trading_system.settings.environment import decimal_setting, env

INITIAL_CAPITAL = decimal_setting("INITIAL_CAPITAL", default="100000")
RISK_PER_TRADE = decimal_setting("RISK_PER_TRADE", default="0.02")
TRADING_MODE = env.str("TRADING_MODE", default="paper")
LIVE_TRADING_ENABLED = env.bool("LIVE_TRADING_ENABLED", default=False)
"""First switch of live trading; the second is in the database. Both are checked at start and before each send."""
LIVE_TRADING_MAX_DRAWDOWN = decimal_setting("LIVE_TRADING_MAX_DRAWDOWN", default="0.10")
LIVE_TRADING_MAX_TRADES_PER_DAY = env.int("LIVE_TRADING_MAX_TRADES_PER_DAY", default=20)
LIVE_TRADING_MIN_SIGNAL_CONFIDENCE = decimal_setting("LIVE_TRADING_MIN_SIGNAL_CONFIDENCE", default="0.6")
LIVE_TRADING_AUTO_EXECUTE = env.bool("LIVE_TRADING_AUTO_EXECUTE", default=False)
LIVE_TRADING_CONFIRMATION_REQUIRED = env.bool("LIVE_TRADING_CONFIRMATION_REQUIRED", default=True)

TRADING_PORTS = {
    "PortfolioView": "apps.portfolio.services.LedgerPortfolioView",
    "OrderControl": "apps.orders.services.OrderControlService",
    "FillSink": "apps.portfolio.services.LedgerFillSink",
    "AccountDirectory": "apps.portfolio.services.LedgerAccountDirectory",
    "Rehearsal": "apps.forecasts.services.Rehearsals",
    "ReplayBarrier": "apps.strategies.services.SessionBarrier",
    "SystemStatusSource": "trading_system.runtime.status_source.RuntimeStatusSource",
}
