"""ASGI entry point: HTTP through Django, websockets through Channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.dev")
http_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from trading_system.lanes import InLanes  # noqa: E402
from trading_system.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": InLanes(http_application), "websocket": websocket_application})
