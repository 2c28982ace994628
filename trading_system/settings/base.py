"""What every environment shares."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import django_stubs_ext

from trading_system.settings.celery import *  # noqa: F403
from trading_system.settings.channels import *  # noqa: F403
from trading_system.settings.environment import *  # noqa: F403
from trading_system.settings.environment import BASE_DIR, DATA_DIR, env
from trading_system.settings.interfaces import *  # noqa: F403
from trading_system.settings.logging import *  # noqa: F403
from trading_system.settings.redis import *  # noqa: F403
from trading_system.settings.trading import *  # noqa: F403

django_stubs_ext.monkeypatch()

SECRET_KEY = env.str("SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "trading_system.runtime",
    "apps.common.apps.CommonConfig",
    "apps.events.apps.EventsConfig",
    "apps.access.apps.AccessConfig",
    "apps.markets.apps.MarketsConfig",
    "apps.forecasts.apps.ForecastsConfig",
    "apps.risk.apps.RiskConfig",
    "apps.orders.apps.OrdersConfig",
    "apps.portfolio.apps.PortfolioConfig",
    "apps.strategies.apps.StrategiesConfig",
    "apps.backtests.apps.BacktestsConfig",
    "apps.dashboard.apps.DashboardConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "trading_system.urls"
WSGI_APPLICATION = "trading_system.wsgi.application"
ASGI_APPLICATION = "trading_system.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.dashboard.web.context.shell",
            ],
        },
    },
]

_database: dict[str, Any] = (
    env.db_url("DATABASE_URL")
    if env.str("DATABASE_URL", default="")
    else {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": env.str("DB_HOST", default="localhost"),
        "PORT": env.str("DB_PORT", default="5432"),
        "NAME": env.str("DB_NAME", default="trading_system"),
        "USER": env.str("DB_USER", default="trading_system"),
        "PASSWORD": env.str("DB_PASS", default=""),
    }
)
_database["HOST"] = unquote(str(_database.get("HOST") or ""))  # a socket directory is written %2Fpath in a URL
DATABASES: dict[str, dict[str, Any]] = {
    "default": _database
    | {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            "application_name": env.str("TRADING_PROCESS", default="manage"),
            "options": "-c lock_timeout=15s -c idle_in_transaction_session_timeout=60s",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "access.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
