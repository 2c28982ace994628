"""The forms that ask for a backtest and for a sweep."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.access.contracts import Role
from apps.backtests import selectors, services
from apps.backtests.contracts import RunConfig, ScoreMode, StrategyChoice, SweepMethod
from apps.backtests.domain.config import FillTiming, Profile, SizingMethod
from apps.backtests.domain.robustness import Crises, Robustness
from apps.backtests.domain.stress_text import EXAMPLE, text_of_scenario
from apps.core.errors import NotFound
from apps.core.vocabulary import Timeframe
from apps.dashboard.web.context import page_frame
from apps.dashboard.web.guard import page, person, require
from apps.dashboard.web.run_form import RunForm
from apps.markets import selectors as markets
from apps.markets.contracts import VenueView
from apps.portfolio.domain.metrics import FIGURES
from apps.strategies import selectors as strategies

_START = {
    "capital": "100000",
    "leverage": "1",
    "seed": "0",
    "profile": Profile.DEFAULT,
    "sizing": SizingMethod.ALL,
    "score": ScoreMode.WALK_FORWARD,
    "crises": Crises.AUTO,
    "reruns": "0",
    "latest_start": "50",
    "lowest_costs": "0.5",
    "highest_costs": "2",
}
_SEARCH = {"method": SweepMethod.GRID, "objective": "sharpe", "budget": "1000", "search_seed": "0"}
_OBJECTIVES = [item for item in FIGURES.values() if item.is_higher_better is not None]


@page
def new_run(request: HttpRequest) -> HttpResponse:
    """The form of a backtest; a POST asks for it and leads to its page."""
    require(request, Role.TRADER)
    venue = _venue(request)
    form = _form(request, venue)
    if form is None or venue is None:
        return _show(request, form, venue, is_sweep=False)
    if request.method == "POST":
        run_id = _request_run(form, person(request).username)
        if run_id is not None:
            return redirect("dashboard:backtest", run_id)
    return _show(request, form, venue, is_sweep=False)


@page
def new_sweep(request: HttpRequest) -> HttpResponse:
    """The form of a sweep; a POST asks for it and leads to its page."""
    require(request, Role.TRADER)
    venue = _venue(request)
    form = _form(request, venue)
    if form is None or venue is None:
        return _show(request, form, venue, is_sweep=True)
    if request.method == "POST":
        sweep_id = _request_sweep(form, person(request).username)
        if sweep_id is not None:
            return redirect("dashboard:sweep", sweep_id)
    return _show(request, form, venue, is_sweep=True)


def _request_run(form: RunForm, actor: str) -> UUID | None:
    config = form.config()
    return None if config is None else form.tried(lambda: services.request_run(config, actor))


def _request_sweep(form: RunForm, actor: str) -> UUID | None:
    config, space, options = form.config(), form.space(), form.search_options()
    if config is None or form.errors:
        return None
    plain = msgspec.structs.replace(config, score=ScoreMode.PLAIN)
    return form.tried(lambda: services.request_sweep(plain, space, actor, **options))


def _form(request: HttpRequest, venue: VenueView | None) -> RunForm | None:
    """The form for the strategy and market that the address names; None without any strategy or market."""
    choices = selectors.strategy_choices()
    if venue is None or not choices:
        return None
    posted = request.POST if request.method == "POST" else None
    like = _like(request) if posted is None else None
    kind = (posted or request.GET).get("strategy", "") or (like.strategy if like else "")
    choice = _chosen(kind, choices)
    defaults = (
        _START | _SEARCH | {"timeframe": str(venue.timeframe), "instrument": _first_instrument(venue), "timing": FillTiming.NEXT_OPEN}
    )
    if like is not None and like.strategy == choice.kind:
        defaults |= _as_typed(like)
    return RunForm(choice, markets.instruments(venue.id), posted, {name: str(value) for name, value in defaults.items()})


def _chosen(kind: str, choices: list[StrategyChoice]) -> StrategyChoice:
    if not kind:
        return choices[0]
    found = next((item for item in choices if item.kind == kind), None)
    if found is None:
        raise NotFound(f"There is no strategy {kind[:60]!r}.", where="strategy")
    return found


def _like(request: HttpRequest) -> RunConfig | None:
    """The configuration that the form begins with: that of the run named by `like`."""
    text = request.GET.get("like", "")
    try:
        return selectors.run(UUID(text)).config if text else None
    except ValueError:
        raise NotFound(f"There is no backtest {text[:60]!r}.", where="like") from None


def _as_typed(config: RunConfig) -> dict[str, Any]:
    """A configuration as it would be typed."""
    values: dict[str, Any] = {
        f"p.{name}": ("yes" if value else "") if isinstance(value, bool) else value for name, value in config.parameters.items()
    }
    values |= {f"search.{name}": ", ".join(map(str, found)) for name, found in config.walk_forward.search.items()}
    rates = {
        "fee_bps": config.costs.fee_taker_ppm,
        "slippage_bps": config.costs.slippage_ppm,
        "half_spread_bps": config.costs.half_spread_ppm,
    }
    values |= {name: f"{ppm / 100:g}" for name, ppm in rates.items() if ppm is not None}
    values |= {
        "instrument": " ".join(map(str, config.instrument_ids)),
        "timeframe": config.timeframe,
        "start": f"{config.start:%Y-%m-%d}" if config.start else "",
        "end": f"{config.end:%Y-%m-%d}" if config.end else "",
        "capital": f"{config.capital:f}",
        "rates": ", ".join(f"{name}={rate:f}" for name, rate in config.rates.items()),
        "compares_alone": "yes" if config.compares_alone else "",
        "profile": config.profile,
        "sizing": config.sizing.method,
        "amount": f"{config.sizing.amount:f}" if config.sizing.amount is not None else "",
        "timing": config.timing,
        "allows_short": "yes" if config.allows_short else "",
        "leverage": f"{config.leverage:f}",
        "seed": config.seed,
        "score": config.score,
        "mode": config.mode,
        "train_bars": config.walk_forward.train_bars or "",
        "test_bars": config.walk_forward.test_bars or "",
        "is_anchored": "yes" if config.walk_forward.is_anchored else "",
    }
    return values | _robustness_typed(config.robustness)


def _robustness_typed(asked: Robustness) -> dict[str, Any]:
    return {
        "crises": asked.crises,
        "stress": "\n".join(text_of_scenario(item) for item in asked.scenarios),
        "reruns": asked.reruns.count,
        "latest_start": f"{(asked.reruns.latest_start * 100).normalize():f}",
        "lowest_costs": f"{asked.reruns.lowest_costs:f}",
        "highest_costs": f"{asked.reruns.highest_costs:f}",
    }


def _venue(request: HttpRequest) -> VenueView | None:
    """The market that is chosen; else that of the page."""
    code = (request.POST if request.method == "POST" else request.GET).get("market", "")
    return markets.venue_by_code(code) if code else page_frame(request).venue


def _first_instrument(venue: VenueView) -> str:
    """The instrument that one probably wants: one with whole bars, where a session trades before others."""
    traded = {item.instrument_id for item in strategies.sessions(venue.id) if item.state.is_active}
    listed = sorted(markets.instruments(venue.id), key=lambda spec: (spec.is_closes_only, spec.id not in traded, spec.symbol))
    return str(listed[0].id) if listed else ""


def _asks_for_tests(form: RunForm) -> bool:
    """Whether the form says anything of stress and re-runs, or complains about it."""
    fields = [form.typed(name) for name in ("crises", "stress", "reruns", "latest_start", "lowest_costs", "highest_costs")]
    return any(item.error or item.value != _START.get(item.name, "") for item in fields)


def _show(request: HttpRequest, form: RunForm | None, venue: VenueView | None, *, is_sweep: bool) -> HttpResponse:
    context = {
        "form": form,
        "fields": form.fields if form else {},
        "general_error": form.errors.get("", "") if form else "",
        "has_search": form is not None and any(item.search.value for item in form.parameters),
        "is_sweep": is_sweep,
        "market": venue,
        "markets": markets.venues(),
        "strategies": selectors.strategy_choices(),
        "timeframes": list(Timeframe),
        "profiles": list(Profile),
        "sizings": list(SizingMethod),
        "timings": list(FillTiming),
        "scores": list(ScoreMode),
        "crises": list(Crises),
        "stress_example": EXAMPLE,
        "has_tests": "tests" in request.GET or (form is not None and _asks_for_tests(form)),
        "methods": list(SweepMethod),
        "objectives": _OBJECTIVES,
    }
    return render(request, "dashboard/backtests/new.html", context, status=400 if form and form.errors else 200)
