"""A process that owns a small replay world and plays it on command: one command a line on stdin, one JSON answer a line on stdout.

The browser's driver keeps an event loop in its process, where Django refuses to query; so the world lives in this one.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.test")
django.setup()

from apps.access.models import User  # noqa: E402
from apps.access.services import issue_login_link  # noqa: E402
from apps.backtests import selectors as backtests  # noqa: E402
from apps.backtests.services import execute_run  # noqa: E402
from apps.common import heartbeats  # noqa: E402
from apps.events.services import log_identity, seal_batch  # noqa: E402
from apps.markets import selectors as markets  # noqa: E402
from apps.portfolio import selectors as portfolio  # noqa: E402
from tests.e2e.people import PASSWORD, PEOPLE  # noqa: E402
from tests.world import World  # noqa: E402


class Player:
    """Answers commands."""

    def __init__(self) -> None:
        log_identity()
        self._world: World | None = None
        for name, role in PEOPLE.items():
            User.objects.create_user(name, password=PASSWORD, role=role, is_staff=role == "admin", is_superuser=role == "admin")

    def open(self, bars: str = "0") -> dict[str, Any]:
        """Open a trained world and play so many bars."""
        self._world = World(train=True)
        return self.step(bars)

    def step(self, bars: str = "1") -> dict[str, Any]:
        assert self._world is not None
        closed_at = self._world.step(int(bars))
        self._finish()
        return {"closed_at": closed_at.isoformat()}

    def settle(self) -> dict[str, Any]:
        """Let executor and sessions do what there is to do: a halt is enforced here."""
        assert self._world is not None
        self._world.settle()
        self._finish()
        return {}

    def backtests(self) -> dict[str, Any]:
        """Make every backtest that waits, as a worker would."""
        waiting = [item.id for item in backtests.runs_under_way()]
        made = [execute_run(run_id) for run_id in waiting]
        self._finish()
        return {"made": sum(made)}

    def link(self, name: str) -> dict[str, Any]:
        return {"path": issue_login_link(name)}

    def account(self) -> dict[str, Any]:
        account_id = portfolio.default_account_id()
        assert account_id is not None
        summary = portfolio.account_summary(account_id)
        return {"equity": f"{summary.equity:f}", "cash": f"{summary.cash:f}", "positions": len(portfolio.positions(account_id))}

    def venue(self) -> dict[str, Any]:
        venue = markets.active_venue()
        return {"status": str(venue.status), "code": venue.code, "speed": f"{venue.bars_per_second:f}"} if venue else {}

    def _finish(self) -> None:
        while seal_batch():
            pass
        for process in ("streams", "sessions", "executor", "events", "worker", "beat"):
            heartbeats.beat(process, expected_every=3600)


def main() -> None:
    player = Player()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        print(json.dumps(getattr(player, command)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
