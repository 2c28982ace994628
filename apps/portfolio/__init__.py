"""Accounts, the double-entry journal, positions, equity and performance."""
