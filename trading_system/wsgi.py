"""WSGI entry point (REST and pages only; websockets need ASGI)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.production")
application = get_wsgi_application()
