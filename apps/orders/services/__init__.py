"""Writes of orders: intents, cancels, accounts at their venue. The executor's own steps are in the modules beside this one."""

from apps.orders.services.accounts import change_venue_terms, open_broker_account, open_simulated_account
from apps.orders.services.amendments import request_amend
from apps.orders.services.cancels import request_cancel, request_cancel_all
from apps.orders.services.control import OrderControlService
from apps.orders.services.intents import place_order, submit_together
from apps.orders.services.legs import exit_requests
from apps.orders.services.manual import OtherLeg, submit_manual_order

__all__ = [
    "OrderControlService",
    "OtherLeg",
    "change_venue_terms",
    "exit_requests",
    "open_broker_account",
    "open_simulated_account",
    "place_order",
    "request_amend",
    "request_cancel",
    "request_cancel_all",
    "submit_manual_order",
    "submit_together",
]
