"""The app of the front page and health: checks, roles, lists and searches are made ready with it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    name = "laaffic_console.dashboard"
    label = "dashboard"
    verbose_name = _("Dashboard")

    def ready(self) -> None:
        from django.db.backends.signals import connection_created
        from django.db.models.signals import post_migrate, pre_migrate

        from laaffic_console.checks import console, gateway, queue_and_database  # noqa: F401 - registers them
        from laaffic_console.dashboard import columns_kept, frontpage, permission_words, roles
        from laaffic_console.gateway.services import bell
        from laaffic_console.kit import folded_search, list_columns, list_headers, sql_lists, typed_dates

        permission_words.rename()
        frontpage.register_all()
        bell.sweep_with("laaffic_console.dashboard.jobs.sweep")
        list_columns.kept_by(columns_kept.hidden_from)
        list_headers.draw_once()
        folded_search.register()
        sql_lists.register()
        connection_created.connect(folded_search.connected, dispatch_uid="folded search")
        typed_dates.name_the_wanted_form()
        pre_migrate.connect(roles.remember, dispatch_uid="roles")
        post_migrate.connect(roles.fill, dispatch_uid="roles")
