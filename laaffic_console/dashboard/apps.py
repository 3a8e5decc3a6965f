from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "laaffic_console.dashboard"
    label = "dashboard"
    verbose_name = "Dashboard"
