"""What a page shows: frozen shapes, filled from the views of the lower apps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core.vocabulary import Side
from apps.dashboard.domain.pictures import Interval, Line, Used
from apps.forecasts.contracts import ForecastView, TrainingState
from apps.markets.contracts import InstrumentDetail, VenueView
from apps.orders.contracts import FillView, OrderDetail, OrderStep, OrderView
from apps.portfolio.contracts import AccountSummary, MarginState, Performance, PositionView
from apps.risk.contracts import HaltView, RiskFactor
from apps.strategies.selectors import DecisionView, SessionView


@dataclass(frozen=True)
class Mode:
    """The banner: a key for the colour, the words, and what they mean."""

    key: str
    words: str
    note: str


@dataclass(frozen=True)
class StripItem:
    """One light of the status strip. With `since`, the page counts the age itself and turns it orange after `stale_after` seconds."""

    label: str
    text: str
    level: str
    title: str = ""
    since: datetime | None = None
    stale_after: int = 0


@dataclass(frozen=True)
class Banner:
    """A state that every page shows until it is over."""

    level: str
    icon: str
    title: str
    text: str
    path: str = ""
    action: str = ""
    progress: float | None = None


@dataclass(frozen=True)
class Frame:
    """What surrounds every page."""

    mode: Mode
    venue: VenueView | None
    is_past: bool
    account_id: UUID | None
    halt: HaltView | None
    open_orders: int | None
    open_positions: int
    strip: tuple[StripItem, ...]
    banners: tuple[Banner, ...]
    symbols: tuple[str, ...]
    timeframe: str
    """Of the venue's bars; market times of days are written as dates."""

    @property
    def has_transport(self) -> bool:
        """Whether this is the present replay."""
        return self.venue is not None and self.venue.kind == "REPLAY" and not self.is_past

    @property
    def is_movable(self) -> bool:
        """Whether the replay can be paused, resumed and sped up now."""
        return self.has_transport and self.venue is not None and self.venue.status in ("RUNNING", "PAUSED")

    @property
    def is_jumping(self) -> bool:
        """Whether bars are played without pauses until a date."""
        return self.is_movable and self.venue is not None and self.venue.jump_to is not None and self.venue.jump_to > self.venue.now_at

    @property
    def is_moving(self) -> bool:
        """Whether bars come by themselves, so that the next thing to do is to pause them."""
        return self.is_jumping or (self.venue is not None and self.venue.status == "RUNNING")

    @property
    def last_date(self) -> str:
        return f"{self.venue.ends_at:%Y-%m-%d}" if self.venue and self.venue.ends_at else ""

    @property
    def speeds(self) -> tuple[tuple[Decimal, str], ...]:
        """The choices of the transport, with the present speed among them."""
        choices = {
            Decimal("0.5"): "½ bar/s",
            Decimal(1): "1 bar/s",
            Decimal(2): "2 bars/s",
            Decimal(5): "5 bars/s",
            Decimal(20): "20 bars/s",
        }
        if self.venue is not None:
            choices.setdefault(self.venue.bars_per_second, f"{self.venue.bars_per_second.normalize():f} bars/s")
        return tuple(sorted(choices.items()))


@dataclass(frozen=True)
class PositionRow:
    position: PositionView
    direction: str
    chart_path: str
    close_path: str


@dataclass(frozen=True)
class Exit:
    """An order that takes a position back, all of it or half."""

    share: str
    quantity: Decimal
    left: Decimal
    """What stays after it has filled, unsigned."""
    value: Decimal | None
    """At the last price, unsigned."""


@dataclass(frozen=True)
class ClosePlan:
    """How a position can be taken back now."""

    position: PositionView
    direction: str
    side: Side
    leaving: Decimal
    """Quantity that open orders already take back."""
    exits: tuple[Exit, ...]
    sessions: tuple[SessionView, ...]
    """Those that run on the instrument and may trade it again."""
    chart_path: str


@dataclass(frozen=True)
class SessionCard:
    session: SessionView
    latest: DecisionView | None
    position: Decimal
    unrealised: Decimal | None
    """Of the account's position in the instrument, where this session is the only one that trades it."""
    chart_path: str


@dataclass(frozen=True)
class ForecastRow:
    symbol: str
    forecast: ForecastView
    chart_path: str


