"""Wiring of the trading system: settings, entry points, runtime. No business lives here."""

from trading_system.celery import app as celery_app

__all__ = ["celery_app"]
