"""Backtests, sweeps, walk-forward scores and the parity of paper with them."""
