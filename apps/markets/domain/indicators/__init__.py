"""Indicators, for strategies and charts."""
