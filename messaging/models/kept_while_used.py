"""What campaigns, drafts and audiences use is not deleted, wherever somebody tries to."""

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from messaging.conditions import conditions
from messaging.models.audiences import Audience
from messaging.models.campaigns import Campaign, CampaignState
from messaging.models.contacts import ContactGroup
from messaging.models.imports import ContactImport
from messaging.models.templates import MessageTemplate

OVER = (CampaignState.FINISHED, CampaignState.CANCELLED)


def using(groups: Iterable[ContactGroup]) -> models.QuerySet[Campaign]:
    """Campaigns that are not over and send to one of these groups, or leave one out, also by a condition."""
    chosen = [group.pk for group in groups]
    live = Campaign.objects.exclude(state__in=OVER)
    found: set[int] = set()
    for is_used in ("groups", "excluded_groups", "audiences__named_groups"):
        found.update(live.filter(**{f"{is_used}__in": chosen}).values_list("pk", flat=True))
    # As of the launch: the audience may have been edited since.
    freezing = live.filter(audience=Campaign.Audience.FREEZING).exclude(rules=[])
    found.update(pk for pk, rules in freezing.values_list("pk", "rules") if not named_by(rules).isdisjoint(chosen))
    return Campaign.objects.filter(pk__in=found).order_by("pk")


def named_by(rules: Iterable[dict[str, Any]]) -> set[int]:
    """The groups that a campaign's kept conditions ask about."""
    tests = (test for rule in rules for test in conditions.tests_of(conditions.from_json(rule["tree"])))
    return {test.group for test in tests if isinstance(test, conditions.InGroup)}


@receiver(models.signals.pre_delete, sender=ContactGroup)
def keep_while_used(instance: ContactGroup, **_said: Any) -> None:
    """Wherever it is deleted from: with the group a campaign would lose whom it leaves out, without a word.

    Under the group's lock, which its deleter keeps by a transaction: no campaign can come to use it between this
    look and the end of the deletion.
    """
    with transaction.atomic():
        list(ContactGroup.objects.select_for_update().filter(pk=instance.pk).values_list("pk"))
    if campaigns := list(using([instance])[:5]):
        sentence = _("The group “%(group)s” is used by %(names)s: cancel them, or take the group out of them first.")
        raise models.ProtectedError(sentence % {"group": instance.name, "names": _named(campaigns)}, set(campaigns))
    if audiences := list(naming([instance])[:5]):
        names = ", ".join(f"“{audience}”" for audience in audiences)
        sentence = _("The group “%(group)s” is named by the audience %(names)s: change its condition first.")
        raise models.ProtectedError(sentence % {"group": instance.name, "names": names}, set(audiences))
    if imports := list(filling([instance])[:5]):
        names = ", ".join(f"“{one}”" for one in imports)
        sentence = _("The group “%(group)s” is filled by the import %(names)s: wait until it ends, or cancel it first.")
        raise models.ProtectedError(sentence % {"group": instance.name, "names": names}, set(imports))


def filling(groups: Iterable[ContactGroup]) -> models.QuerySet[ContactImport]:
    """Imports that put contacts into one of these groups, now or once started: the rest would go into none."""
    State = ContactImport.State
    open_ones = (State.PREVIEW, State.QUEUED, State.RUNNING)
    return ContactImport.objects.filter(group__in=[group.pk for group in groups], state__in=open_ones).order_by("pk")


def _named(campaigns: Iterable[Campaign]) -> str:
    return ", ".join(f"“{campaign}” ({campaign.get_state_display()})" for campaign in campaigns)


def naming(groups: Iterable[ContactGroup]) -> models.QuerySet[Audience]:
    """Audiences whose conditions name one of these groups."""
    chosen = [group.pk for group in groups]
    return Audience.objects.filter(named_groups__in=chosen).order_by("pk").distinct()


def sending_to(audiences: Iterable[Audience]) -> models.QuerySet[Campaign]:
    """Campaigns that are not over and send to one of these audiences."""
    chosen = [audience.pk for audience in audiences]
    return Campaign.objects.filter(audiences__in=chosen).exclude(state__in=OVER).order_by("pk").distinct()


@receiver(models.signals.pre_delete, sender=Audience)
def keep_audience_while_used(instance: Audience, **_said: Any) -> None:
    """Refuse to delete an audience that is used, wherever that is tried; checked under its lock, as with groups."""
    with transaction.atomic():
        list(Audience.objects.select_for_update().filter(pk=instance.pk).values_list("pk"))
    if campaigns := list(sending_to([instance])[:5]):
        said = _("The audience “%(audience)s” is used by %(names)s: cancel them, or take it out of them first.")
        raise models.ProtectedError(said % {"audience": instance.name, "names": _named(campaigns)}, set(campaigns))


def drafts_from(templates: Iterable[MessageTemplate]) -> models.QuerySet[Campaign]:
    """Drafts of campaigns whose text comes from one of these templates."""
    chosen = [template.pk for template in templates]
    drafts = Campaign.objects.filter(template_version__template__in=chosen, state=CampaignState.DRAFT)
    return drafts.order_by("pk")


@receiver(models.signals.pre_delete, sender=MessageTemplate)
def keep_template_while_used(instance: MessageTemplate, **_said: Any) -> None:
    """Wherever it is deleted from, and under its lock. A draft keeps its text in any case."""
    with transaction.atomic():
        list(MessageTemplate.objects.select_for_update().filter(pk=instance.pk).values_list("pk"))
    if drafts := list(drafts_from([instance])[:5]):
        names = ", ".join(f"“{draft}”" for draft in drafts)
        said = _("The template “%(template)s” is used by the draft %(names)s: launch or delete that first.")
        raise models.ProtectedError(said % {"template": instance.name, "names": names}, set(drafts))
