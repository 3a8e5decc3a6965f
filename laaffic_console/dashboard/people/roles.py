"""The four roles that every console begins with: groups of permissions, made once and then the owner's to change.

A migration makes the groups; permissions exist only after all migrations have run, so a group that has none is filled
then. Permissions that a later version brings are added to the roles that they belong to; what an owner has taken
from a role, or added to it, stays so.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError, transaction

from laaffic_console.kit.words.people import ADMINISTRATOR, APPROVER, OPERATOR, ROLES, VIEWER

# People, roles, failed sign-ins, who did what, tokens, webhooks, sessions: for administrators alone.
CLOSED_APPS = ("auth", "axes", "audit", "api", "events", "usersessions")
APPS = ("gateway", "exporting", "reports", "messaging", "voice", "numbers")

# Numbers are masked for them; one at a time can be shown, which is recorded.
LOOKED = {"messaging": {"reveal_number"}}
# What operators do beside looking; "*": whatever the model has.
OPERATED = {
    "reports": {"add_report", "change_report", "delete_report", "export_report", "link_report"},
    "messaging": {
        "see_numbers",
        *(
            "*contact",
            "*contactgroup",
            "*audience",
            "*contactimport",
            "*suppressionentry",
            "*consent",
            "*mmsattachment",
        ),
        *("add_campaign", "change_campaign", "delete_campaign", "launch_campaign"),
        *("add_emailcampaign", "change_emailcampaign", "delete_emailcampaign", "launch_emailcampaign"),
        *("change_reply", "change_emailmessage", "export_reply", "export_emailmessage"),
        *("export_message", "*savedanswer", "*messagetemplate", "answer_conversation", "assign_conversation"),
    },
    "voice": {
        *("*audiofile", "add_sipcall", "change_sipphone", "provision_sipphone"),
        *("change_callrecord", "export_callrecord", "export_sipcall"),
        *("add_grouptask", "change_grouptask", "delete_grouptask", "launch_grouptask", "export_grouptask"),
    },
    "numbers": {"*binding", "*numberpool", "change_ownednumber", "export_ownednumber", "edit_ownednumber"},
}
# Acts that need a second look: a big launch, a lost answer's end by a person's word, the end of an account's hold.
# People who settle a lost answer by their word have to read the evidence as it came.
APPROVED = {
    "messaging": {
        "see_numbers",
        "resolve_campaign",
        "resolve_emailcampaign",
        "approve_campaign",
        "approve_emailcampaign",
    },
    "voice": {"approve_grouptask", "resolve_callrecord"},
    "gateway": {"release_accounthold", "read_pushedbody", "settle_ledgerentry"},
}


def belongs(role: str, app: str, codename: str) -> bool:
    """Whether a permission is one of a role's from the beginning."""
    if role == ADMINISTRATOR:
        return app in (*APPS, *CLOSED_APPS)
    if app not in APPS:
        return False
    if codename.startswith("view_"):
        return True
    granted = {VIEWER: LOOKED, OPERATOR: OPERATED, APPROVER: APPROVED}.get(role, {}).get(app, set())
    return codename in granted or f"*{codename.partition('_')[2]}" in granted


_known: set[int] = set()


def remember(using: str, **signal: Any) -> None:
    """Note before migrations which permissions there are, so that new ones can be told from them afterwards."""
    from django.contrib.auth.models import Permission

    try:
        with transaction.atomic(using=using):  # a new database has no such table, and goes on after the error
            _known.update(Permission.objects.using(using).values_list("pk", flat=True))
    except DatabaseError:
        _known.clear()


def fill(app_config: AppConfig, using: str, **signal: Any) -> None:
    """Give roles an app's permissions after its migrations: all of them where a role has none, else the new ones."""
    from django.contrib.auth.models import Group, Permission

    if app_config.label not in (*APPS, *CLOSED_APPS):
        return
    of_app = Permission.objects.using(using).filter(content_type__app_label=app_config.label)
    permissions = list(of_app.values_list("pk", "codename"))
    for group in Group.objects.using(using).filter(name__in=ROLES):
        is_new = not group.permissions.exclude(pk__in=_given_now.get(group.pk, ())).exists()
        wanted = [
            pk
            for pk, name in permissions
            if (is_new or pk not in _known) and belongs(group.name, app_config.label, name)
        ]
        _give(group, wanted)
    if app_config.label == "messaging":
        _keep_sight(using)


def _keep_sight(using: str) -> None:
    """Once, with the version that masks numbers: those who saw them still may, until an owner takes the right away."""
    from django.contrib.auth.models import Group, Permission, User

    sight = Permission.objects.using(using).filter(codename="see_numbers", content_type__app_label="messaging").first()
    if sight is None or not _known or sight.pk in _known:
        return
    seen = Permission.objects.using(using).filter(pk__in=_known, codename__in=SHOWING)
    for group in Group.objects.using(using).filter(permissions__in=seen).distinct():
        group.permissions.add(sight)
    for user in User.objects.using(using).filter(user_permissions__in=seen).distinct():
        user.user_permissions.add(sight)


# Rights to pages with numbers on them.
SHOWING = [f"view_{model}" for model in ("contact", "message", "reply", "suppressionentry", "callrecord", "binding")]
# The permissions given in this run: a role with no others is new, also while its second app is looked at.
_given_now: dict[int, set[int]] = {}


def _give(group: Any, permissions: Iterable[int]) -> None:
    wanted = set(permissions)
    group.permissions.add(*wanted)
    _given_now.setdefault(group.pk, set()).update(wanted)
