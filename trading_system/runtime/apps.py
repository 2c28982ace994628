from django.apps import AppConfig

from trading_system.runtime import checks


class RuntimeConfig(AppConfig):
    name = "trading_system.runtime"
    verbose_name = "Runtime"

    def ready(self) -> None:
        checks.register_all()
