"""Users and roles, in the look of the other pages."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm

from laaffic_console.dashboard.people.deleted_people import deleted_with
from laaffic_console.dashboard.people.person_forms import NewPersonForm, PersonForm, RoleForm
from laaffic_console.identity.pages import people
from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.forms import asking_again
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from laaffic_console.kit.generics import BesideModelAdmin
from laaffic_console.kit.words import role_words

admin.site.unregister(User)
admin.site.unregister(Group)


class AskedFirst(BesideModelAdmin):
    """Pages that decide who may do what: they can be changed only by somebody who has just proved who they are."""

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *rest: Any, **named: Any) -> Any:
        may = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        return (asking_again.ask(request) if may else None) or super().changeform_view(
            request, object_id, *rest, **named
        )

    def delete_view(self, request: HttpRequest, object_id: str, *rest: Any, **named: Any) -> Any:
        return asking_again.ask(request) or super().delete_view(request, object_id, *rest, **named)

    def changelist_view(self, request: HttpRequest, *rest: Any, **named: Any) -> Any:
        """A list's actions delete."""
        asked = asking_again.ask(request) if request.method == "POST" else None
        return asked or super().changelist_view(request, *rest, **named)


def is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def is_within_reach(request: HttpRequest, person: Any) -> bool:
    """Anyone who may change a superuser's password or address is a superuser a minute later."""
    return is_superuser(request) or not getattr(person, "is_superuser", False)


@admin.register(User)
class ConsoleUserAdmin(AskedFirst, SharedRowAdmin, UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # takes none when it runs
    when_empty = _("Add the people who work here; each gets one role.")
    form = PersonForm
    add_form = NewPersonForm
    add_form_template = None
    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]
    add_fieldsets = [(None, {"fields": ["username", "email", "role", "usable_password", "password1", "password2"]})]
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "shown_roles", "is_active", "shown_superuser", "last_login"]
    read_for_columns = {"shown_roles": "groups"}

    list_links = (PageLink("admin:auth_user_invite", _("Invite somebody"), "auth.add_user", ("auth.change_user",)),)
    change_form_outer_after_template = "identity/person_link.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only the fields that the viewer may change: only a superuser makes a superuser."""
        if obj is None:
            return self.add_fieldsets
        allowed = ["is_active", "groups"]
        allowed += [] if obj.is_staff else ["is_staff"]
        allowed += ["is_superuser"] if is_superuser(request) else []
        allowed += ["user_permissions"] if obj.pk and obj.user_permissions.exists() else []
        return [
            (None, {"fields": ["username", "password"]}),
            (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
            (_("What they may do"), {"fields": allowed}),
            (_("Times"), {"fields": ["last_login", "date_joined"]}),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and is_within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and is_within_reach(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return deleted_with(objs, request)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("invite/", wrap(self.invite_view), name="auth_user_invite"),
            path("<int:pk>/sign-in/", wrap(self.sign_in_view), name="auth_user_sign_in"),
            *super().get_urls(),
        ]

    @asking_again.asked_first
    def invite_view(self, request: HttpRequest) -> HttpResponse:
        return people.invite(self, request)

    @asking_again.asked_first
    def sign_in_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return people.sign_in_of(self, request, pk)

    @asking_again.asked_first
    def user_change_password(self, request: HttpRequest, *rest: Any, **named: Any) -> Any:
        return super().user_change_password(request, *rest, **named)

    @admin.display(description=_("superuser"), boolean=True, ordering="is_superuser")
    def shown_superuser(self, user: User) -> bool:
        return user.is_superuser

    @admin.display(description=_("roles"))
    def shown_roles(self, user: User) -> str:
        return ", ".join(sorted(str(role_words.role(group)) for group in user.groups.all())) or "–"


@admin.register(Group)
class RoleAdmin(AskedFirst, SharedRowAdmin, GroupAdmin, ModelAdmin):
    form = RoleForm
    filter_horizontal = ()
    when_empty = _("Roles are made when the database is migrated: run manage.py migrate.")
    list_display = ["shown_name"]

    @admin.display(description=_("role"), ordering="name")
    def shown_name(self, group: Group) -> Any:
        return role_words.role(group)


@admin.register(AccessAttempt)
class FailedSignInAdmin(ReadOnlyAdmin):
    """Who is locked out or soon will be, and from where: axes deletes what has stopped counting.

    `manage.py axes_reset` lets them in again.
    """

    when_empty = _(
        "No wrong password counts towards a block now. Those that do are listed here; earlier ones are in Who did "
        "what, as “Sign-in failed”."
    )

    list_display = ["attempt_time", "username", "ip_address", "failures_since_start"]
    fields = ["attempt_time", "username", "ip_address", "user_agent", "failures_since_start"]
    search_fields = ["=username", "=ip_address"]
