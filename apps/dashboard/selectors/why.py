"""The chain from the fill back to the bars, for a decision or an order. Every number is the stored one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core.errors import NotFound
from apps.dashboard.domain import pictures
from apps.dashboard.domain.formatting import plain, to_decimal, when, words
from apps.dashboard.selectors.chart import on_chart
from apps.dashboard.selectors.frame import bar_timeframe
from apps.dashboard.selectors.overview import chart_path
from apps.dashboard.selectors.shapes import Check, FeatureValue, ForecastOnChart, Step, Why
from apps.dashboard.selectors.why_calls import calls_shown
from apps.forecasts import selectors as forecasts
from apps.markets import selectors as markets
from apps.orders import selectors as orders
from apps.orders.contracts import FillView, OrderDetail, OrderStatus, OrderView
from apps.portfolio import selectors as portfolio
from apps.risk import selectors as risk
from apps.risk.contracts import VerdictView
from apps.strategies import selectors as strategies
from apps.strategies.contracts import Outcome
from apps.strategies.selectors import DecisionView

_TEMPLATES = "dashboard/why/"


def why_decision(decision_id: UUID) -> Why:
    """The chain of one evaluation; raises NotFound."""
    decision = strategies.decision(decision_id)
    detail = orders.order_detail(decision.order_id) if decision.order_id else None
    title = f"{decision.symbol}, bar of {when(decision.bar_at, decision.timeframe)}"
    subtitle = f"{decision.strategy} decided: {words(decision.outcome)}"
    return _why(title, subtitle, decision.sentence, decision, detail, list_path="/decisions/", list_label="Decisions")


def why_order(order_id: UUID) -> Why:
    """The chain of one order; raises NotFound."""
    detail = orders.order_detail(order_id)
    order = detail.order
    decision = strategies.decision_for_order(order_id) or _decision_of(order)
    title = f"{words(order.side)} {plain(order.quantity)} {order.symbol}"
    subtitle = f"{words(order.order_type)} order, {words(order.status).lower()}, decided at {when(order.market_at, bar_timeframe(order.instrument_id))}"
    sentence = decision.sentence if decision else order.reason or "A person sent this order."
    return _why(title, subtitle, sentence, decision, detail, list_path="/orders/", list_label="Orders")


def _decision_of(order: OrderView) -> DecisionView | None:
    """An order may name a decision that has since wanted another one (a stop that follows an entry)."""
    try:
        return strategies.decision(order.decision_id) if order.decision_id else None
    except NotFound:
        return None


def _why(
    title: str, subtitle: str, sentence: str, decision: DecisionView | None, detail: OrderDetail | None, *, list_path: str, list_label: str
) -> Why:
    order = detail.order if detail else None
    verdict = _verdict(decision, order)
    checks = _checks(decision, verdict)
    forecast = on_chart(forecasts.forecast_by_id(decision.forecast_id)) if decision and decision.forecast_id else None
    fills = detail.fills if detail else ()
    instrument = markets.instrument_spec(decision.instrument_id if decision else order.instrument_id if order else UUID(int=0))
    return Why(
        title=title,
        subtitle=subtitle,
        sentence=sentence,
        list_path=list_path,
        list_label=list_label,
        chart_path=chart_path(instrument.symbol),
        venue_id=instrument.venue_id,
        older_path=_older_path(decision) if list_path == "/decisions/" else "",
        newer_path=_newer_path(decision) if list_path == "/decisions/" else "",
        steps=_steps(decision, order, fills, checks, forecast),
        decision=decision,
        order=order,
        history=detail.history if detail else (),
        fills=fills,
        entries=tuple(entry.id for fill in fills if (entry := portfolio.entry_for_fill(fill.id)) is not None),
        checks=checks,
        verdict_id=verdict.verdict.id if verdict else None,
        is_approved=verdict.verdict.approved if verdict else None,
        forecast=forecast,
        features=_features(decision.features) if decision else (),
        bars=_bars(decision.bars, decision.timeframe) if decision else (),
        no_fill_reason=_no_fill(order),
        no_order_reason=_no_order(decision),
        no_checks_reason=_no_checks(decision),
        belongings=detail,
        ordered=_ordered(decision),
        calls=calls_shown(decision, instrument),
    )


def _ordered(decision: DecisionView | None) -> tuple[OrderView, ...]:
    """Every order of a decision that led to several, the oldest first."""
    if decision is None or len(decision.order_ids) < 2:
        return ()
    return tuple(reversed(orders.orders(decision_id=decision.id)))


def _verdict(decision: DecisionView | None, order: OrderView | None) -> VerdictView | None:
    verdict_id = (decision.verdict_id if decision else None) or (order.verdict_id if order else None)
    try:
        return risk.verdict(verdict_id) if verdict_id else None
    except NotFound:
        return None


def _checks(decision: DecisionView | None, verdict: VerdictView | None) -> tuple[Check, ...]:
    """The decision's own copy where there is one, else the stored verdict's."""
    rows: Iterable[Mapping[str, Any]] = (decision.checks if decision else ()) or (
        [check.as_dict() for check in verdict.verdict.checks] if verdict else []
    )
    return tuple(
        Check(
            code=str(row["code"]),
            passed=bool(row["passed"]),
            value=str(row["value"]),
            limit=str(row["limit"]),
            message=str(row["message"]),
            used=pictures.used(_leading_number(str(row["value"])), _leading_number(str(row["limit"])))
            if str(row["code"]).startswith("MAX_")
            else None,
        )
        for row in rows
    )


def _leading_number(text: str) -> Decimal | None:
    return to_decimal(text.split(" ", maxsplit=1)[0].replace(",", "").rstrip("%")) if text else None


def _older_path(decision: DecisionView | None) -> str:
    """The same session's decision on the bar before."""
    older = strategies.decisions(session_id=decision.session_id, before=decision.id, limit=1) if decision else []
    return f"/decisions/{older[0].id}/" if older else ""


