"""The names of groups in the texts of audiences: whom an audience means is kept by the groups' ids, and its text says
what they are called now."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from django.db import models, transaction
from django.dispatch import receiver

from messaging.conditions import condition_texts, conditions
from messaging.conditions.conditions import Condition, InGroup
from messaging.models.audiences import Audience
from messaging.models.contacts import ContactGroup


def groups_of(condition: Condition) -> set[int]:
    return {test.group for test in conditions.tests_of(condition) if isinstance(test, InGroup)}


def text(written: str, condition: Condition, names: Mapping[int, str]) -> str:
    """The text as it was written, unless it calls a group by another name than that group has now."""

    def now(test: Condition) -> Condition:
        return dataclasses.replace(test, name=names.get(test.group, test.name)) if isinstance(test, InGroup) else test

    def called(test: Condition) -> Condition:
        return dataclasses.replace(test, group=0) if isinstance(test, InGroup) else test

    meant = conditions.with_tests(conditions.with_tests(condition, now), called)
    try:
        says_so = condition_texts.parse(written) == meant
    except conditions.ConditionError:
        says_so = False
    return written if says_so else condition_texts.write(meant)


@receiver(models.signals.post_save, sender=ContactGroup)
def rename_in_audiences(
    instance: ContactGroup, created: bool, update_fields: Collection[str] | None, **_said: Any
) -> None:
    """Wherever a group is renamed. Otherwise a text would name a group that is not meant, and be read as that later.

    An audience that somebody is saving is left to them, who wait for this group and then write its text with its name
    (audiences.save): to wait for them here would be the other way round.
    """
    if created or (update_fields is not None and "name" not in update_fields):
        return
    with transaction.atomic():
        naming = Audience.objects.filter(pk__in=Audience.objects.filter(named_groups=instance).values("pk"))
        for audience in naming.select_for_update(skip_locked=True, no_key=True).order_by("pk"):
            names = dict(audience.named_groups.values_list("pk", "name"))
            written = text(audience.condition, conditions.from_json(audience.tree), names)
            if written != audience.condition:
                Audience.objects.filter(pk=audience.pk).update(condition=written)
