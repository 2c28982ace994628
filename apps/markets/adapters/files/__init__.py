"""Bars from a CSV, Parquet or Feather file with the columns that freqtrade writes: date, open, high, low, close, volume."""
