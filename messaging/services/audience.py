"""Freezing a campaign's audience: from groups of contacts to batches of messages, without a contact in Python.

A chunk is at most a thousand contacts by rising id, written by one INSERT … SELECT in one short transaction together
with the campaign's cursor, so a killed freeze goes on where it stood. Each chunk is a batch: it can be sent at once.
"""

import contextlib
import time
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from laaffic_console.gateway.services import bell, leases, workers
from laaffic_console.gateway.services.durability import relax
from messaging import merge_fields, msisdn
from messaging.models import Batch, Campaign, Contact, Message, MessageState, SuppressionEntry
from messaging.msisdn import Msisdn
from messaging.services import audience_sql, channels, merged_lengths
from messaging.services.merge_values import COLUMNS_OF_CONTACT, values_of

CHUNK = 1000  # what one POST may carry (wire §2.1), and a write lock of some 20 ms
SLICE_SECONDS = 20.0
BREATH_SECONDS = 0.02  # SQLite's lock is unfair: a writer that never rests starves the others


def freeze(campaign_id: int) -> None:
    """Freeze as much as a job's time allows, and ring for the rest."""
    with leases.lease(f"freeze:{campaign_id}") as held:
        if held is None:
            return
        give_up_at = time.monotonic() + SLICE_SECONDS
        while freeze_chunk(campaign_id):
            workers.beat()
            if time.monotonic() > give_up_at or not held.renew():
                bell.ring("messaging.jobs.freeze_audience", campaign_id)
                return
            time.sleep(BREATH_SECONDS)


def freeze_one_chunk(campaign_id: int) -> bool:
    """For a sender that has nothing to send: do a chunk if nobody else is freezing."""
    with leases.lease(f"freeze:{campaign_id}") as held:
        return held is not None and freeze_chunk(campaign_id)


@transaction.atomic
def freeze_chunk(campaign_id: int) -> bool:
    """The next chunk; False when nothing is left to freeze."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.audience != Campaign.Audience.FREEZING:
        return False
    relax()  # a chunk that a power cut takes is frozen again; before one of its messages leaves, the disk has it
    included = list(campaign.groups.order_by("pk").values_list("pk", flat=True))
    upper = audience_sql.end_of_stretch(included, campaign.audience_cursor, campaign.audience_end, CHUNK)
    if upper is None:
        _add_extra_numbers(campaign)
        Campaign.objects.filter(pk=campaign.pk).update(audience=Campaign.Audience.FROZEN)
        return False
    _freeze_range(campaign, included, upper)
    return True


def _freeze_range(campaign: Campaign, groups: Sequence[int], upper: int) -> None:
    audience, params = audience_sql.members(groups, campaign.audience_cursor, upper)
    excluded = list(campaign.excluded_groups.order_by("pk").values_list("pk", flat=True))
    not_excluded, excluded_params = audience_sql.not_excluded(excluded, campaign.audience_cursor, upper)
    batch = Batch.objects.create(campaign=campaign, first_message_id=0, last_message_id=0, size=0)
    values, value_params = _merge_values_sql(campaign.text)
    suppressed_on = channels.of(campaign).suppressed_on
    made = _insert_messages(
        f"SELECT {campaign.pk}, {batch.pk}, c.id, c.number, c.country, {values}, "
        f"{MessageState.QUEUED.value}, {channels.of(campaign).segments(campaign.text)}, 1, '', '', '', '' "
        f"{audience} AND {not_excluded} AND {audience_sql.NOT_SUPPRESSED} ORDER BY c.id",
        [*value_params, *params, *excluded_params, *suppressed_on],
    )
    dropped = _count_dropped(audience, params, not_excluded, excluded_params, suppressed_on)
    _keep_batch(campaign, batch, *made)
    Campaign.objects.filter(pk=campaign.pk).update(
        audience_cursor=upper,
        total=F("total") + made[0],
        dropped_excluded=F("dropped_excluded") + dropped[0],
        dropped_suppressed=F("dropped_suppressed") + dropped[1],
    )


def _merge_values_sql(text: str) -> tuple[str, list[str]]:
    """What the text's fields say for a contact, frozen as JSON; NULL when the text has none."""
    used = set(merge_fields.fields(text))
    names = sorted(used | {"name"} if "first_name" in used else used)
    if not names:
        return "NULL", []
    on_postgres = connection.vendor == "postgresql"
    pairs, params = [], []
    for name in names:
        if name in COLUMNS_OF_CONTACT:
            pairs.append(f"%s, c.{name}")
            params.append(name)
        elif on_postgres:
            pairs.append("%s, c.attributes ->> %s")
            params += [name, name]
        else:
            pairs.append("%s, json_extract(c.attributes, %s)")
            params += [name, f'$."{name}"']
    if on_postgres:
        pairs = [pair.replace("%s,", "%s::text,").replace("->> %s", "->> %s::text") for pair in pairs]
    function = "jsonb_build_object" if on_postgres else "json_object"
    return f"{function}({', '.join(pairs)})", params


