from django.apps import AppConfig

from apps.strategies.library import load_library


class StrategiesConfig(AppConfig):
    name = "apps.strategies"
    verbose_name = "Strategies"

    def ready(self) -> None:
        load_library()
