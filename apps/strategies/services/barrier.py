"""When a replay may play its next bar."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.orders import selectors as orders
from apps.portfolio import selectors as portfolio
from apps.strategies.contracts import SessionState
from apps.strategies.models import TradingSession


class SessionBarrier:
    """Implements `markets.ports.ReplayBarrier`: every account is matched and every active session has decided through the bar,
    every intent is sent, and every cancel and change is answered."""

    def waiting_for(self, venue_id: UUID, closed_at: datetime) -> str:
        """Empty when the next bar may come, else what is still missing, in words."""
        for account in portfolio.open_accounts(venue_id):
            matched = orders.matched_through(account.id)
            if matched is None or matched < closed_at:
                return "The executor has not matched this bar yet."
        late = (
            TradingSession.objects.filter(
                instrument__venue_id=venue_id, state__in=[SessionState.RUNNING, SessionState.STOPPING], last_bar_at__lt=closed_at
            )
            .order_by("created_at")
            .values_list("strategy__name", "instrument__symbol")
        )
        if late:
            name, symbol = late[0]
            return f"{len(late)} session{'s have' if len(late) > 1 else ' has'} not decided on this bar yet, {name} on {symbol} first."
        unsent = orders.unsent_intents(venue_id)
        if unsent:
            return f"{unsent} order{'s are' if unsent > 1 else ' is'} not sent yet."
        wishes = orders.unanswered_wishes(venue_id)
        if wishes:
            return f"{wishes} cancel{'s' if wishes > 1 else ''} or change{'s' if wishes > 1 else ''} of orders not answered yet."
        return ""
