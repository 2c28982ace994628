"""The database's switch of live trading."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.core.errors import InvalidInput
from apps.events.services import record_event
from apps.risk.contracts import LiveTradingSwitched
from apps.risk.models import LiveTradingSwitch


@transaction.atomic
def set_live_trading(*, is_on: bool, actor: str, reason: str, now: datetime) -> None:
    """Turn the second switch; live orders leave only while the environment's switch (LIVE_TRADING_ENABLED) is on too."""
    if not reason.strip():
        raise InvalidInput("Say why live trading is switched.", where="reason")
    LiveTradingSwitch.objects.update_or_create(id=1, defaults={"is_on": is_on, "changed_by": actor, "changed_at": now, "reason": reason})
    record_event(LiveTradingSwitched(is_on=is_on, reason=reason), occurred_at=now, actor=actor)
