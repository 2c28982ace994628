"""Writing to risk: the gate with its reservations, limits, factor, halts and the live switch."""

from apps.risk.services.factor import change_factor_rule, current_factor
from apps.risk.services.gate import assess_amendment, assess_and_reserve
from apps.risk.services.halts import engage_halt, reset_halt, verify_halts
from apps.risk.services.limits import change_limit, seed_default_limits
from apps.risk.services.live import set_live_trading
from apps.risk.services.reservations import end_reservation, update_reservation

__all__ = [
    "assess_amendment",
    "assess_and_reserve",
    "change_factor_rule",
    "change_limit",
    "current_factor",
    "end_reservation",
    "engage_halt",
    "reset_halt",
    "seed_default_limits",
    "set_live_trading",
    "update_reservation",
    "verify_halts",
]
