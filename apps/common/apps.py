from django.apps import AppConfig
from django.conf import settings

from apps.core.ports import configure_ports


class CommonConfig(AppConfig):
    name = "apps.common"
    verbose_name = "Runtime"

    def ready(self) -> None:
        configure_ports(settings.TRADING_PORTS)
