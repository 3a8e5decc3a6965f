"""The console's admin site: unfold's, which makes Django's list of all apps only where a page shows it.

Django makes that list for each page (every model's rights and addresses), unfold's pages draw their own navigation.
"""

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        return SimpleLazyObject(lambda: super(ConsoleSite, self).get_app_list(request, app_label))


class ConsoleAdmin(AdminConfig):
    default_site = "laaffic_console.dashboard.site.ConsoleSite"
    default = False
