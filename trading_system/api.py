"""The REST addresses of all apps, joined. The older paths lead to the same handlers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from apps.access.web import api as access
from apps.backtests.web import api as backtests
from apps.backtests.web import parity, what_ifs
from apps.common.api.problems import problem_json
from apps.common.api.views import AccountView
from apps.events.web import api as events
from apps.forecasts.web import api as forecasts
from apps.markets.web import api as markets
from apps.orders.web import api as orders
from apps.portfolio.selectors import default_account_id
from apps.portfolio.web import api as portfolio
from apps.risk.web import api as risk
from apps.strategies.web import api as strategies
from apps.strategies.web import trading
from trading_system.health import healthz, readyz
from trading_system.status_api import StatusView

VIEWS: dict[str, Any] = {
    "auth/token": access.TokenView,
    "auth/refresh": access.RefreshView,
    "auth/logout": access.LogoutView,
    "auth/me": access.MeView,
    "venues": markets.VenuesView,
    "venues/<uuid:venue_id>": markets.VenueView,
    "venues/<uuid:venue_id>/clock": trading.ClockView,
    "instruments": markets.InstrumentsView,
    "instruments/<uuid:instrument_id>": markets.InstrumentView,
    "instruments/<uuid:instrument_id>/quality": markets.QualityView,
    "candles": markets.CandlesView,
    "quarantined": markets.QuarantineView,
    "forecasts": forecasts.ForecastsView,
    "forecasts/<uuid:forecast_id>": forecasts.ForecastView,
    "models": forecasts.ModelsView,
    "models/<uuid:model_id>": forecasts.ModelView,
    "features": forecasts.FeaturesView,
    "training": forecasts.TrainingView,
    "risk": risk.RiskView,
    "risk/factor": risk.FactorView,
    "risk/limits": risk.LimitsView,
    "risk/halts": risk.HaltsView,
    "risk/halts/<uuid:halt_id>": risk.HaltView,
    "risk/halts/<uuid:halt_id>/reset": risk.ResetHaltView,
    "risk/verdicts": risk.VerdictsView,
    "risk/verdicts/<uuid:verdict_id>": risk.VerdictView,
    "orders": orders.OrdersView,
    "orders/cancel-all": orders.CancelAllView,
    "orders/<uuid:order_id>": orders.OrderView,
    "orders/<uuid:order_id>/cancel": orders.CancelOrderView,
    "fills": orders.FillsView,
    "accounts": portfolio.AccountsView,
    "accounts/<uuid:account_id>": portfolio.AccountView,
    "account/summary": portfolio.SummaryView,
    "portfolio": portfolio.PortfolioView,
    "positions": portfolio.PositionsView,
    "performance": portfolio.PerformanceView,
    "performance/tear-sheet": portfolio.TearSheetView,
    "equity": portfolio.EquityView,
    "trades": portfolio.TradesView,
    "journal": portfolio.JournalView,
    "strategies": strategies.StrategiesView,
    "strategies/<uuid:strategy_id>": strategies.StrategyView,
    "strategies/<uuid:strategy_id>/parameters": strategies.StrategyParametersView,
    "strategy/config": strategies.StrategyConfigView,
    "sessions": strategies.SessionsView,
    "sessions/<uuid:session_id>": strategies.SessionView,
    "sessions/<uuid:session_id>/start": strategies.StartSessionView,
    "sessions/<uuid:session_id>/stop": strategies.StopSessionView,
    "decisions": strategies.DecisionsView,
    "decisions/<uuid:decision_id>": strategies.DecisionView,
    "trading/start": trading.StartTradingView,
    "trading/stop": trading.StopTradingView,
    "trading/status": trading.TradingStatusView,
    "backtests": backtests.BacktestsView,
    "backtests/trials": backtests.TrialsView,
    "backtests/<uuid:run_id>": backtests.BacktestView,
    "backtests/<uuid:run_id>/cancel": backtests.CancelBacktestView,
    "backtests/<uuid:run_id>/repeat": backtests.RepeatBacktestView,
    "backtests/<uuid:run_id>/records": backtests.RecordsView,
    "backtests/<uuid:run_id>/equity": backtests.BacktestEquityView,
    "backtests/<uuid:run_id>/tear-sheet": backtests.TearSheetView,
    "backtests/<uuid:run_id>/export": backtests.ExportView,
    "sweeps": backtests.SweepsView,
    "sweeps/<uuid:sweep_id>": backtests.SweepView,
    "sweeps/<uuid:sweep_id>/cancel": backtests.CancelSweepView,
    "sweeps/<uuid:sweep_id>/points": backtests.SweepPointsView,
    "sweeps/<uuid:sweep_id>/heat-map": backtests.HeatMapView,
    "what-ifs": what_ifs.WhatIfsView,
    "what-ifs/<uuid:what_if_id>": what_ifs.WhatIfView,
    "what-ifs/<uuid:what_if_id>/cancel": what_ifs.CancelWhatIfView,
    "parity": parity.ParityView,
    "parity/days": parity.ParityDaysView,
    "parity/days/<uuid:day_id>": parity.ParityDayView,
    "parity/days/<uuid:day_id>/differences": parity.ParityDifferencesView,
    "events": events.EventsView,
    "events/log": events.LogStateView,
    "events/handlers": events.HandlersView,
    "events/dead-letters": events.DeadLettersView,
    "system/status": StatusView,
}
OLDER_VIEWS: dict[str, Any] = {
    "forecasts": forecasts.ForecastsView,
    "risk": risk.RiskView,
    "performance": portfolio.PerformanceView,
    "strategy/config": strategies.StrategyConfigView,
    "trading/start": trading.StartTradingView,
    "trading/stop": trading.StopTradingView,
    "trading/status": trading.TradingStatusView,
    "trade/execute": orders.ExecuteTradeView,
    "account/balance": portfolio.SummaryView,
    "positions": portfolio.PositionsView,
    "models/start-training": forecasts.StartTrainingView,
    "models/status": forecasts.TrainingStatusView,
    "models/performance": forecasts.ModelsView,
    "market/data": markets.CandlesView,
}


@csrf_exempt
def unknown_address(request: HttpRequest) -> JsonResponse:
    """Every address under /api/ that is not served, or whose id is not a UUID."""
    return problem_json(
        404, code="not_found", detail="There is nothing at this address.", request_id="", hint="The addresses are listed at /api/docs/."
    )


def addresses(prefix: str, views: dict[str, Any]) -> list[URLPattern]:
    """Each address with and without a slash at the end: a POST cannot be redirected to the right one."""
    served = []
    for route, view in views.items():
        options = {"default_account_id": staticmethod(default_account_id)} if issubclass(view, AccountView) else {}
        handler = view.as_view(**options)
        served += [path(f"{prefix}{route}/", handler), path(f"{prefix}{route}", handler)]
    return served


urlpatterns: list[URLPattern] = [
    path("healthz", healthz),
    path("readyz", readyz),
    *addresses("api/v1/", VIEWS),
    *addresses("api/", OLDER_VIEWS),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    path("api/docs/redoc/", SpectacularRedocView.as_view(url_name="api-schema", template_name="api/redoc.html")),
    re_path(r"^api(?:/.*)?$", unknown_address),
]
