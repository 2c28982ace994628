"""Backtests, sweeps and the trial ledger in the browser."""
