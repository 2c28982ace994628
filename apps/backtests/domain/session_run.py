"""A backtest through the decision cycle of sessions: what paper would do with this strategy, its sizes, its limits and its models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from apps.backtests.domain.config import FillTiming, RunConfig, RunMode, SizingMethod
from apps.backtests.domain.costing import engine_profile
from apps.backtests.domain.records import RunRecords
from apps.backtests.domain.runners import IsCancelled, ReportProgress, RunCancelled, runner
from apps.backtests.domain.session_cycle import run_sessions
from apps.backtests.domain.session_plan import AccountPlan, SessionPlan
from apps.backtests.domain.session_result import SessionRun
from apps.core.errors import InvalidInput
from apps.core.ids import deterministic_uuid
from apps.core.ports import port
from apps.core.rounding import Rounding, round_to_step
from apps.core.values import to_units
from apps.core.vocabulary import TradingMode
from apps.forecasts.ports import Rehearsal
from apps.markets.contracts import BarWindow
from apps.markets.domain.bars import from_micros, to_micros
from apps.orders.domain.venue_profiles import LARGEST_LATENCY_MS, VenueTerms
from apps.portfolio.domain.engine_books import book_run, book_tables
from apps.risk.domain.facts import Limits
from apps.risk.domain.limits import default_limits
from apps.risk.domain.rules import Seeds
from apps.risk.domain.values import LimitCode
from apps.strategies.domain.catalog import build_for_session, session_class

RISK_PER_TRADE = Decimal("0.02")
SESSION_SHARE = Decimal("0.9")
"""Part of what the capital carries with its leverage that the sessions share; the rest is room for costs and for what is lost."""
_CENT = Decimal("0.01")
_A_MOMENT = timedelta(microseconds=1)


@runner(RunMode.SESSION)
class SessionRunner:
    """One session per instrument, all on one account. Orders fill at the next open, models are trained on the way as paper trains them."""

    def parameters(self, strategy: str) -> type[Any]:
        """The parameter class of any strategy that a session may run; raises NotFound."""
        parameters_class: type[Any] = session_class(strategy).Parameters
        return parameters_class

    def check(self, config: RunConfig) -> None:
        """Raise NotFound for an unknown strategy, InvalidInput for what a session cannot do."""
        build_for_session(config.strategy, dict(config.parameters))
        if config.signal_timeframe is not None:
            raise InvalidInput(
                "Sessions decide on every bar of their timeframe.",
                where="signal_timeframe",
                hint="Leave it out, or use mode vector or event.",
            )
        if config.timing is not FillTiming.NEXT_OPEN:
            raise InvalidInput(
                "A session decides once its bar has closed, so in paper none of its orders can trade at that close any more.",
                where="timing",
                hint="Use next-open, let an event strategy order with on_close for the close of the next bar, or use mode vector or event.",
            )
        _check_paper_terms(config)
        if config.sizing.method not in (SizingMethod.ALL, SizingMethod.FRACTION, SizingMethod.RISK):
            raise InvalidInput(
                "Sessions size by the risk of a position.", where="sizing", hint="Give a fraction of the capital, or a risk per trade."
            )

    def run(
        self, config: RunConfig, bars: Sequence[BarWindow], *, progress: ReportProgress, is_cancelled: IsCancelled, seed: int
    ) -> RunRecords:
        """Run the sessions. Nothing in a session is random, so the seed changes nothing. Raises InvalidInput where a strategy raises."""
        self.check(config)
        account = _account(config, bars)
        made = run_sessions(
            account,
            _plans(config, bars),
            bars,
            forecasts=port(Rehearsal).over(bars, starts_at=account.opened_at),
            closes_at_end=config.closes_at_end,
            after_close=_watch(progress, is_cancelled),
        )
        if made.failed:
            raise InvalidInput(next(iter(made.failed.values())), where=config.strategy)
        return session_records(made)


def _check_paper_terms(config: RunConfig) -> None:
    """Raise InvalidInput where no paper account could be set to the run's leverage and latency."""
    profile = engine_profile(config)
    if profile.latency_us > LARGEST_LATENCY_MS * 1000:
        raise InvalidInput(
            f"A paper account's latency is at most {LARGEST_LATENCY_MS:,} ms.",
            where="latency_bars" if config.latency_bars else "latency_ms",
            hint="Use fewer bars, or mode vector or event.",
        )
    VenueTerms(leverage=profile.leverage, maintenance_percent=profile.maintenance * 100, latency_ms=profile.latency_us // 1000).check()


def session_records(made: SessionRun) -> RunRecords:
    """A run of sessions as the records that every runner leaves."""
    engine, currency = made.engine, made.account.currency
    spec = engine.instruments[0]
    fills = engine.fill_rows()
    trades, entries = book_run(fills, engine.places, len(engine.currencies), *book_tables(len(fills)))
    points = made.equity[1:]
    refused = [str(item.verdict.first_failure.code) for item in made.decisions if item.verdict and item.verdict.first_failure]
    refused += [reason.name for reason in made.ended.values() if reason.is_refusal]
    return RunRecords(
        places=engine.instruments,
        orders=engine.order_rows(),
        fills=fills,
        trades=trades,
        entries=entries,
        equity_at=np.array([to_micros(point.at) for point in points], np.int64),
        equity=np.array([to_units(point.valuation.equity, spec.cash_unit) for point in points], np.int64),
        exposure=np.array([to_units(point.valuation.gross_exposure, spec.cash_unit) for point in points], np.int64),
        cash_scale=spec.cash_scale,
        currency=currency,
        opening_cash=to_units(made.account.capital, spec.cash_unit),
        refusals={name: refused.count(name) for name in dict.fromkeys(refused)},
        decisions=made.outcomes,
    )


def _watch(progress: ReportProgress, is_cancelled: IsCancelled) -> Callable[[int, int], None]:
    def after_close(done: int, total: int) -> None:
        progress(done, total)
        if is_cancelled():
            raise RunCancelled("The run was cancelled.")

    return after_close


def _account(config: RunConfig, bars: Sequence[BarWindow]) -> AccountPlan:
    opened_at = min(_last_warm_up(config, window) for window in bars)
    return AccountPlan(
        id=deterministic_uuid("backtest", config.fingerprint()),
        currency=config.currency,
        capital=config.capital,
        opened_at=opened_at,
        profile=engine_profile(config),
    )


def _last_warm_up(config: RunConfig, window: BarWindow) -> datetime:
    """The close of the last bar that opened before trading begins; a moment before the first bar where there is none."""
    first = 0 if config.trade_from is None else int(np.searchsorted(window.opened_at, to_micros(config.trade_from)))
    return from_micros(int(window.closed_at[first - 1])) if first else from_micros(int(window.opened_at[0])) - _A_MOMENT


def _plans(config: RunConfig, bars: Sequence[BarWindow]) -> list[SessionPlan]:
    share = config.sizing.amount if config.sizing.method is SizingMethod.FRACTION and config.sizing.amount else SESSION_SHARE
    risk = config.sizing.amount if config.sizing.method is SizingMethod.RISK and config.sizing.amount else RISK_PER_TRADE
    strategy, limits = build_for_session(config.strategy, dict(config.parameters)), _limits(config)
    return [
        SessionPlan(
            id=deterministic_uuid("backtest", config.fingerprint(), window.instrument.id),
            strategy=strategy,
            instrument_id=window.instrument.id,
            capital=round_to_step(config.capital * config.leverage * share / len(bars), _CENT, Rounding.DOWN),
            risk_per_trade=risk,
            limits=limits,
            max_positions=0,
            starts_after=_last_warm_up(config, window),
        )
        for window in bars
    ]


def _limits(config: RunConfig) -> Limits:
    """A paper account's limits as they are seeded, but for what leverage is asked for and the sizes of one order and one position: the account
    is the run's alone."""
    seeds = Seeds(capital=config.capital, live_max_drawdown=Decimal(1), live_max_trades_per_day=1, live_min_confidence=Decimal(1))
    most = config.capital * config.leverage
    own = {LimitCode.MAX_ORDER_NOTIONAL: most, LimitCode.MAX_POSITION_NOTIONAL: most, LimitCode.MAX_GROSS_EXPOSURE: config.leverage}
    return default_limits(TradingMode.PAPER, seeds) | {str(name): value for name, value in own.items()}
