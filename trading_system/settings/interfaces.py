"""REST framework, OpenAPI, tokens, content security policy, admin theme."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.common.api.permissions.HasRoleForMethod"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["apps.common.throttling.WindowThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.common.api.parsers.ExactJSONParser"],
    "EXCEPTION_HANDLER": "apps.common.api.problems.problem_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT: dict[str, Any] = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": False,
    "CHECK_REVOKE_TOKEN": True,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Trading System API",
    "DESCRIPTION": "Market data, forecasts, decisions, orders, portfolio and control of the trading system.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "VenueKind": "apps.markets.contracts.VenueKind",
        "ClockStatus": "apps.markets.contracts.ClockStatus",
        "TrainingStatus": "apps.forecasts.contracts.TrainingStatus",
        "ModelStatus": "apps.forecasts.contracts.ModelStatus",
        "OrderStatus": "apps.orders.contracts.OrderStatus",
        "EntryKind": "apps.portfolio.contracts.EntryKind",
        "SessionState": "apps.strategies.contracts.SessionState",
        "RunState": "apps.backtests.contracts.RunState",
        "RunMode": "apps.backtests.contracts.RunMode",
        "TradingMode": "apps.core.vocabulary.TradingMode",
        "SweepMethod": "apps.backtests.contracts.SweepMethod",
        "SizingMethod": "apps.backtests.domain.config.SizingMethod",
        "Timeframe": "apps.core.vocabulary.Timeframe",
        "ParityClass": "apps.backtests.domain.parity_day.ParityClass",
    },
    "PREPROCESSING_HOOKS": ["trading_system.openapi.one_path_each"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "trading_system.openapi.mark_older_paths"],
}
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "EXCLUDE_URL_PREFIXES": ["/admin/", "/api/docs/"],
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}


def _admin_link(title: str, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


def _admin_group(title: str, *links: dict[str, Any], is_open: bool = True) -> dict[str, Any]:
    return {"title": title, "separator": True, "collapsible": not is_open, "items": list(links)}


CSRF_FAILURE_VIEW = "apps.dashboard.web.errors.csrf_failed"
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Trading System",
    "SITE_HEADER": "Trading System",
    "SITE_SUBHEADER": "Configuration",
    "SITE_URL": "/",
    "SITE_SYMBOL": "candlestick_chart",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("img/favicon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_DROPDOWN": [{"icon": "arrow_back", "title": "Back to the trading pages", "link": "/"}],
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {"items": [{"title": "Trading pages", "icon": "arrow_back", "link": "/"}]},
            _admin_group(
                "Trading",
                _admin_link("Strategies", "psychology", "strategies_strategy"),
                _admin_link("Sessions", "play_circle", "strategies_tradingsession"),
                _admin_link("Decisions", "alt_route", "strategies_decision"),
                _admin_link("Orders", "list_alt", "orders_order"),
                _admin_link("Fills", "done_all", "orders_fill"),
            ),
            _admin_group(
                "Risk",
                _admin_link("Limits", "speed", "risk_risklimit"),
                _admin_link("Factor rules", "rule", "risk_riskfactorrule"),
                _admin_link("Halts", "front_hand", "risk_halt"),
                _admin_link("Verdicts", "gavel", "risk_riskverdict"),
            ),
            _admin_group(
                "Books",
                _admin_link("Accounts", "account_balance_wallet", "portfolio_account"),
                _admin_link("Journal", "menu_book", "portfolio_journalentry"),
                _admin_link("Positions", "pie_chart", "portfolio_position"),
                _admin_link("Closed trades", "task_alt", "portfolio_closedtrade"),
                _admin_link("Margin calls", "priority_high", "portfolio_margincall"),
            ),
            _admin_group(
                "Markets",
                _admin_link("Venues", "storefront", "markets_venue"),
                _admin_link("Instruments", "show_chart", "markets_instrument"),
                _admin_link("Quarantined bars", "report", "markets_quarantinedcandle"),
                _admin_link("Pulls", "cloud_download", "markets_sourcepull"),
            ),
            _admin_group(
                "Forecasts",
                _admin_link("Models", "model_training", "forecasts_forecastmodel"),
                _admin_link("Training runs", "fitness_center", "forecasts_trainingrun"),
                _admin_link("Forecasts", "query_stats", "forecasts_forecast"),
            ),
            _admin_group(
                "Backtests",
                _admin_link("Runs", "science", "backtests_backtestrun"),
                _admin_link("Sweeps", "grid_on", "backtests_sweep"),
                _admin_link("Trial ledger", "history_edu", "backtests_trialentry"),
                _admin_link("What-if", "help", "backtests_whatif"),
                _admin_link("Parity", "balance", "backtests_parityday"),
                _admin_link("Parity differences", "difference", "backtests_paritydifference"),
                _admin_link("Parity tolerances", "straighten", "backtests_paritytolerance"),
            ),
            _admin_group(
                "Operations",
                _admin_link("Event log", "receipt_long", "events_loggedevent"),
                _admin_link("Dead letters", "mark_email_unread", "events_deadletter"),
                _admin_link("Schedules", "schedule", "django_celery_beat_periodictask"),
                _admin_link("Users", "group", "access_user"),
                is_open=False,
            ),
        ],
    },
}
