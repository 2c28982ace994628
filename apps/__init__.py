"""The applications of the trading system, lowest first: core, common, events, access, markets, forecasts, risk, orders, portfolio, strategies, dashboard."""
