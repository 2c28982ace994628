"""Venues, clocks, instruments, candles, data quality and sources."""
