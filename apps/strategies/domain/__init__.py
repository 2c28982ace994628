"""Signals, the strategy base class, and the rules that turn a signal into an action. Plain Python."""
