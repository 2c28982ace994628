"""Strategies, trading sessions, the decision cycle, replay worlds."""