_MESSAGE_COLUMNS = (
    "campaign_id, batch_id, contact_id, number, country, merge_values, state, segments, attempt, "
    "report_source, reason, evidence, currency"
)


def _insert_messages(select: str, params: Sequence[int | str]) -> tuple[int, int, int]:
    """Insert from a SELECT; (how many, first id, last id)."""
    insert = f"INSERT INTO messaging_message ({_MESSAGE_COLUMNS}) {select}"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"WITH made AS ({insert} RETURNING id) "
                "SELECT count(*), coalesce(min(id), 0), coalesce(max(id), 0) FROM made",
                params,
            )
            count, first, last = cursor.fetchone()
            return count, first, last
        cursor.execute(insert, params)
        count = max(cursor.rowcount, 0)
        cursor.execute("SELECT last_insert_rowid()")
        last = cursor.fetchone()[0]
        return count, last - count + 1, last  # one writer at a time: the ids have no gap


def _count_dropped(
    audience: str, params: list[int], not_excluded: str, excluded: list[int], suppressed_on: tuple[str, str, str]
) -> tuple[int, int]:
    """(in an excluded group, suppressed and in none) among the contacts of a chunk."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(CASE WHEN {not_excluded} THEN 0 ELSE 1 END), 0), "
            f"coalesce(sum(CASE WHEN {audience_sql.NOT_SUPPRESSED} THEN 0 WHEN {not_excluded} THEN 1 ELSE 0 END), 0) "
            f"{audience}",
            [*excluded, *suppressed_on, *excluded, *params],
        )
        excluded_ones, suppressed = cursor.fetchone()
    return excluded_ones, suppressed


def _keep_batch(campaign: Campaign, batch: Batch, count: int, first: int, last: int) -> None:
    if not count:
        batch.delete()
        return
    batch.first_message_id, batch.last_message_id, batch.size, batch.queued = first, last, count, count
    batch.save(update_fields=["first_message_id", "last_message_id", "size", "queued"])
    merged_lengths.reject_too_long(campaign, batch)


def _add_extra_numbers(campaign: Campaign) -> None:
    """Numbers that were given one by one, less those that are invalid, suppressed or in the audience already."""
    if not campaign.extra_numbers:
        return
    wanted = valid_numbers(campaign)
    there = set(Message.objects.filter(campaign=campaign, number__in=wanted).values_list("number", flat=True))
    suppressed = suppressed_among(campaign, wanted)
    numbers = [number for number in wanted if number not in there | suppressed]
    contacts = {contact.number: contact for contact in Contact.objects.filter(number__in=numbers)}
    _insert_numbers(campaign, numbers, wanted, contacts)
    new_suppressed = len(suppressed - there)
    Campaign.objects.filter(pk=campaign.pk).update(
        total=F("total") + len(numbers),
        dropped_suppressed=F("dropped_suppressed") + new_suppressed,
        dropped_invalid=F("dropped_invalid") + len(campaign.extra_numbers) - len(numbers) - new_suppressed,
    )


def valid_numbers(campaign: Campaign) -> dict[str, Msisdn]:
    """Those that were given one by one, each once."""
    wanted: dict[str, Msisdn] = {}
    for text in campaign.extra_numbers:
        with contextlib.suppress(msisdn.InvalidNumber):
            number = msisdn.parse(text)
            wanted[number.number] = number
    return wanted


def is_suppressed(campaign: Campaign) -> Q:
    """Of contacts, for the campaign's channel."""
    stopping = SuppressionEntry.objects.filter(
        number=OuterRef("number"), channel__in=channels.of(campaign).suppressed_on
    )
    return Q(Exists(stopping))


def suppressed_among(campaign: Campaign, numbers: Iterable[str]) -> set[str]:
    stopping = SuppressionEntry.objects.filter(number__in=numbers, channel__in=channels.of(campaign).suppressed_on)
    return set(stopping.values_list("number", flat=True))


def _insert_numbers(
    campaign: Campaign, numbers: list[str], wanted: dict[str, Msisdn], contacts: dict[str, Contact]
) -> None:
    fields = merge_fields.fields(campaign.text)
    for start in range(0, len(numbers), CHUNK):
        piece = numbers[start : start + CHUNK]
        batch = Batch.objects.create(campaign=campaign, first_message_id=0, last_message_id=0, size=0)
        made = Message.objects.bulk_create(
            Message(
                campaign=campaign,
                batch=batch,
                contact=contacts.get(number),
                number=number,
                country=wanted[number].country,
                merge_values=values_of(contacts.get(number) or Contact(number=number)) if fields else None,
                segments=channels.of(campaign).segments(campaign.text),
            )
            for number in piece
        )
        ids = [message.pk for message in made]
        _keep_batch(campaign, batch, len(ids), min(ids, default=0), max(ids, default=0))


def begin(campaign: Campaign) -> None:
    """Fix where the audience ends: who is added to a group from now on is not in it."""
    last = Contact.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    Campaign.objects.filter(pk=campaign.pk).update(
        audience=Campaign.Audience.FREEZING, audience_end=last, launched_at=timezone.now()
    )
