"""The numbers that a group-call task calls: groups, a pasted list and a file, each person once, without the suppressed.

Two hundred thousand numbers take about a second: groups are one query, lists are read with the table of `msisdn`, and
the suppressed are looked for in chunks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.plain_text import keepable
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined, ngettext
from laaffic_console.laaffic.group_calls import MAX_NUMBERS
from messaging.models import Contact, ContactGroup, SuppressionEntry
from messaging.services.contacts import erasures, suppression
from messaging.services.contacts.suppression import Invalid, Numbers
from messaging.services.saved_audiences import audience_sql
from messaging.subscribers import subscriber
from voice.models import GroupTask, TaskNumbers

INVALID_SHOWN = 5
AT_ONCE = 5000  # contacts, read by their ids
GIVEN = ("number_count", "numbers_from", "numbers_digest")
# How many are left out, by reason; the last two are known when it is launched (care.py).
LEFT_OUT = ("left_twice", "left_suppressed", "left_invalid", "left_no_consent", "left_capped")


@dataclass(slots=True)
class Audience:
    """Numbers in the order in which they were given, and how many were left out."""

    numbers: list[str] = field(default_factory=list)
    twice: int = 0
    suppressed: int = 0
    invalid: int = 0
    sources: list[str] = field(default_factory=list)


def gather(
    *,
    groups: Sequence[ContactGroup] = (),
    pasted: str = "",
    each: Sequence[str] = (),
    upload: "UploadedFile[Any] | None" = None,
    region: str = "",
    skip_invalid: bool = False,
    with_sms: bool = False,
    to_skip: str = "",
) -> Audience:
    """Read the numbers; ValidationError at `groups`, `numbers` or `file` for what cannot be called. Nothing is stored.

    `each`: a list of which each entry is one number, as scripts send it.
    `to_skip`: how a caller without a page is told to have invalid numbers left out.
    """
    audience = Audience()
    given: list[str] = []

    def add(numbers: Sequence[str], source: str) -> None:
        given.extend(numbers)
        audience.sources.append(source)

    if groups:
        add(_of_groups(groups), ", ".join(group.name for group in groups))
    if pasted.strip() or each:
        listed = suppression.read_each(each, region) if each else suppression.read_pasted(pasted, region)
        add(_taken("numbers", listed, skip_invalid, audience, to_skip), _("a pasted list"))
    if upload is not None:
        try:
            read = suppression.read_upload(upload, region)
        except ValidationError as problem:
            raise ValidationError({"file": problem.messages}) from problem
        add(_taken("file", read, skip_invalid, audience), keepable(upload.name or "") or _("a file"))
    found = each_once(given)
    audience.twice += len(given) - len(found)
    stopped = suppressed(found, with_sms=with_sms)
    audience.suppressed = len(stopped)
    audience.numbers = [number for number in found if number not in stopped]
    _check_count(audience, field="groups" if groups else "numbers" if pasted.strip() or each else "file")
    return audience


def each_once(numbers: Sequence[str]) -> list[str]:
    """One number for each subscriber, in its first spelling: another spelling rings the same phone."""
    first: dict[str, str] = {}
    for given in numbers:
        first.setdefault(subscriber(given), given)
    return list(first.values())


def _taken(field: str, read: Numbers, skip_invalid: bool, audience: Audience, to_skip: str = "") -> list[str]:
    if read.invalid and not skip_invalid:
        raise ValidationError({field: said_of(read.invalid, to_skip)})
    audience.invalid += len(read.invalid)
    audience.twice += read.twice
    return read.good


def said_of(invalid: Sequence[Invalid], to_skip: str = "") -> list[str]:
    """Sentences about the first invalid numbers with their lines, and how many more there are."""
    said = [_in_words(one) for one in invalid[:INVALID_SHOWN]]
    if (more := len(invalid) - INVALID_SHOWN) > 0:
        rest = ngettext("And %(n)s more invalid number.", "And %(n)s more invalid numbers.", more)
        said.append(rest % {"n": number(more)})
    return [*said, to_skip or _("Correct them, or leave out invalid numbers.")]


def _in_words(one: Invalid) -> str:
    told = {"line": one.line, "value": one.value, "reason": one.reason}
    if f"“{one.value}”" in one.reason:  # the reason quotes it already
        return _("Row %(line)s: %(reason)s") % told
    return _("Row %(line)s: “%(value)s”. %(reason)s") % told


def _of_groups(groups: Sequence[ContactGroup]) -> list[str]:
    # A few more than a task takes, so that too many are noticed without reading a group of millions.
    members = audience_sql.first_of([group.pk for group in groups], 2 * MAX_NUMBERS)
    found: list[str] = []
    for start in range(0, len(members), AT_ONCE):
        reached = Contact.objects.filter(pk__among=members[start : start + AT_ONCE])
        found += reached.order_by("pk").values_list("number", flat=True)
    return found


def _check_count(audience: Audience, *, field: str) -> None:
    count = len(audience.numbers)
    if count > MAX_NUMBERS:
        shown = {"n": number(count), "most": number(MAX_NUMBERS)}
        raise ValidationError({field: _("%(n)s numbers; one task takes %(most)s. Make several tasks of them.") % shown})
    if not count and audience.suppressed:
        raise ValidationError({field: _("All of these numbers are on the suppression list: nobody would be called.")})
    if not count:
        raise ValidationError({field: _("It contains no phone numbers.")})


def suppressed(numbers: Sequence[str], *, with_sms: bool) -> set[str]:
    """Numbers not to call; with an SMS after the call also those that want no SMS, as Laaffic would send it to all."""
    return suppression.suppressed_among(numbers, channels=_channels(with_sms=with_sms))


def _channels(*, with_sms: bool) -> list[str]:
    return [Channel.VOICE, Channel.ALL, *([Channel.SMS] if with_sms else [])]


def newest_entry() -> int:
    return SuppressionEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def suppressed_since_launch(task: GroupTask) -> int:
    """How many of its numbers opted out since Laaffic has them."""
    channels = _channels(with_sms=task.hang_up_sms)
    entries = SuppressionEntry.objects.stopping(channels).filter(pk__gt=task.suppression_seen)
    fresh = {subscriber(number) for number in entries.values_list("number", flat=True)}
    return sum(subscriber(number) in fresh for number in of(task)) if fresh else 0


def erased_since_launch(task: GroupTask, numbers: Sequence[str]) -> set[str]:
    """The numbers whose people were erased since this task was launched and have not become contacts again."""
    gone = set(map(subscriber, erasures.gone_since(task.launched_at)))
    return {one for one in numbers if subscriber(one) in gone} if gone else set()


def keep(task: GroupTask, audience: Audience) -> None:
    """Store the numbers and the counts of those left out; in the caller's transaction, which saves the task."""
    task.number_count = len(audience.numbers)
    task.left_twice, task.left_suppressed, task.left_invalid = audience.twice, audience.suppressed, audience.invalid
    task.left_no_consent = task.left_capped = 0
    task.numbers_from = sources_of(audience)
    lines = "\n".join(audience.numbers)
    task.numbers_digest = ledger.digest_of(lines)
    TaskNumbers.objects.update_or_create(task=task, defaults={"lines": lines})


