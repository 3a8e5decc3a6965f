"""Roles in their reader's language: the database holds them in English."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from laaffic_console.kit.words import people as roles

ROLES = {
    roles.VIEWER: _("Viewer"),
    roles.OPERATOR: _("Operator"),
    roles.APPROVER: _("Approver"),
    roles.ADMINISTRATOR: _("Administrator"),
}
PURPOSES = {
    roles.VIEWER: _("sees every page, with people's numbers masked"),
    roles.OPERATOR: _("imports contacts, launches campaigns, answers and calls"),
    roles.APPROVER: _("approves big launches and settles what no evidence could"),
    roles.ADMINISTRATOR: _("all of that, and applications, people and roles"),
}


def role(group: Group) -> Any:
    return ROLES.get(group.name, group.name)


def role_and_purpose(group: Group) -> str:
    """A role that an owner has made says what it is for by its name."""
    purpose = PURPOSES.get(group.name)
    return gettext("%(role)s: %(purpose)s") % {"role": role(group), "purpose": purpose} if purpose else str(role(group))


class OneRoleField(forms.ModelChoiceField):  # type: ignore[type-arg]  # takes none when it runs
    """The one role of a new person."""

    def __init__(self, **options: Any) -> None:
        usual = {"widget": UnfoldAdminSelectWidget, "label": _("Role"), "empty_label": _("Select value")}
        super().__init__(Group.objects.order_by("pk"), **usual | options)

    def label_from_instance(self, row: Any) -> str:
        return role_and_purpose(row)
