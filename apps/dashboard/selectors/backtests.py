"""Everything of the backtest pages that is put together from the run, its tear sheet and its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.backtests import selectors as backtests
from apps.backtests.contracts import RecordKind, RunConfig, RunLine, RunView
from apps.backtests.domain.robustness import Robustness
from apps.backtests.domain.stress_text import text_of_scenario
from apps.core.errors import NotFound
from apps.core.values import InstrumentSpec
from apps.dashboard.domain.formatting import price_places, words
from apps.dashboard.domain.pictures import Line
from apps.dashboard.selectors.backtest_pictures import (
    HistogramBar,
    MonthRow,
    counted_from,
    curve,
    histogram_bars,
    months_of,
    windows_of,
)
from apps.dashboard.selectors.rerun_pictures import RerunPicture, rerun_picture
from apps.markets import selectors as markets
from apps.portfolio.domain.engine_records import exit_reason_named
from apps.portfolio.domain.metrics import FIGURES, Figure

CANDLES = 1_000
ROWS_SHOWN = 12
HEADLINES = ("total_return", "annual_return", "sharpe", "max_drawdown", "trades", "win_rate", "profit_factor", "benchmark_return")
TICK_HEADLINES = ("total_return", "max_drawdown_within_days", "sharpe", "profit_factor", "trades", "win_rate", "expectancy", "fees")
"""A file of ticks seldom has enough days for figures of a year; what happens within a day is what there is to see."""
COMPARED = (
    "total_return", "annual_return", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "longest_drawdown_days", "trades", "win_rate",
    "profit_factor", "expectancy", "time_in_market", "turnover", "fees", "slippage", "benchmark_return", "benchmark_alpha",
    "benchmark_beta",
)  # fmt: skip


@dataclass(frozen=True)
class FigureRow:
    """A figure on the bars that count and on all bars; the same where the score is plain."""

    counted: Figure
    plain: Figure


@dataclass(frozen=True)
class Setting:
    """A line of the configuration."""

    name: str
    value: str


@dataclass(frozen=True)
class TearSheet:
    """The page of a run that is done."""

    run: RunView
    sheet: Mapping[str, Any]
    headline: tuple[Figure, ...]
    figures: tuple[FigureRow, ...]
    untold: int
    counted_since: datetime | None
    windows: Sequence[Mapping[str, Any]]
    months: Sequence[MonthRow]
    returns: Sequence[HistogramBar]
    results: Sequence[HistogramBar]
    equity_line: Line | None
    drawdown_line: Line | None
    places: Sequence[backtests.PlaceResult]
    held: Sequence[tuple[str, Decimal]]
    """What is still open at the end, by symbol; negative when short."""
    reruns: Sequence[RerunPicture]
    crises: Sequence[backtests.CrisisResult]
    settings: Sequence[Setting]
    fills: Sequence[Mapping[str, Any]]
    orders: Sequence[Mapping[str, Any]]
    has_candles: bool
    stamp: str
    """How moments are written: to the minute, over ticks to the microsecond."""
    day: str
    """How stretches begin: with a day, over ticks with a second."""
    beside: tuple[tuple[Figure, Figure, Figure], ...]


@dataclass(frozen=True)
class ComparedRow:
    """One figure of several runs; `best` is the number of the best one, None where neither direction is better."""

    figures: tuple[Figure, ...]
    best: int | None


def tear_sheet(run_id: UUID) -> TearSheet:
    """Everything of a run that is done; raises NotFound."""
    run, sheet = backtests.run(run_id), backtests.tear_sheet(run_id)
    figures = _figures(run.metrics)
    told = tuple(row for row in figures if row.plain.value is not None or row.counted.value is not None)
    by_key = {row.counted.definition.key: row.counted for row in figures}
    return TearSheet(
        run=run,
        sheet=sheet,
        headline=tuple(by_key[key] for key in (TICK_HEADLINES if "ticks" in sheet else HEADLINES)),
        figures=told,
        untold=len(figures) - len(told),
        counted_since=counted_from(run.metrics),
        windows=windows_of(run.metrics),
        months=months_of(sheet),
        returns=histogram_bars(sheet.get("daily_returns", {}), is_percent=True),
        results=histogram_bars(sheet.get("trades", {}).get("results", {}), is_percent=False),
        equity_line=curve(sheet.get("equity", [])),
        drawdown_line=curve([[time, -value] for time, value in sheet.get("drawdown", [])]),
        places=backtests.results_by_place(run_id),
        held=backtests.held_at_end(run_id),
        reruns=[rerun_picture(report) for report in sheet.get("reruns", [])],
        crises=backtests.results_in_crises(run_id),
        settings=settings_of(run.config),
        fills=backtests.record_page(run_id, RecordKind.FILLS, limit=ROWS_SHOWN),
        orders=backtests.record_page(run_id, RecordKind.ORDERS, limit=ROWS_SHOWN),
        has_candles=run.config.bar_file is None,
        stamp="Y-m-d H:i:s.u" if "ticks" in sheet else "Y-m-d H:i",
        day="Y-m-d H:i:s" if "ticks" in sheet else "Y-m-d",
        beside=_beside(sheet),
    )


def _beside(sheet: Mapping[str, Any]) -> tuple[tuple[Figure, Figure, Figure], ...]:
    """Ours, theirs and theirs as stated, where another program's result was put beside the run."""
    rows = sheet.get("comparison", {}).get("figures", [])
    return tuple(
        (Figure(what, row["ours"]), Figure(what, row["theirs"]), Figure(what, row["stated"]))
        for row in rows
        for what in [FIGURES[row["key"]]]
    )


