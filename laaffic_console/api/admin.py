"""Tokens of the REST API: made, rotated and revoked; each secret is shown on one page, once."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from laaffic_console.api import tokens
from laaffic_console.api.models import ApiToken, Scope
from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.admin.read_only import DeletedWithAccount
from laaffic_console.kit.forms import asking_again
from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, own_page, page, posted_row, require
from laaffic_console.kit.words.people import signed_in

ADD, CHANGE = "api.add_apitoken", "api.change_apitoken"
LIST = "admin:api_apitoken_changelist"
COLOURS = {"good": "success", "revoked": "danger", "expired": "warning"}
WORDS = {"good": gettext_lazy("Valid"), "revoked": gettext_lazy("Revoked"), "expired": gettext_lazy("Expired")}


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("What uses it, such as “web shop”."),
    )
    user = forms.ModelChoiceField(
        User.objects.none(),
        empty_label=gettext_lazy("Select value"),
        label=gettext_lazy("Acts for"),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("It may do what this user may do, and nothing beyond its scopes."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one scope.")},
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid for this many days"),
        min_value=1,
        max_value=3650,
        required=False,
        initial=365,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Empty: until it is revoked."),
    )
    addresses = forms.CharField(
        label=gettext_lazy("Addresses"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Addresses that may use it, separated by commas, such as 203.0.113.0/24. Empty: any."),
    )
    per_minute = forms.IntegerField(
        label=gettext_lazy("Requests a minute"),
        min_value=1,
        max_value=1_000_000,
        initial=6000,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        """Users make tokens for themselves; a superuser, who may do everything anyway, makes them for others too."""
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True).order_by("username")
        chosen = people if by.is_superuser else people.filter(pk=by.pk)
        field_of(self, "user", forms.ModelChoiceField).queryset = chosen
        self.initial["user"] = by.pk

    def make(self) -> tuple[ApiToken, str]:
        given: dict[str, Any] = self.cleaned_data
        return tokens.create(
            given["name"],
            user=given["user"],
            scopes=given["scopes"],
            expires=dt.timedelta(days=given["days"]) if given["days"] else None,
            addresses=[part for part in given["addresses"].split(",") if part.strip()],
            per_minute=given["per_minute"],
        )


@admin.register(ApiToken)
class ApiTokenAdmin(DeletedWithAccount):
    when_empty = gettext_lazy("Scripts act for a user with a token: make one, and give it the scopes that it needs.")
    add_page = PageLink("admin:api_apitoken_make", gettext_lazy("New token"), ADD)
    list_links = (PageLink("api_docs", gettext_lazy("API reference"), "api.view_apitoken"),)
    list_display = ["name", "user", "shown_scopes", "state", "expires_at", "last_used_at", "created_at"]
    list_select_related = ["user"]
    search_fields = ["name"]
    change_form_outer_after_template = "api/token_acts.html"
    fields = [
        *("name", "user", "shown_scopes", "shown_addresses", "per_minute", "state"),
        *("created_at", "expires_at", "revoked_at", "last_used_at"),
    ]

    @display(description=gettext_lazy("scopes"))
    def shown_scopes(self, token: ApiToken) -> str:
        return ", ".join(str(Scope(scope).label) for scope in token.scopes if scope in Scope.values)

    @display(description=gettext_lazy("addresses"))
    def shown_addresses(self, token: ApiToken) -> str:
        return ", ".join(token.addresses) or _("any")

    @display(description=gettext_lazy("state"), label=COLOURS)
    def state(self, token: ApiToken) -> tuple[str, Any]:
        word = "revoked" if token.revoked_at else "good" if token.is_good else "expired"
        return word, WORDS[word]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("make/", wrap(never_cache(self.make_view)), name="api_apitoken_make"),
            path("<int:pk>/rotate/", wrap(never_cache(self.rotate_view)), name="api_apitoken_rotate"),
            path("<int:pk>/revoke/", wrap(self.revoke_view), name="api_apitoken_revoke"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        require(request, ADD)
        return HttpResponseRedirect(reverse("admin:api_apitoken_make"))

    @asking_again.asked_first
    def make_view(self, request: HttpRequest) -> HttpResponse:
        require(request, ADD)
        form = TokenForm(request.POST or None, by=signed_in(request))
        if request.method == "POST" and form.is_valid():
            try:
                return self._shown_once(request, *form.make())
            except ValidationError as problem:
                add_problems(form, problem)
        back = reverse("admin:api_apitoken_changelist")
        return page(self, request, "console/make.html", _("New token"), form=form, back=back, button=_("Make it"))

    @asking_again.asked_first
    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        token = self._token(request, pk)
        if token.user_id != request.user.pk and not request.user.is_superuser:
            raise PermissionDenied  # anyone who sees the secret acts for its user
        try:
            return self._shown_once(request, *tokens.rotate(token))
        except ValidationError as problem:
            say_why(request, problem)
        return HttpResponseRedirect(own_page(token))

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        token = self._token(request, pk)
        if tokens.revoke(token):
            messages.success(request, _("It no longer works."))
        return HttpResponseRedirect(own_page(token))

    def _token(self, request: HttpRequest, pk: int) -> ApiToken:
        """The token that a POST names."""
        require(request, CHANGE)
        return posted_row(request, ApiToken.objects.select_related("user"), pk)

    def _shown_once(self, request: HttpRequest, token: ApiToken, secret: str) -> HttpResponse:
        request.made_at = own_page(token)  # type: ignore[attr-defined]  # for sent_once.py
        answer = page(self, request, "api/shown_once.html", token.name, token=token, secret=secret)
        answer["Referrer-Policy"] = "no-referrer"
        return answer
