"""Inside the installation of the proof of forms: opens its world, and compares what paper's rows hold with the plain runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from apps.backtests.services.repeating import repeat_paper
from apps.core.vocabulary import Timeframe
from apps.markets import selectors as markets
from apps.markets import services as market_services
from apps.markets.domain.bars import from_micros
from apps.orders.models import Fill, Order
from apps.orders.services import change_venue_terms
from apps.portfolio import selectors as portfolio
from apps.portfolio.services import close_account, open_account
from apps.risk.models import RiskLimit
from apps.risk.services import seed_default_limits
from apps.strategies import services as strategies
from apps.strategies.models import TradingSession
from tests.minute_series import FIRST_OPEN, MINUTE
from tests.minutes import CAPITAL, TENTH, paper_fills, run_fills
from tests.plain_forms import event_run, vector_run

KINDS = ("ema_cross", "vector:ema_cross")


@transaction.atomic
def open_forms_world(path: str, *, played_from: int, parameters: dict[str, Any]) -> None:
    """A replay of the file's minutes with an account and a running session for each form, and limits that refuse nothing."""
    _end_present_world()
    venue = market_services.open_replay_venue(
        starts_at=from_micros(FIRST_OPEN + played_from * MINUTE),
        reason="forms",
        actor="prove",
        source="files",
        source_options={"path": path, "symbol": "BTC/USD", "timeframe": "1m"},
        timeframe=Timeframe.M1,
    )
    seed_default_limits()
    RiskLimit.objects.update(is_enabled=False)
    instrument = markets.instruments(venue.id)[0]
    for kind in KINDS:
        account_id = open_account(
            name=kind,
            venue_id=venue.id,
            initial_capital=CAPITAL,
            opened_at=venue.now_at,
            cash_scale=instrument.cash_scale,
            make_default=True,
        )
        change_venue_terms(account_id=account_id, terms=TENTH, actor="prove")
        session_id = strategies.create_session(
            strategy_id=strategies.ensure_strategy(name=kind, kind=kind, parameters=parameters),
            account_id=account_id,
            instrument_id=instrument.id,
            capital=CAPITAL,
            max_positions=0,
            timeframe=Timeframe.M1,
            actor="prove",
        )
        strategies.start_session(session_id=session_id, actor="prove")
    market_services.start_clock(venue.id)


def _end_present_world() -> None:
    """What the installation started with trades no more."""
    present = markets.active_venue()
    if present is None:
        return
    for row in TradingSession.objects.filter(account__venue_id=present.id):
        strategies.finish_session(session_id=row.id, reason="Another replay is opened.")
    for account in portfolio.open_accounts(present.id):
        close_account(account.id, closed_at=present.now_at)


def compare_forms(parameters: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By kind: paper's fills and orders, orders in parts, and how many fills are not those of the plain runs or of the twin."""
    return {
        row.strategy.kind: _compared(row.account_id, row, parameters)
        for row in TradingSession.objects.select_related("strategy").filter(strategy__kind__in=KINDS)
    }


def _compared(account_id: UUID, row: TradingSession, parameters: dict[str, Any]) -> dict[str, Any]:
    spec = markets.instrument_spec(row.instrument_id)
    window = markets.bars_between(spec, Timeframe.M1, since=row.starts_after, until=row.last_bar_at)
    paper = paper_fills(account_id, spec)
    capital = portfolio.account(account_id).initial_capital
    differences = 0
    for run in (event_run, vector_run):
        plain = run_fills(run("ema_cross", parameters, account_id, window, cash=capital).fills, spec)
        differences += sum(one != other for one, other in zip(paper, plain, strict=False)) + abs(len(paper) - len(plain))
    repeated = repeat_paper(account_id).differences
    in_parts = Fill.objects.filter(account_id=account_id).values("order").annotate(parts=Count("id")).filter(parts__gt=1).count()
    return {
        "paper": len(paper),
        "orders": Order.objects.filter(account_id=account_id).count(),
        "in_parts": in_parts,
        "differences": differences,
        "twin": len(repeated),
        "shown": [f"{item.kind} {item.what} at {item.at}: {item.paper} / {item.backtest}"[:300] for item in repeated[:5]],
    }
