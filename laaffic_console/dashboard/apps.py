from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "laaffic_console.dashboard"
    label = "dashboard"
    verbose_name = "Dashboard"

    def ready(self) -> None:
        from laaffic_console import checks  # noqa: F401 - registers them