def settings_of(config: RunConfig) -> list[Setting]:
    """The configuration in words, without what was left at nothing."""
    payload = config.to_json()
    found = [Setting(f"{name}", _said(value)) for name, value in payload.pop("parameters").items()]
    nested = {name: payload.pop(name) or {} for name in ("costs", "sizing", "walk_forward", "bar_file", "tick_file")}
    payload.pop("robustness")
    of_bars = ("timeframe", "timing", "latency_bars") if config.tick_file is not None else ()
    for hidden in ("version", "strategy", "instrument_ids", *of_bars):
        payload.pop(hidden)
    found += [Setting(words(name), _said(value)) for name, value in payload.items() if value not in (None, "", {})]
    for part, values in nested.items():
        found += [Setting(words(f"{part}_{name}"), _said(value)) for name, value in values.items() if value not in (None, "", {}, False)]
    return found + _tests_of(config.robustness)


def _tests_of(asked: Robustness) -> list[Setting]:
    """What is worked out beside the result."""
    found = [Setting("Known crises", str(asked.crises))]
    found += [Setting(f"Scenario {number}", text_of_scenario(item)) for number, item in enumerate(asked.scenarios, start=1)]
    reruns = asked.reruns
    if reruns.count:
        found.append(Setting("Re-runs of each kind", str(reruns.count)))
        found.append(Setting("Random starts in the first", f"{(reruns.latest_start * 100).normalize():f} % of the bars"))
        found.append(Setting("Random costs", f"{reruns.lowest_costs} to {reruns.highest_costs} times"))
    return found


def chart_curves(run_id: UUID) -> dict[str, Any]:
    """What the scripts draw of a run: equity, drawdown, what it is compared with, rolling Sharpe ratios."""
    sheet, run = backtests.tear_sheet(run_id), backtests.run(run_id)
    since = counted_from(run.metrics)
    return {
        "currency": sheet["currency"],
        "equity": _whole(sheet["equity"]),
        "drawdown": _whole([[time, -value] for time, value in sheet["drawdown"]]),
        "benchmarks": [{"label": item["label"], "points": _whole(item["points"])} for item in sheet["benchmarks"]],
        "rolling_sharpe": [{"days": item["days"], "points": _whole(item["points"])} for item in sheet["rolling_sharpe"]],
        "counted_since": int(since.timestamp()) if since else None,
    }


def candles(run_id: UUID, symbol: str, *, until: datetime | None) -> dict[str, Any]:
    """A stretch of bars up to `until` (the run's end without it) with the trades in it. Raises NotFound for an unknown run or symbol."""
    run = backtests.run(run_id)
    place, spec = _place(run_id, symbol)
    if run.config.tick_file is not None:
        return _tick_candles(run_id, spec, until)
    if run.config.bar_file is not None:
        raise NotFound("The bars of a file are not kept.", where="symbol", hint="Run it on stored bars to see trades on candles.")
    end = until or run.config.end or datetime.fromisoformat(backtests.tear_sheet(run_id)["span"]["to"])
    window = markets.bar_window(markets.instrument_spec(spec.id), run.config.timeframe, until=end, count=CANDLES)
    if not len(window):
        return {"bars": [], "trades": [], "places": price_places(spec.tick_size), "before": None}
    unit = float(spec.price_unit)
    columns = (window.closed_at // 1_000_000, *(column * unit for column in (window.open, window.high, window.low, window.close)))
    first = datetime.fromtimestamp(int(window.opened_at[0]) / 1_000_000, UTC)
    trades = backtests.trades_between(run_id, place=place, since=first, until=window.last_closed_at)
    has_more = len(window) == CANDLES
    return {
        "bars": [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)],
        "closes_only": spec.is_closes_only,
        "trades": [_drawn_trade(trade) for trade in trades],
        "places": price_places(spec.tick_size),
        "before": first.isoformat() if has_more else None,
    }


