"""Audiences by condition: saved by name, counted and looked into."""

import difflib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.audit import acts
from laaffic_console.kit.masking import masks
from messaging.conditions import condition_texts, conditions
from messaging.conditions.condition_rows import Rows as ClickedRows
from messaging.conditions.condition_rows import joined
from messaging.conditions.conditions import ATTRIBUTE, Condition, ConditionError, Contains, InCampaign, InGroup, Replied
from messaging.models import Audience, Campaign, Contact, ContactGroup, group_names
from messaging.services.saved_audiences import audience_sql
from messaging.services.saved_audiences.condition_sql import Rules

REQUEST_SECONDS = 0.4
STRETCH = 20_000  # contact ids that one statement looks at, at first
QUICK, SLOW = 0.05, 0.2  # seconds of one statement
LOOK_SECONDS = 0.2
SHOWN = 20
RECENT = 500  # contacts whose attributes are offered where one is not known


def read(text: str) -> Condition:
    """The condition, its groups and campaigns looked up; ValidationError says what is wrong and what to do next."""
    if not masks.may_see() and masks.is_masked(text):
        said = _(
            "This condition has numbers or addresses that you see masked: saved like this, it would match nobody. "
            "Leave the condition as it is, or write these values whole."
        )
        raise ValidationError({"condition": said})
    try:
        parsed = condition_texts.parse(text)
    except ConditionError as problem:
        raise ValidationError({"condition": str(problem)}) from problem
    return _known(parsed)


def read_rows(rows: ClickedRows) -> tuple[Condition | None, dict[int, str]]:
    """As `read`, for clicked rows: the condition, or None and {row: what is wrong}. Untouched rows are ignored."""
    found: list[Condition] = []
    problems: dict[int, str] = {}
    for place, row in enumerate(rows.rows):
        if row.is_untouched:
            continue
        try:
            found.append(_known(row.condition()))
        except ConditionError as problem:
            problems[place] = problem.says
        except ValidationError as problem:
            problems[place] = " ".join(problem.messages)
    return (None if problems or not found else joined(tuple(found), is_any=rows.is_any)), problems


def _known(parsed: Condition) -> Condition:
    found = conditions.with_tests(parsed, _looked_up)
    for name in sorted(_attributes(found)):
        if not _has_anybody(name):
            raise ValidationError({"condition": _unknown_attribute(name)})
    return found


def _looked_up(test: Condition) -> Condition:
    if isinstance(test, Contains) and not masks.may_see() and re.search(r"[\d@]", test.value):
        # Attributes hold numbers and addresses too: how many have a part would tell one digit after digit.
        said = _(
            "You see numbers and addresses masked, so “contains” takes no digits and no @. Give the whole value: =."
        )
        raise ValidationError({"condition": said})
    if isinstance(test, InGroup):
        group = ContactGroup.objects.filter(name=test.name, is_ad_hoc=False).first()
        if group is None:
            raise ValidationError({"condition": _unknown_group(test.name)})
        return replace(test, group=group.pk)
    if isinstance(test, InCampaign | Replied) and not Campaign.objects.filter(pk=test.campaign).exists():
        said = _("There is no campaign %(id)s. Its number is in the address of its page, and in campaign list.")
        raise ValidationError({"condition": said % {"id": test.campaign}})
    return test


def _unknown_group(name: str) -> str:
    names = list(ContactGroup.objects.filter(is_ad_hoc=False).values_list("name", flat=True)[:2000])
    said = _("There is no group “%(name)s”.") % {"name": name}
    then = _alike(name, names) or _("Make it first, or import contacts into it.")
    return f"{said} {then}"


def _unknown_attribute(name: str) -> str:
    known = sorted({name for attributes in recent_attributes() for name in attributes})
    said = _("No contact has an attribute “%(name)s”.") % {"name": name}
    others = _("Attributes are: %(known)s.") % {"known": ", ".join(known[:SHOWN])} if known else ""
    then = _alike(name, known) or others or _("Import contacts with such a column first.")
    return f"{said} {then}"


def recent_attributes() -> list[dict[str, str]]:
    """The attributes of the newest contacts that have any."""
    return list(Contact.objects.exclude(attributes={}).order_by("-pk").values_list("attributes", flat=True)[:RECENT])


def _alike(name: str, known: list[str]) -> str:
    same = [other for other in known if other.lower() == name.lower()]
    near = same or difflib.get_close_matches(name, known, 1)
    return _("Is “%(name)s” meant?") % {"name": near[0]} if near else ""


