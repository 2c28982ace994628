"""A market of minutes whose bars are given, played through the loops of paper; and the same bars for the backtest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import numpy.typing as npt

from apps.common.models import Lease
from apps.common.notify import Channel, notify
from apps.core.ids import uuid7
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Side, Timeframe
from apps.markets import selectors as markets
from apps.markets.candles import candles
from apps.markets.contracts import BarWindow, CandleSource, ClockStatus, VenueKind
from apps.markets.domain.bars import from_micros
from apps.markets.models import Instrument, Venue, VenueClock
from apps.orders.contracts import OrderOrigin
from apps.orders.domain import engine_codes as code
from apps.orders.domain.engine_codes import Reason
from apps.orders.domain.instants import microseconds
from apps.orders.domain.venue_profiles import VenueTerms
from apps.orders.management.commands.run_executor import ExecutorDaemon
from apps.orders.models import Fill
from apps.orders.services import change_venue_terms
from apps.portfolio.services import open_account
from apps.risk.contracts import limit_choices
from apps.risk.services import change_limit
from apps.strategies import services as strategies
from apps.strategies.domain.bar_columns import BarColumns
from apps.strategies.domain.event_session import lots_of_volume
from apps.strategies.management.commands.run_sessions import SessionOwner
from tests.minute_series import FIRST_OPEN, Minutes
from tests.world import World

Int64Array = npt.NDArray[np.int64]

CAPITAL = Decimal(1_000_000)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
TENTH = VenueTerms(volume_percent=Decimal(10), allows_short=False)
"""The default profile's costs; orders may take a tenth of a bar's volume, so that large ones fill in parts."""


@dataclass(frozen=True)
class Traded:
    """A fill as the forms of a strategy are compared: closing time of its bar in microseconds, signed lots, price units, fee, reason."""

    at: int
    lots: int
    price: int
    fee: Decimal
    reason: str


class MinuteWorld(World):
    """A replay venue of minutes with an account and no sessions. The first bar is behind it."""

    def __init__(self, minutes: Minutes, *, terms: VenueTerms = TENTH, capital: Decimal = CAPITAL) -> None:
        self.minutes = minutes
        row = Venue.objects.create(
            code=f"min-{uuid7().hex[-12:]}", name="Minutes", kind=VenueKind.REPLAY, source="bundled", timeframe="1m", is_default=True
        )
        VenueClock.objects.create(venue=row, status=ClockStatus.RUNNING, now_at=from_micros(FIRST_OPEN))
        self.instrument: InstrumentSpec = Instrument.objects.create(
            venue=row, symbol="BTC", name="Bitcoin", base_asset="BTC", price_scale=1, volume_scale=3, tick_size=Decimal("0.1"),
            lot_size=Decimal("0.001"), min_quantity=Decimal("0.001"), min_notional=Decimal(1), max_price=Decimal(1_000_000),
            max_quantity=Decimal(1_000),
        ).spec()  # fmt: skip
        self.venue = markets.venue(row.id)
        self.account_id = open_account(
            name="Minutes", venue_id=row.id, initial_capital=capital, opened_at=from_micros(FIRST_OPEN), make_default=True
        )
        change_venue_terms(account_id=self.account_id, terms=terms, actor="test")
        for name, _ in limit_choices():
            change_limit(code=name, value=Decimal(0), is_enabled=False, actor="test", now=NOW)
        self.reopen()
        self.played = 0
        self.play()
        self.settle()

    def reopen(self) -> None:
        """Fresh loops, as processes that have just started."""
        self.sessions, self.executor = SessionOwner(), ExecutorDaemon()

    def reopen_after_death(self) -> None:
        """The loops' processes have died: their leases are over, and others begin."""
        Lease.objects.all().delete()
        self.reopen()

    def play(self) -> datetime:
        batch = self.minutes.batch(self.played, self.played + 1)
        self.played += 1
        candles().write([(self.instrument.id, batch)], scope=self.venue_id, timeframe=Timeframe.M1, source=CandleSource.BUNDLED)
        now_at = from_micros(int(batch.closed_at[0]))
        VenueClock.objects.filter(venue_id=self.venue_id).update(now_at=now_at)
        notify(Channel.MARKET)
        return now_at

    def open_session(self, kind: str, **parameters: object) -> UUID:
        """A running session of this kind."""
        strategy_id = strategies.ensure_strategy(name=f"{kind} {uuid7()}", kind=kind, parameters=parameters)
        session_id = strategies.create_session(
            strategy_id=strategy_id, account_id=self.account_id, instrument_id=self.instrument.id, capital=CAPITAL, max_positions=0,
            timeframe=Timeframe.M1,
        )  # fmt: skip
        strategies.start_session(session_id=session_id, actor="test")
        return session_id

    def window(self) -> BarWindow:
        """The bars that a session which was started with the world is told: all but the first."""
        batch = self.minutes.batch(1, self.played)
        return markets.bar_window_of(self.instrument, Timeframe.M1, batch)


def columns_of(window: BarWindow) -> BarColumns:
    """Stored bars for the plain runners."""
    return BarColumns(window.opened_at, window.closed_at, window.open, window.high, window.low, window.close, lots_of_volume(window))


def paper_fills(account_id: UUID, spec: InstrumentSpec) -> list[Traded]:
    """The fills that paper's rows hold, in the order of their storing."""
    rows = Fill.objects.filter(account_id=account_id, order__origin=OrderOrigin.SESSION).order_by("id")
    return [
        Traded(
            microseconds(row.occurred_at),
            Side(row.side).sign * spec.quantity_lots(row.quantity),
            spec.price_units(row.price),
            row.fee,
            row.reason,
        )
        for row in rows
    ]


def run_fills(fills: Int64Array, spec: InstrumentSpec) -> list[Traded]:
    """The same of a run in the engine."""
    return [
        Traded(
            row[code.F_AT],
            row[code.F_SIDE] * row[code.F_LOTS],
            row[code.F_PRICE],
            spec.cash(row[code.F_FEE]),
            Reason(row[code.F_REASON]).name,
        )
        for row in fills.tolist()
    ]
