from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    name = "laaffic_console.dashboard"
    label = "dashboard"
    verbose_name = _("Dashboard")

    def ready(self) -> None:
        from django.db.models.signals import post_migrate, pre_migrate

        from laaffic_console import checks  # noqa: F401 - registers them
        from laaffic_console.dashboard import roles, typed_dates

        typed_dates.name_the_wanted_form()
        pre_migrate.connect(roles.remember, dispatch_uid="roles")
        post_migrate.connect(roles.fill, dispatch_uid="roles")
