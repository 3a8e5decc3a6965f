"""Roles and permissions in their reader's language: the database holds them in English."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext, gettext_noop
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

# Names that no page but the list of permissions shows, and those that axes and Django's queue give in English.
NAMES = [
    gettext_noop("Axes"),
    gettext_noop("access attempt"),
    gettext_noop("access attempts"),
    gettext_noop("access attempt expiration"),
    gettext_noop("access failure"),
    gettext_noop("access log"),
    gettext_noop("Task"),
    gettext_noop("lease"),
    gettext_noop("rate pacer"),
    gettext_noop("activity tally"),
    gettext_noop("audience count"),
    gettext_noop("budget counter"),
    gettext_noop("budget share"),
    gettext_noop("delivery time tally"),
    gettext_noop("email tally"),
    gettext_noop("hour tally"),
    gettext_noop("other spelling"),
    gettext_noop("outcome tally"),
    gettext_noop("paste"),
    gettext_noop("pasted number"),
    gettext_noop("sent tally"),
    gettext_noop("call tally"),
]


def role(group: Group) -> Any:
    return ROLES.get(group.name, group.name)


def permission(permission: Permission) -> str:
    verb, _joint, model = permission.codename.partition("_")
    kind = permission.content_type
    if verb in USUAL and model == kind.model:
        return f"{kind.app_labeled_name} | {USUAL[verb] % {'model': gettext(kind.name)}}"
    return f"{kind.app_labeled_name} | {gettext(permission.name)}"
