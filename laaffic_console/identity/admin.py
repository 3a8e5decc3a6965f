"""Everybody's sessions. allauth's own pages are taken away: they show secrets and change what its services keep."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from laaffic_console.identity.services import sessions
from laaffic_console.kit.admin.read_only import DeletedWithAccount
from laaffic_console.kit.words import dates

for model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(UserSession)
class SessionAdmin(DeletedWithAccount):
    """A list of sessions; each is ended on the page of its person (pages/people.py)."""

    when_empty = _("Nobody is signed in. People who sign in are listed here.")
    list_display = ["shown_since", "shown_person", "shown_address", "shown_browser"]
    list_before_template = "identity/sessions_head.html"
    list_select_related = ["user"]
    fields = ["shown_since", "shown_person", "shown_address", "shown_browser"]
    search_fields = ["=user__username", "=ip"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserSession]:
        return sessions.going_on()

    @display(description=_("since"), ordering="created_at")
    def shown_since(self, session: Any) -> Any:
        return dates.ago(session.created_at)

    @display(description=_("person"), ordering="user__username")
    def shown_person(self, session: Any) -> Any:
        """Leads to where it is ended."""
        page = reverse("admin:auth_user_sign_in", args=[session.user_id])
        return format_html('<a class="c-link" href="{}">{}</a>', page, session.user.get_username())

    @display(description=_("address"), ordering="ip")
    def shown_address(self, session: Any) -> str:
        return str(session.ip)

    @display(description=_("browser"))
    def shown_browser(self, session: Any) -> str:
        return sessions.browser(session.user_agent)
