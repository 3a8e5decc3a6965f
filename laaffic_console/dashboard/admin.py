"""Users and roles, in the look of the other pages."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from laaffic_console.dashboard import permission_words
from laaffic_console.identity import person_pages
from laaffic_console.kit import proving
from laaffic_console.kit.console_admin import ModelAdmin
from laaffic_console.kit.generics import BesideModelAdmin
from laaffic_console.kit.read_only import ReadOnlyAdmin
from laaffic_console.kit.shared_rows import SharedRowAdmin

WORDS = {
    "groups": permission_words.role,
    "permissions": permission_words.permission,
    "user_permissions": permission_words.permission,
}

admin.site.unregister(User)
admin.site.unregister(Group)


class InWords(BesideModelAdmin):
    """Choices among roles and permissions, in the reader's language."""

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if words := WORDS.get(db_field.name):
            field.label_from_instance = words
        return field


class AskedFirst(BesideModelAdmin):
    """Who may do what is changed by somebody who has just proved who they are."""

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *rest: Any, **named: Any) -> Any:
        may = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        return (proving.ask(request) if may else None) or super().changeform_view(request, object_id, *rest, **named)

    def delete_view(self, request: HttpRequest, object_id: str, *rest: Any, **named: Any) -> Any:
        return proving.ask(request) or super().delete_view(request, object_id, *rest, **named)

    def changelist_view(self, request: HttpRequest, *rest: Any, **named: Any) -> Any:
        """A list's actions delete."""
        asked = proving.ask(request) if request.method == "POST" else None
        return asked or super().changelist_view(request, *rest, **named)


@admin.register(User)
class ConsoleUserAdmin(AskedFirst, SharedRowAdmin, InWords, UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # takes none when it runs
    when_empty = _("Add the people who work here; each gets one role.")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "shown_roles", "is_active", "is_superuser", "last_login"]
    read_for_columns = {"shown_roles": "groups"}

    list_before_template = "identity/list_head.html"
    change_form_outer_after_template = "identity/person_link.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("invite/", wrap(self.invite_view), name="auth_user_invite"),
            path("<int:pk>/sign-in/", wrap(self.sign_in_view), name="auth_user_sign_in"),
            *super().get_urls(),
        ]

    @proving.asked_first
    def invite_view(self, request: HttpRequest) -> HttpResponse:
        return person_pages.invite(self, request)

    @proving.asked_first
    def sign_in_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return person_pages.sign_in_of(self, request, pk)

    @proving.asked_first
    def user_change_password(self, request: HttpRequest, *rest: Any, **named: Any) -> Any:
        return super().user_change_password(request, *rest, **named)

    @admin.display(description=_("roles"))
    def shown_roles(self, user: User) -> str:
        return ", ".join(sorted(str(permission_words.role(group)) for group in user.groups.all())) or "–"


@admin.register(Group)
class RoleAdmin(AskedFirst, SharedRowAdmin, InWords, GroupAdmin, ModelAdmin):
    when_empty = _("Roles are made when the database is migrated: run manage.py migrate.")
    list_display = ["shown_name"]

    @admin.display(description=_("role"), ordering="name")
    def shown_name(self, group: Group) -> Any:
        return permission_words.role(group)


@admin.register(AccessAttempt)
class FailedSignInAdmin(ReadOnlyAdmin):
    """Who was locked out, and from where. `manage.py axes_reset` lets them in again."""

    when_empty = _("Nobody has been locked out. Wrong passwords are listed here until a right one comes.")

    list_display = ["attempt_time", "username", "ip_address", "failures_since_start"]
    fields = ["attempt_time", "username", "ip_address", "user_agent", "failures_since_start"]
    search_fields = ["=username", "=ip_address"]