def _newer_path(decision: DecisionView | None) -> str:
    """The same session's decision on the bar after."""
    newer = strategies.decision_after(decision.id) if decision else None
    return f"/decisions/{newer}/" if newer else ""


def _features(values: Mapping[str, float]) -> tuple[FeatureValue, ...]:
    known = forecasts.feature_descriptions()
    return tuple(
        FeatureValue(name, words(name), f"{known[name].description} ({known[name].unit})" if name in known else "", value)
        for name, value in values.items()
    )


def _bars(stored: Mapping[str, Any], timeframe: str) -> tuple[Mapping[str, str], ...]:
    """The columns kept with the decision, as rows."""
    columns = ("closed_at", "open", "high", "low", "close", "volume")
    rows = zip(*(stored.get(name, []) for name in columns), strict=False)
    return tuple(
        dict(zip(columns, map(str, row), strict=True)) | {"closed_on": when(datetime.fromisoformat(str(row[0])), timeframe)} for row in rows
    )


def _no_fill(order: OrderView | None) -> str:
    if order is None:
        return "Nothing was ordered, so nothing could fill."
    if order.status is OrderStatus.REJECTED:
        return f"The venue rejected the order: {order.status_reason or 'it gave no reason'}."
    if not order.status.is_open:
        return f"The order ended without a fill ({words(order.status).lower()}). {order.status_reason}".strip()
    return "Nothing has filled yet: an order decided on one bar fills on the next one at the earliest."


def _no_order(decision: DecisionView | None) -> str:
    return f"No order was made: the decision was \u201c{words(decision.outcome)}\u201d." if decision else ""


def _no_checks(decision: DecisionView | None) -> str:
    """The gate is asked when an order is wanted, and only then."""
    return "nothing was to be ordered." if decision else "its answer is not kept with this order."


def _steps(
    decision: DecisionView | None,
    order: OrderView | None,
    fills: tuple[FillView, ...],
    checks: tuple[Check, ...],
    forecast: ForecastOnChart | None,
) -> tuple[Step, ...]:
    failed = [check for check in checks if not check.passed]
    made = [
        Step("fills", "Fills", "fills.html", "ok" if fills else "none", note=f"{len(fills)} at the venue" if fills else ""),
        Step("order", "Order", "order.html", _order_level(order), *_order_tag(order)),
        Step("checks", "Risk checks", "checks.html", "bad" if failed else "ok" if checks else "none", *_checks_tag(checks, failed)),
        Step("size", "Size", "size.html", "ok" if decision and decision.sizing else "none"),
        Step("signal", "Signal", "signal.html", "ok" if decision and decision.signal else "none", *_outcome_tag(decision)),
        Step("forecast", "Forecast", "forecast.html", "ok" if forecast else "none", note=forecast.forecast.model_label if forecast else ""),
        Step("features", "Features", "features.html", "ok" if decision and decision.features else "none"),
        Step(
            "bars",
            "Bars",
            "bars.html",
            "ok" if decision and decision.bars else "none",
            note=f"close {plain(decision.close)}" if decision else "",
        ),
    ]
    return tuple(
        Step(item.anchor, item.title, _TEMPLATES + item.template, item.level, item.tag, item.tag_class, item.note) for item in made
    )


def _order_level(order: OrderView | None) -> str:
    if order is None:
        return "none"
    return "bad" if order.status in (OrderStatus.REJECTED, OrderStatus.UNKNOWN) else "ok"


def _order_tag(order: OrderView | None) -> tuple[str, str]:
    return (words(order.status), "tag-ok" if order.status is OrderStatus.FILLED else "") if order else ("none", "")


def _checks_tag(checks: tuple[Check, ...], failed: list[Check]) -> tuple[str, str]:
    if not checks:
        return "not asked", ""
    if failed:
        return f"refused by {words(failed[0].code).lower()}", "tag-bad"
    return f"{len(checks)} passed", "tag-ok"


def _outcome_tag(decision: DecisionView | None) -> tuple[str, str]:
    if decision is None:
        return "by hand", ""
    return words(decision.outcome), "tag-accent" if decision.outcome is Outcome.TRADE else ""
