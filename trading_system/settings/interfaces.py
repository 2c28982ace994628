"""REST framework, OpenAPI, tokens, content security policy, admin theme."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF

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
        "LimitCode": "apps.risk.contracts.LimitCode",
        "CheckCode": "apps.risk.contracts.CheckCode",
        "SessionState": "apps.strategies.contracts.SessionState",
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
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Trading System",
    "SITE_HEADER": "Trading System",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
}