def _attributes(condition: Condition) -> set[str]:
    fields = {getattr(test, "field", "") for test in conditions.tests_of(condition)}
    return {field.removeprefix(ATTRIBUTE) for field in fields if field.startswith(ATTRIBUTE)}


def _has_anybody(attribute: str) -> bool:
    """Whether somebody has it; the newest are looked at first, for they answer at once."""
    on_postgres = connection.vendor == "postgresql"
    has = "c.attributes ? %s" if on_postgres else "json_type(c.attributes, %s) IS NOT NULL"
    name = attribute if on_postgres else f'$."{attribute}"'
    with connection.cursor() as cursor:
        for rows in ("(SELECT attributes FROM messaging_contact ORDER BY id DESC LIMIT 500)", "messaging_contact"):
            cursor.execute(f"SELECT 1 FROM {rows} c WHERE {has} LIMIT 1", [name])
            if cursor.fetchone():
                return True
    return False


def save(audience: Audience, *, by: User | None = None) -> Audience:
    """Keep it, new or edited, with its condition as it was read; ValidationError names the field that is wrong."""
    audience.name, audience.condition = audience.name.strip(), audience.condition.strip()
    found = _as_kept(audience) or read(audience.condition)
    audience.full_clean(exclude=["created_by", "condition"])
    audience.tree = conditions.as_json(found)
    with transaction.atomic():
        # Locked, and before the audience: none of them is deleted or renamed between this look and the end.
        named = ContactGroup.objects.select_for_update().filter(pk__in=group_names.groups_of(found)).order_by("pk")
        names = {group.pk: group.name for group in named}
        audience.condition = group_names.text(audience.condition, found, names)
        if audience.pk is None:
            audience.created_by = by
            audience.save()
        else:
            audience.save(update_fields=["name", "condition", "tree", "updated_at"])
        audience.named_groups.set(names)
    return audience


def _as_kept(audience: Audience) -> Condition | None:
    """What its text was read as, if nobody has changed the text: another group may have got a name in it since."""
    kept = Audience.objects.filter(pk=audience.pk).values_list("condition", "tree").first()
    return conditions.from_json(kept[1]) if kept and kept[1] and kept[0] == audience.condition else None


def create(*, name: str, condition: str, by: User | None = None) -> Audience:
    audience = save(Audience(name=name, condition=condition), by=by)
    named = Audience._meta.get_field("condition").verbose_name
    acts.record(acts.Act.ADDED, audience, changes=[[named, "", audience.condition[:300]]])
    return audience


def rules(found: Iterable[Condition]) -> Rules:
    """The rules, with times such as “in the last 30 days” counted back from now."""
    return Rules(tuple(found), timezone.now())


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of the contacts up to `after`; of all when it `is_done`."""

    contacts: int
    after: int
    end: int

    @property
    def is_done(self) -> bool:
        return self.after >= self.end


def count(meant: Rules, *, after: int = 0, seconds: float | None = REQUEST_SECONDS) -> Counted:
    """Count those who meet the rules among contact ids beyond `after`, for so many seconds; None: until the end."""
    end, found = audience_sql.last_contact(), 0
    with connection.cursor() as cursor:
        for begins, upper in stretches(after, end, seconds):
            who, params = audience_sql.members((), begins, upper, None, meant)
            cursor.execute(f"SELECT count(*) {who}", params)
            found, after = found + cursor.fetchone()[0], upper
    return Counted(found, after, end)


def stretches(after: int, end: int, seconds: float | None) -> Iterator[tuple[int, int]]:
    """Stretches of contact ids (above, up to) for one statement each; at least one, so that each call gets on."""
    give_up_at = None if seconds is None else time.monotonic() + seconds
    stretch = STRETCH
    while after < end:
        began, upper = time.monotonic(), min(after + stretch, end)
        yield after, upper
        took, after = time.monotonic() - began, upper
        stretch = stretch * 2 if took < QUICK else max(1000, stretch // 2) if took > SLOW else stretch
        workers.beat()
        if give_up_at is not None and time.monotonic() >= give_up_at:
            return


def first(meant: Rules, *, at_most: int = SHOWN, seconds: float = LOOK_SECONDS) -> list[Contact]:
    """The first of them by id, as far as they are found in so long."""
    found: list[int] = []
    end, after = audience_sql.last_contact(), 0
    give_up_at = time.monotonic() + seconds
    while after < end and len(found) < at_most and time.monotonic() < give_up_at:
        upper = min(after + STRETCH, end)
        found += audience_sql.meeting(meant, after, upper, at_most - len(found))
        after = upper
    return list(Contact.objects.filter(pk__in=found).order_by("pk"))
