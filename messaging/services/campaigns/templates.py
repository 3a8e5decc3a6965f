"""Templates of texts: saved with a version for each text they have had, compared, and found by name."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from laaffic_console.kit.words.plain_text import sendable
from messaging.models import MessageTemplate, TemplateVersion
from messaging.services.campaigns import drafts

SAME, ADDED, REMOVED = "same", "added", "removed"
WORDS = re.compile(r"\s+|[^\s]+")
SHOWN = 30  # versions on a template's page


@dataclass(frozen=True, slots=True)
class Compared:
    """A version, and how its text differs from the one before: [(same, added or removed; the words)]."""

    version: TemplateVersion
    parts: list[tuple[str, str]]


def check_text(text: str) -> None:
    if problem := drafts.problem_with_text(text):
        raise ValidationError({"text": problem})


def save(
    template: MessageTemplate, *, columns: Iterable[str] = ("name", "text"), note: str = "", by: User | None = None
) -> TemplateVersion | None:
    """Keep it, new or edited; the version that its text began, None where the text is as it was."""
    template.name, template.text = template.name.strip(), sendable(template.text)
    check_text(template.text)
    template.full_clean(exclude=["created_by", "text"])
    with transaction.atomic():
        if template.pk is None:
            template.created_by = by
            template.save()
        else:
            # Locked: two who save at once make two versions, one after the other.
            list(MessageTemplate.objects.select_for_update().filter(pk=template.pk).values_list("pk"))
            template.save(update_fields={*columns, "changed_at"})
        last = latest(template)
        if last is not None and last.text == template.text:
            return None
        number = last.number + 1 if last else 1
        return template.versions.create(
            name=template.name, number=number, text=template.text, note=note.strip()[:200], by=by
        )


def latest(template: MessageTemplate) -> TemplateVersion | None:
    return template.versions.order_by("-number").first()


def latest_by_name(name: str) -> TemplateVersion | None:
    version: TemplateVersion | None = TemplateVersion.objects.filter(template__name=name).order_by("-number").first()
    return version


def history(template: MessageTemplate) -> list[Compared]:
    """The newest first, each beside the one before it."""
    versions = list(template.versions.select_related("by").order_by("-number")[: SHOWN + 1])
    before = [*(version.text for version in versions[1:]), ""]
    beside = list(zip(versions, before, strict=True))[:SHOWN]
    return [Compared(version, compare(old, version.text)) for version, old in beside]


def compare(before: str, after: str) -> list[tuple[str, str]]:
    """Word by word; all of a first text is simply there."""
    if not before:
        return [(SAME, after)]
    old, new = WORDS.findall(before), WORDS.findall(after)
    parts: list[tuple[str, str]] = []
    for verb, i, j, k, n in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if verb == "equal":
            parts.append((SAME, "".join(new[k:n])))
            continue
        parts += [(REMOVED, "".join(old[i:j]))] if j > i else []
        parts += [(ADDED, "".join(new[k:n]))] if n > k else []
    return parts


def said_of(version: TemplateVersion | None, text: str) -> str:
    """Where a campaign's text comes from; "" where from no template."""
    if version is None:
        return ""
    words = {"name": version.name, "n": version.number}
    if version.text == text:
        return _("Text: template “%(name)s”, version %(n)d.") % words
    return _("Text: template “%(name)s”, version %(n)d, changed for this campaign.") % words
