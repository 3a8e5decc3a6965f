"""Users and roles, in the look of the other pages."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from laaffic_console.dashboard import permission_words
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


@admin.register(User)
class ConsoleUserAdmin(SharedRowAdmin, InWords, UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # takes none when it runs
    when_empty = _("Add the people who work here; each gets one role.")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "shown_roles", "is_active", "is_superuser", "last_login"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("roles"))
    def shown_roles(self, user: User) -> str:
        return ", ".join(sorted(str(permission_words.role(group)) for group in user.groups.all())) or "–"


@admin.register(Group)
class RoleAdmin(SharedRowAdmin, InWords, GroupAdmin, ModelAdmin):
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
