"""Limits, sizing, risk factor, halt, reservations and verdicts."""
