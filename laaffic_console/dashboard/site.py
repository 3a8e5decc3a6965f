"""The console's admin site: unfold's, whose pages are loaded when the first of them is wanted.

Half of what a process loads are pages, and a worker or a command shows none. Anyone who asks the site for a page (the
URLs, an export of what a list shows) has them all loaded first. And Django's list of all apps is made only where a page
shows it: it asks for every model's rights and addresses, while unfold's pages draw a navigation of their own.
"""

import threading
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import autodiscover_modules, import_string
from django.utils.translation import gettext as _
from unfold.settings import get_config
from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    def __init__(self, name: str = "admin") -> None:
        self._turn = threading.RLock()
        self._is_loading = self._is_loaded = False
        self._merged: tuple[Any, dict[str, Any], dict[str, Any]] = (None, {}, {})
        super().__init__(name)
        self.empty_value_display = "–"

    @property
    def _registry(self) -> dict[Any, Any]:
        self.load_pages()
        return self._registered

    @_registry.setter
    def _registry(self, registered: dict[Any, Any]) -> None:
        self._registered = registered

    def load_pages(self) -> None:
        """Import every app's admin, once; another thread waits until all are there."""
        with self._turn:
            if self._is_loading or self._is_loaded:
                return
            self._is_loading = True
            try:
                autodiscover_modules("admin", register_to=self)
                self._is_loaded = True
            finally:
                self._is_loading = False

    def register(self, *given: Any, **options: Any) -> None:
        """Register somebody's admin that is imported before the others, without loading these."""
        with self._turn:
            was_loading, self._is_loading = self._is_loading, True
            try:
                super().register(*given, **options)
            finally:
                self._is_loading = was_loading

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Like Django's, but with the identity app's view, which asks for the second factor."""
        from laaffic_console.identity.pages import sign_in  # the settings read this module's package
        from laaffic_console.identity.pages.sign_in_form import SignInForm

        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        said = {
            **self.each_context(request),
            "title": _("Log in"),
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
        }
        if "next" not in request.GET and "next" not in request.POST:
            said["next"] = reverse("admin:index", current_app=self.name)
        request.current_app = self.name
        return sign_in.sign_in(
            request,
            extra_context=said | (extra_context or {}),
            authentication_form=SignInForm,
            template_name=self.login_template or "admin/login.html",
        )

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Like unfold's, but with the identity app's view, which counts wrong old passwords."""
        from laaffic_console.identity.pages import own_sign_in  # the settings read this module's package

        request.current_app = self.name
        return own_sign_in.new_password(
            request,
            extra_context={**self.each_context(request), **(extra_context or {})},
            success_url=reverse("admin:password_change_done", current_app=self.name),
        )

    def _look(self) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """The settings, what unfold makes of them, and the colours; made again where others are set."""
        if self._merged[0] is not settings.UNFOLD:
            made = get_config(self.settings_name)
            self._merged = (settings.UNFOLD, made, _in_one_line(made["COLORS"]))
        return self._merged

    def _get_config(self, key: str, *given: Any) -> Any:
        """Like unfold's, which merges its defaults with all settings for each of the thirty values of a page."""
        wanted = self._look()[1].get(key)
        return self._get_value(wanted, *given) if wanted else None

    def _get_colors(self, key: str, *given: Any) -> dict[str, dict[str, str]]:
        return self._look()[2]

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Like unfold's, but without its deep copy of the whole menu on each page."""
        groups = self._get_config("SIDEBAR", request)["navigation"]
        return [
            {**group, "items": [self._drawn_for(request, line) for line in group["items"]]}
            for group in self._get_value(groups, request)
        ]

    def _drawn_for(self, request: HttpRequest, line: dict[str, Any]) -> dict[str, Any]:
        return {
            **line,
            "active": self._get_is_active(request, line["link"]),
            "has_permission": self._call_permission_callback(line.get("permission"), request),
        }

    def _call_permission_callback(self, callback: Any, request: HttpRequest) -> bool:
        """Like unfold's, but without its new class for each line of the menu on each page."""
        if isinstance(callback, str):
            callback = import_string(callback)
        return callback is None or bool(callback(request))

    def _get_is_active(self, request: HttpRequest, link: Any, is_tab: bool = False) -> bool:
        """Like unfold's, which parses all of fifty addresses: here only one or two that the page can lie beneath."""
        path = str(link).partition("?")[0].partition("#")[0]
        if place := getattr(request, "stands_under", ""):
            return bool(path == place)
        return path in request.path and bool(super()._get_is_active(request, link, is_tab))

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the first of the breadcrumbs opens: the lists of one part of the console."""
        name = apps.get_app_config(app_label).verbose_name
        page: HttpResponse = super().app_index(request, app_label, {"title": name} | (extra_context or {}))
        return page

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        return SimpleLazyObject(lambda: super(ConsoleSite, self).get_app_list(request, app_label))


def _in_one_line(colors: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """All colours as one, whose value sets the others too: unfold's template goes through the colours on each page."""
    (name, weight, value), *others = [(name, *pair) for name, weights in colors.items() for pair in weights.items()]
    return {name: {weight: "; ".join([value, *(f"--color-{n}-{w}: {v}" for n, w, v in others)])}}


def load_pages() -> None:
    """All of them, now."""
    cast(ConsoleSite, admin.site).load_pages()


class ConsoleAdmin(SimpleAdminConfig):
    default_site = "laaffic_console.dashboard.site.ConsoleSite"
    default = False