@dataclass(frozen=True)
class Overview:
    """The account at a glance. Without an account everything else is empty."""

    account: AccountSummary | None
    opened_at: datetime | None
    performance: Performance | None
    exposure: Decimal | None
    """Gross holdings as a fraction of the equity."""
    equity_line: Line | None
    equity_first: Decimal | None
    equity_last: Decimal | None
    positions: tuple[PositionRow, ...]
    sessions: tuple[SessionCard, ...]
    decisions: tuple[DecisionView, ...]
    factor: RiskFactor | None
    forecasts: tuple[ForecastRow, ...]
    training: TrainingState | None
    margin: MarginState | None = None

    @property
    def factor_percent(self) -> float:
        return float(min(self.factor.value, Decimal(1)) * 100) if self.factor else 100.0


@dataclass(frozen=True)
class BarRow:
    """A bar in decimals."""

    closed_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True)
class ForecastOnChart:
    """A forecast with its picture."""

    forecast: ForecastView
    picture: Interval


@dataclass(frozen=True)
class SymbolLink:
    symbol: str
    path: str


@dataclass(frozen=True)
class Chart:
    """One instrument."""

    symbol: str
    instrument_id: UUID | None = None
    detail: InstrumentDetail | None = None
    timeframe: str = ""
    price_places: int = 2
    account_id: UUID | None = None
    data_path: str = ""
    symbols: tuple[SymbolLink, ...] = ()
    bars: tuple[BarRow, ...] = ()
    line: Line | None = None
    position: PositionView | None = None
    forecasts: tuple[ForecastOnChart, ...] = ()
    open_orders: tuple[OrderView, ...] = ()
    fills: tuple[FillView, ...] = ()

    @property
    def close_path(self) -> str:
        return f"/positions/{self.instrument_id}/close/"

    @property
    def last_bar(self) -> BarRow | None:
        return self.bars[-1] if self.bars else None

    @property
    def table(self) -> tuple[BarRow, ...]:
        """The newest bars, newest first."""
        return tuple(reversed(self.bars[-20:]))

    @property
    def direction(self) -> str:
        return "FLAT" if self.position is None else direction_of(self.position.quantity)


@dataclass(frozen=True)
class Check:
    """One risk check with the share of its limit that is used, where both are numbers."""

    code: str
    passed: bool
    value: str
    limit: str
    message: str
    used: Used | None


@dataclass(frozen=True)
class FeatureValue:
    name: str
    title: str
    description: str
    value: Any


@dataclass(frozen=True)
class Step:
    """One link of the why chain."""

    anchor: str
    title: str
    template: str
    level: str
    """ok, bad, or none where the chain did not come this far"""
    tag: str = ""
    tag_class: str = ""
    note: str = ""


@dataclass(frozen=True)
class CallShown:
    """An order call of an event strategy in words; `is_refused` where nothing came of it."""

    what: str
    answer: str
    order_id: UUID | None
    is_refused: bool


@dataclass(frozen=True)
class Why:
    """A decision or an order from the fill back to the bars."""

    title: str
    subtitle: str
    sentence: str
    list_path: str
    list_label: str
    chart_path: str
    venue_id: UUID
    older_path: str
    newer_path: str
    steps: tuple[Step, ...]
    decision: DecisionView | None
    order: OrderView | None
    history: tuple[OrderStep, ...]
    fills: tuple[FillView, ...]
    entries: tuple[UUID, ...]
    checks: tuple[Check, ...]
    verdict_id: UUID | None
    is_approved: bool | None
    forecast: ForecastOnChart | None
    features: tuple[FeatureValue, ...]
    bars: tuple[Mapping[str, str], ...]
    no_fill_reason: str
    no_order_reason: str
    no_checks_reason: str
    belongings: OrderDetail | None = None
    """The order with its parent, its children, its group and what was asked of it."""
    ordered: tuple[OrderView, ...] = ()
    """Every order of the decision, where there are several."""
    calls: tuple[CallShown, ...] = ()
    """What an event strategy asked for on the bar, and the answers."""


@dataclass(frozen=True)
class RunRow:
    """One replay run."""

    venue: VenueView
    is_present: bool
    equity: Decimal | None
    total_return: Decimal | None


@dataclass(frozen=True)
class Page:
    """Where a list stands: the cursor of the next page, and whether this is not the first."""

    next_cursor: str
    is_paged: bool


def direction_of(quantity: Decimal) -> str:
    """LONG, SHORT or FLAT."""
    return "LONG" if quantity > 0 else "SHORT" if quantity < 0 else "FLAT"
