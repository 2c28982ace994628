"""The runtime's side of the pages' port."""

from __future__ import annotations

from datetime import datetime

from trading_system.runtime.status import SystemStatus, system_status


class RuntimeStatusSource:
    """Implements `apps.dashboard.ports.SystemStatusSource`."""

    def read(self, *, now: datetime) -> SystemStatus:
        return system_status(now=now)
