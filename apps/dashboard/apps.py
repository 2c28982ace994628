from django.apps import AppConfig

from apps.dashboard.checks import register_checks


class DashboardConfig(AppConfig):
    name = "apps.dashboard"
    verbose_name = "Dashboard"

    def ready(self) -> None:
        register_checks()
