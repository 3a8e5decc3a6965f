"""Roles and permissions in their reader's language: the database holds them in English."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit import people as roles

ROLES = {
    roles.VIEWER: _("Viewer"),
    roles.OPERATOR: _("Operator"),
    roles.APPROVER: _("Approver"),
    roles.ADMINISTRATOR: _("Administrator"),
}
USUAL = {
    "add": _("Can add: %(model)s"),
    "change": _("Can change: %(model)s"),
    "delete": _("Can delete: %(model)s"),
    "view": _("Can view: %(model)s"),
    "export": _("Can export: %(model)s"),
}


def role(group: Group) -> Any:
    return ROLES.get(group.name, group.name)


def permission(permission: Permission) -> str:
    verb, _joint, model = permission.codename.partition("_")
    kind = permission.content_type
    if verb in USUAL and model == kind.model:
        return f"{kind.app_labeled_name} | {USUAL[verb] % {'model': kind.name}}"
    return f"{kind.app_labeled_name} | {gettext(permission.name)}"
