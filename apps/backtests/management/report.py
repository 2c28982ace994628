"""A finished run in words, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.backtests.contracts import RunConfig, RunState, RunView, ScoreMode
from apps.backtests.domain.by_place import PlaceResult
from apps.portfolio.domain.metrics import FIGURES, FigureUnit

_SHOWN = (
    "total_return", "annual_return", "benchmark_return", "sharpe", "sortino", "max_drawdown", "volatility", "trades", "win_rate",
    "profit_factor", "time_in_market", "fees",
)  # fmt: skip
_SHOWN_OF_TICKS = tuple("max_drawdown_within_days" if key == "max_drawdown" else key for key in _SHOWN)


def data_of(config: RunConfig) -> str:
    """What the run goes over, in one word."""
    return "ticks" if config.tick_file is not None else "bars"


def tick_lines(sheet: Mapping[str, Any]) -> Iterator[str]:
    """What was in a file of ticks, from a stored tear sheet."""
    ticks = sheet["ticks"]
    counts = f"{ticks['quotes']:,} quotes, {ticks['trades']:,} trades of others, {ticks['snapshots']:,} depth snapshots"
    yield f"{ticks['file']}: {counts}; times in {ticks['times']}. Walked and drawn on candles of {ticks['seconds']:,} s."


def lines_of(run: RunView, seconds: float) -> Iterator[str]:
    """What somebody who waited for the run wants to know first."""
    summary = run.summary
    data = data_of(run.config)
    size = f"{run.bars:,} {data}" if run.config.tick_file else f"{summary.timeframe}, {run.bars:,} {data}"
    yield f"{summary.strategy} on {summary.symbols}, {size}, {summary.mode} mode, profile {summary.profile}"
    if summary.state is not RunState.DONE:
        yield f"{summary.state.lower()}: {run.error or summary.progress.message}"
        return
    is_walked = run.metrics["score"] == ScoreMode.WALK_FORWARD
    figures, plain = run.metrics["figures"], run.metrics["plain"]
    yield f"{'':30}{'out of sample' if is_walked else f'all {data}':>16}{f'all {data}' if is_walked else '':>16}"
    for key in _SHOWN if run.config.tick_file is None else _SHOWN_OF_TICKS:
        own, whole = _text(key, figures.get(key)), _text(key, plain.get(key)) if is_walked else ""
        yield f"{FIGURES[key].title[:29]:30}{own:>16}{whole:>16}"
    yield f"{'Final equity':30}{run.metrics['final_equity']:>32}" if is_walked else f"{'Final equity':30}{run.metrics['final_equity']:>16}"
    yield from _walked(run.metrics.get("walk_forward"))
    yield from _judged(run)
    yield f"{run.record_rows['orders']:,} orders, {run.record_rows['fills']:,} fills. Fills {run.fills_hash[:16]}, {data} {run.data_hash[:16]}."
    yield f"Run {summary.id}, {seconds:.2f} s."


def place_lines(places: Sequence[PlaceResult], alone: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What each of several instruments brought and, where it was asked for, what the strategy does on it alone."""
    names = ("trades", "won", "earned", "return", "held", "costs")
    yield f"{'By instrument':26}" + "".join(f"{name:>14}" for name in names)
    for row in places:
        own = (
            f"{row.trades:,}",
            _share(row.win_rate),
            f"{row.earned:,.2f}",
            f"{row.total_return:.2%}",
            _share(row.exposure),
            f"{row.costs:,.2f}",
        )
        yield f"{row.symbol[:25]:26}" + "".join(f"{text:>14}" for text in own)
    if alone:
        names = ("trades", "won", "gained", "return", "held", "sharpe")
        yield f"{'Each alone':26}" + "".join(f"{name:>14}" for name in names)
    for found in alone:
        if found["error"]:
            yield f"{found['symbol'][:25]:26}{found['error']}"
            continue
        keys = ("trades", "win_rate", "total_return", "time_in_market", "sharpe")
        trades, won, gained, held, sharpe = (_text(key, found[key]) for key in keys)
        yield f"{found['symbol'][:25]:26}" + "".join(
            f"{text:>14}" for text in (trades, won, f"{found['profit']:,.2f}", gained, held, sharpe)
        )


def json_of(run: RunView, seconds: float) -> dict[str, Any]:
    """The same for programs."""
    judged = run.judgement
    return {
        "run_id": str(run.summary.id),
        "state": str(run.summary.state),
        "error": run.error,
        "error_where": run.error_where,
        "config": run.config.to_json(),
        "bars": run.bars,
        "metrics": run.metrics,
        "judgement": None if judged is None else vars(judged),
        "records": run.record_rows,
        "fills_hash": run.fills_hash,
        "data_hash": run.data_hash,
        "code_version": run.code_version,
        "seconds": round(seconds, 3),
    }


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _walked(report: dict[str, Any] | None) -> Iterator[str]:
    if report is None:
        return
    windows = report["windows"]
    text = f"Walk forward: {len(windows)} windows, {report['profitable_share']:.0%} of them gained"
    if report["candidates"] > 1:
        efficiency = report["efficiency"]
        found = "not known" if efficiency is None else f"{efficiency:.0%}"
        text += f", chosen among {report['candidates']}, efficiency {found}"
    yield f"{text}."


def _judged(run: RunView) -> Iterator[str]:
    """What stands beside the Sharpe ratio."""
    judged = run.judgement
    if judged is None:
        return
    deflated = "not known" if judged.deflated is None else f"{judged.deflated:.0%}"
    record = "never" if judged.track_record is None else f"{judged.track_record:,.0f}"
    yield (
        f"Deflated Sharpe ratio {deflated} after {judged.trials} different tries; {judged.observations:,} daily returns,"
        f" needed for 95 %: {record}."
    )


def robustness_lines(sheet: Mapping[str, Any]) -> Iterator[str]:
    """The stress table and the spread of re-runs, from a stored tear sheet."""
    if sheet["stress_note"]:
        yield sheet["stress_note"]
    if sheet["stress"]:
        yield f"{'Stress':40}{'equity in it':>16}{'drawdown in it':>16}{'whole run':>12}"
    for row in sheet["stress"]:
        if row["error"]:
            yield f"{row['title'][:39]:40}{row['error']}"
        else:
            shown = [_text("total_return", row[name]) for name in ("stretch_return", "stretch_drawdown", "total_return")]
            yield f"{row['title'][:39]:40}{shown[0]:>16}{shown[1]:>16}{shown[2]:>12}"
    for report in sheet["reruns"]:
        yield from _reran(report)


def _reran(report: Mapping[str, Any]) -> Iterator[str]:
    if report["error"]:
        yield f"Re-runs with random {report['kind']}: {report['error']}"
        return
    failed = f", {report['failed']} could not be run: {report['first_refusal']}" if report["failed"] else ""
    yield f"{report['made']} re-runs with random {report['kind']}, seed {report['seed']}{failed}"
    yield f"{'':26}{'5 %':>12}{'50 %':>12}{'95 %':>12}{'this run':>12}"
    for key, found in report["figures"].items():
        if found["percentiles"]:
            low, _, middle, _, high = (_text(key, value) for value in found["percentiles"])
            yield f"{FIGURES[key].title[:25]:26}{low:>12}{middle:>12}{high:>12}{_text(key, found['actual']):>12}"


def _text(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    unit = FIGURES[key].unit
    if unit is FigureUnit.PERCENT:
        return f"{value:.2%}"
    return f"{value:,.0f}" if unit is FigureUnit.COUNT else f"{value:,.2f}"
