"""A text can grow beyond what the gateway takes when its fields are filled in, or nothing can be left of it. Such a
message is rejected when the audience is frozen, with the reason on it: its batch's request would be refused whole, for
everybody in it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F, TextField
from django.db.models.functions import Cast, Length
from django.utils import timezone

from laaffic_console.kit.words.plain_text import is_blank
from messaging.models import Batch, BatchState, Campaign, Message, MessageState
from messaging.services.batches.batch_texts import as_values
from messaging.services.channels import channels
from messaging.services.tallies import sent_tallies, tally_writes
from messaging.text import merge_fields
from messaging.text.merge_fields import Field, Template

BLANK = "nothing to read with its fields filled in"


@dataclass(frozen=True, slots=True)
class Bound:
    """Limits of a merged text. A contact whose values together are below `least_values` cannot make it too long.

    If a text has nothing beside its fields, every contact is checked, as it may be blank.
    """

    template: Template
    longest: int
    least_values: int  # characters that all values together need before a text can be too long
    may_be_blank: bool

    @property
    def too_long(self) -> str:
        return f"longer than {self.longest:,} characters with its fields filled in"

    def problem(self, values: Mapping[str, str]) -> str:
        """Why it cannot be sent to anyone who has these values, as it is kept on the message; "" where it can."""
        return self.problem_of(merge_fields.render(self.template, merge_fields.with_derived(values)))

    def problem_of(self, text: str) -> str:
        """As `problem`, for a text whose fields are filled in already."""
        if self.may_be_blank and is_blank(text):
            return BLANK
        return self.too_long if len(text) > self.longest else ""


def bound(campaign: Campaign) -> Bound | None:
    """None where every recipient gets the same text."""
    template = merge_fields.parse(campaign.text)
    fields = [part for part in template.parts if isinstance(part, Field)]
    if not fields:
        return None
    literals = [part for part in template.parts if isinstance(part, str)]
    said_anyway = sum(map(len, literals)) + sum(len(field.fallback) for field in fields)
    longest = channels.of(campaign).longest_text
    uses = max(Counter(field.name for field in fields).values())
    uses += "first_name" in template.fields  # taken from the name, which may be a field itself
    least_values = max(0, (longest - said_anyway) // uses)
    return Bound(template, longest, least_values, may_be_blank=all(map(is_blank, literals)))


def reject_unfit(campaign: Campaign, batch: Batch) -> int:
    """Reject those of a new batch whose text is too long or blank, in the transaction that froze it; how many."""
    limit = bound(campaign)
    if limit is None:
        return 0
    suspects = batch.messages().filter(state=MessageState.QUEUED)
    if not limit.may_be_blank:
        room = Length(Cast("merge_values", TextField()))
        suspects = suspects.annotate(room=room).filter(room__gt=limit.least_values)
    unfit: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for pk, country, values in suspects.values_list("pk", "country", "merge_values").iterator():
        if problem := limit.problem(as_values(values)):
            unfit[problem].append((pk, country))
    if unfit:
        with sent_tallies.following(batch):
            _reject(campaign, batch, unfit)
    return sum(map(len, unfit.values()))


def _reject(campaign: Campaign, batch: Batch, unfit: Mapping[str, list[tuple[int, str]]]) -> None:
    now = timezone.now()
    rejected = sum(map(len, unfit.values()))
    for reason, those in unfit.items():
        Message.objects.filter(pk__in=[pk for pk, _country in those]).update(
            state=MessageState.REJECTED, reason=reason, evidence="when the audience was frozen", settled_at=now
        )
    Batch.objects.filter(pk=batch.pk).update(
        queued=F("queued") - rejected,
        rejected=F("rejected") + rejected,
        state=BatchState.QUEUED if batch.queued > rejected else BatchState.SETTLED,
    )
    by_country = Counter((country, reason) for reason, those in unfit.items() for _pk, country in those)
    tally_writes.count_outcomes(
        campaign.pk,
        {(country, MessageState.REJECTED, reason, ""): (n, 0, 0) for (country, reason), n in by_country.items()},
    )
    tally_writes.count_activity(campaign.pk, {MessageState.REJECTED: rejected}, now)
