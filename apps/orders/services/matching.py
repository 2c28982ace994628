"""Step 2 of the spine: bars against the simulated book, and everything that follows, one transaction per close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from apps.common.failpoints import failpoint
from apps.common.notify import Channel, notify
from apps.core.ports import port
from apps.markets.selectors import closes_after
from apps.orders.models import FillCursor, SimulatedAccount
from apps.orders.ports import AccountRef, BarMatching, Broker, FillSink
from apps.orders.selectors import matched_through
from apps.orders.services.evidence import take_ended_states, take_working_states
from apps.orders.services.fills import catch_up_fills
from apps.orders.services.ownership import Ownership


def match_closes(account: AccountRef, broker: Broker, ownership: Ownership) -> bool:
    """Meet every close that the account has not met, in order; True if there was one, or a fill of a venue that matches by itself."""
    if not isinstance(broker, BarMatching):
        return _follow_closes(account, broker, ownership)
    closes = _closes_to_match(account)
    for closed_at in closes:
        ownership.keep()
        with ownership.transaction():
            changed = broker.match(closed_at)
            failpoint("executor.after_venue_match")
            take_working_states(account.id, changed, at=closed_at)
            catch_up_fills(account.id, broker)
            failpoint("executor.after_fills_stored")
            take_ended_states(account.id, changed, at=closed_at)
            port(FillSink).mark_to_market(account.id, at=closed_at)
            notify(Channel.MATCHED)
            failpoint("executor.before_match_commit")
        failpoint("executor.after_match_commit")
    return bool(closes)


def _follow_closes(account: AccountRef, broker: Broker, ownership: Ownership) -> bool:
    """At a venue that matches by itself: store its fills, and value the account at each close, so that its sessions may decide on it."""
    with ownership.transaction():
        is_new = catch_up_fills(account.id, broker) > 0
    through = matched_through(account.id)
    closes = closes_after(account.venue_id, through) if through is not None else []
    for closed_at in closes:
        ownership.keep()
        with ownership.transaction():
            catch_up_fills(account.id, broker)
            port(FillSink).mark_to_market(account.id, at=closed_at)
            FillCursor.objects.filter(account_id=account.id).update(matched_through=closed_at)
            notify(Channel.MATCHED)
    return is_new or bool(closes)


def _closes_to_match(account: AccountRef) -> Sequence[datetime]:
    """Closes that the account's book has not met yet, oldest first."""
    through = SimulatedAccount.objects.filter(pk=account.id).values_list("matched_through", flat=True).first()
    return closes_after(account.venue_id, through) if through is not None else []
