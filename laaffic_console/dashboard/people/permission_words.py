"""Permissions in their reader's language: the database holds them in English."""

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

# What libraries call otherwise than these pages do.
APPS = {"auth": _("People and roles"), "axes": _("Failed sign-ins"), "usersessions": _("Sessions")}
KINDS = {  # one and many
    "auth.group": (_("role"), _("roles")),
    "axes.accessattempt": (_("failed sign-in"), _("failed sign-ins")),
    "usersessions.usersession": (_("session"), _("sessions")),
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


def permission(permission: Permission) -> str:
    return f"{area(permission.content_type)} | {right(permission)}"


def right(permission: Permission) -> str:
    """What the permission lets somebody do, in words."""
    verb, name = usual_verb(permission), permission.content_type.name
    return str(USUAL[verb] % {"model": gettext(name)}) if verb else gettext(permission.name)


def usual_verb(permission: Permission) -> str:
    """The verb of a right that every kind has (view, add …); "" for a right of its own."""
    verb, _joint, model = permission.codename.partition("_")
    return verb if verb in USUAL and model == permission.content_type.model else ""


def kind(content_type: ContentType) -> str:
    """The rows that it is about, as their page is headed."""
    model = content_type.model_class()
    name = model._meta.verbose_name_plural if model else content_type.name
    return capfirst(str(name))


def area(content_type: ContentType) -> str:
    return str(apps.get_app_config(content_type.app_label).verbose_name)


def rename() -> None:
    """Name apps and kinds for all pages. Migrations do not see it: they compare what a class was written with."""
    for label, name in APPS.items():
        apps.get_app_config(label).verbose_name = name
    for model, (one, many) in KINDS.items():
        meta = apps.get_model(model)._meta
        meta.verbose_name, meta.verbose_name_plural = one, many