def sources_of(audience: Audience) -> str:
    return joined(audience.sources, "; ") if audience.sources else ""


def is_kept(task: GroupTask, audience: Audience) -> bool:
    """Whether the task has exactly these numbers and counts already."""
    most = GroupTask._meta.get_field("numbers_from").max_length
    now = (task.left_twice, task.left_suppressed, task.left_invalid, task.numbers_from[:most])
    given = (audience.twice, audience.suppressed, audience.invalid, sources_of(audience)[:most])
    return now == given and of(task) == audience.numbers


def of(task: GroupTask) -> list[str]:
    kept = TaskNumbers.objects.filter(task=task).values_list("lines", flat=True).first()
    return kept.split("\n") if kept else []


def callable_now(task: GroupTask) -> Audience:
    """The task's numbers without those suppressed since; each person once, even if they are stored more than once."""
    kept = of(task)
    found = each_once(kept)
    stopped = suppressed(found, with_sms=task.hang_up_sms)
    numbers = [number for number in found if number not in stopped] if stopped else found
    return Audience(numbers, twice=len(kept) - len(found), suppressed=len(stopped))


def with_any(numbers: Collection[str], states: Collection[str]) -> list[int]:
    """Ids of the tasks in these states that call one of the numbers; their numbers are stored as text."""
    found = Q()
    for one in numbers:
        found |= Q(padded__contains=f"\n{one}\n")
    if not found:
        return []
    line = Value("\n")
    kept = TaskNumbers.objects.filter(task__state__in=states).annotate(
        padded=Concat(line, "lines", line, output_field=TextField())
    )
    return list(kept.filter(found).order_by("task").values_list("task", flat=True))