def _tick_candles(run_id: UUID, spec: InstrumentSpec, until: datetime | None) -> dict[str, Any]:
    """As `candles`, of those that were made from the ticks of a run; a trade stands at the candle in which it was opened or closed."""
    ticks = backtests.tear_sheet(run_id)["ticks"]
    seconds, rows = int(ticks["seconds"]), ticks["candles"]
    shown = [row for row in rows if until is None or row[0] <= until.timestamp()][-CANDLES:]
    found: dict[str, Any] = {"bars": shown, "trades": [], "places": price_places(spec.tick_size), "before": None, "seconds": seconds}
    if not shown:
        return found
    first, last = (datetime.fromtimestamp(at, UTC) for at in (shown[0][0] - seconds, shown[-1][0]))
    trades = [_drawn_trade(trade) for trade in backtests.trades_between(run_id, place=0, since=first, until=last)]
    drawn = [trade | {name: trade[name] // seconds * seconds + seconds for name in ("opened", "closed")} for trade in trades]
    return found | {"trades": drawn, "before": first.isoformat() if shown[0] != rows[0] else None}


def compared(lines: Sequence[RunLine]) -> list[ComparedRow]:
    """The figures of several runs side by side; those that no run has are left out."""
    metrics = [backtests.run(line.summary.id).metrics.get("figures", {}) for line in lines]
    rows = []
    for key in COMPARED:
        definition = FIGURES[key]
        figures = tuple(Figure(definition, item.get(key)) for item in metrics)
        if any(item.value is not None for item in figures):
            rows.append(ComparedRow(figures, _best(figures)))
    return rows


def differing_settings(run_ids: Sequence[UUID]) -> list[tuple[str, list[str]]]:
    """The settings that are not the same in all of these runs, each with its value in every one."""
    settings = [
        {"Strategy": run.summary.strategy, "Instruments": run.summary.symbols} | _named(run.config) for run in map(backtests.run, run_ids)
    ]
    names = dict.fromkeys(name for item in settings for name in item)
    rows = [(name, [item.get(name, "") for item in settings]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _named(config: RunConfig) -> dict[str, str]:
    return {item.name: item.value for item in settings_of(config)}


def _figures(metrics: Mapping[str, Any]) -> list[FigureRow]:
    counted, plain = metrics.get("figures", {}), metrics.get("plain", {})
    return [FigureRow(Figure(what, counted.get(key)), Figure(what, plain.get(key))) for key, what in FIGURES.items()]


def _best(figures: Sequence[Figure]) -> int | None:
    better = figures[0].definition.is_higher_better
    known = [(item.value, number) for number, item in enumerate(figures) if item.value is not None]
    if better is None or len(known) < 2 or len({value for value, _ in known}) < 2:
        return None
    return (max if better else min)(known)[1]


def _place(run_id: UUID, symbol: str) -> tuple[int, InstrumentSpec]:
    for place, spec in enumerate(backtests.places_of(run_id)):
        if spec.symbol == symbol:
            return place, spec
    raise NotFound(f"The run has no instrument {symbol[:40]!r}.", where="symbol")


def _drawn_trade(trade: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": trade["number"],
        "side": trade["side"],
        "quantity": f"{trade['quantity']:f}",
        "opened": int(trade["opened_at"].timestamp()),
        "closed": int(trade["closed_at"].timestamp()),
        "entry": words(trade["entry_reason"]),
        "exit": words(exit_reason_named(trade["exit_reason"]).word),
        "result": float(trade["result"]),
    }


def _whole(points: Sequence[Sequence[float]]) -> list[list[float]]:
    """Points with whole seconds, one for each: what the charts take."""
    return [[time, value] for time, value in {int(time): value for time, value in points}.items()]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_said(item)}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
