"""Brokers, one folder each. The folder's name is what `Account.broker` says, and `BROKER` in its broker.py opens it: a new folder is a new broker.

A broker is loaded when an account that it trades is opened, so its libraries cost the other processes nothing.
"""

from __future__ import annotations

from importlib import import_module

from apps.core.discovery import folders_with
from apps.core.errors import Misconfigured
from apps.orders.ports import AccountRef, Broker


def broker_names() -> list[str]:
    """Every broker by the name that an account is opened with."""
    return folders_with(__name__, "broker")


def open_broker(account: AccountRef) -> Broker:
    """The adapter that trades the account; raises Misconfigured if there is none of that name."""
    if account.broker not in broker_names():
        raise Misconfigured(
            f"Account {account.name} names the broker {account.broker!r}, which does not exist.",
            where="broker",
            hint=f"Use one of {', '.join(broker_names())}.",
        )
    broker: Broker = import_module(f"{__name__}.{account.broker}.broker").BROKER(account)
    return broker
