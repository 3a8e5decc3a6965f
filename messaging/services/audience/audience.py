"""Freezing a campaign's audience: from groups of contacts to batches of messages, without a contact in Python.

A chunk is at most a thousand contacts by rising id, written by one INSERT … SELECT in one short transaction together
with the campaign's cursor, so a killed freeze goes on where it stood. Each chunk is a batch: it can be sent at once.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Exists, F, IntegerField, OuterRef, QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.database.durability import relax
from laaffic_console.gateway.services.work import bell, leases, turns, workers
from laaffic_console.kit.sql.constant_sql import Given, Select, Update, kept
from laaffic_console.kit.words.said import gettext as _
from messaging import job_names
from messaging.models import (
    Batch,
    Campaign,
    CampaignEvent,
    Contact,
    ContactGroup,
    GroupMembership,
    Message,
    MessageState,
)
from messaging.services.audience import given_numbers, left_out, new_batches, rules
from messaging.services.channels import channels
from messaging.services.contacts import consents, contact_writes
from messaging.services.gates import as_frozen, canary, frequency, retries
from messaging.services.replies import reply_pulls
from messaging.services.saved_audiences import audience_sql
from messaging.services.saved_audiences.condition_sql import Rules
from messaging.services.text.merge_values import COLUMNS_OF_CONTACT
from messaging.text import merge_fields

JOINING_SECONDS = 2  # an import commits a chunk of its rows in less
CHUNK = 1000  # what one POST may carry (laaffic-api#sendsms), and a write lock of some 20 ms
BREATH_SECONDS = 0.02  # SQLite's lock is unfair: a writer that never rests starves the others


def freeze(campaign_id: int) -> None:
    """Freeze as much as a job's time allows, and ring for the rest."""
    with leases.lease(f"freeze:{campaign_id}") as lease:
        if lease is None:
            return
        _read_replies_first(campaign_id)
        turn = turns.Turn()
        while freeze_chunk(campaign_id):
            workers.beat()
            if turn.is_over() or not lease.renew():
                bell.ring(job_names.FREEZE_AUDIENCE, campaign_id)
                return
            time.sleep(BREATH_SECONDS)


def freeze_some(campaign_id: int, chunks: int) -> bool:
    """Freeze so many chunks unless somebody else is freezing, for a sender that has nothing to send."""
    with leases.lease(f"freeze:{campaign_id}") as lease:
        if lease is None:
            return False
        _read_replies_first(campaign_id)
        if connection.vendor == "postgresql":
            return freeze_chunk(campaign_id, chunks)
        return all(freeze_chunk(campaign_id) for _n in range(chunks))  # SQLite's lock stops everybody who writes


def _read_replies_first(campaign_id: int) -> None:
    """A STOP that was not pushed is learnt before anybody is frozen; where it could not be, the campaign says so."""
    campaign = Campaign.objects.select_related("application").get(pk=campaign_id)
    if campaign.audience != Campaign.Audience.FREEZING or campaign.audience_cursor:
        return
    if problem := reply_pulls.read_before_launch(campaign):
        said = _("Replies could not be read before the launch: %(problem)s")
        unknown = _("A STOP that lies unread at Laaffic is not known yet.")
        text = f"{said % {'problem': problem[:200].rstrip('.')}}. {unknown}"
        CampaignEvent.objects.create(campaign=campaign, text=text)


@transaction.atomic
def freeze_chunk(campaign_id: int, chunks: int = 1) -> bool:
    """The next chunk, or so many in one transaction; False when nothing is left to freeze."""
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
    if campaign.audience != Campaign.Audience.FREEZING:
        return False
    relax()  # a chunk that a power cut takes is frozen again; before one of its messages leaves, the disk has it
    return all(_freeze_next(campaign) for _n in range(chunks))


def _freeze_next(campaign: Campaign) -> bool:
    """Freeze the next chunk; False if none is left. Cursors, `total` and `frozen_by` are set on the object too."""
    contact_writes.keep_from_undo()
    is_to_contacts = campaign.audience_end > 0
    if campaign.frozen_by:
        as_frozen.confirm(campaign, frequency.cap_of(campaign), consents.is_needed(campaign))
    included = list(campaign.groups.order_by("pk").values_list("pk", flat=True)) if is_to_contacts else []
    meant = rules.of(campaign, member_end=campaign.member_end)
    stretch = audience_sql.next_stretch(included, campaign.audience_cursor, campaign.audience_end, CHUNK, meant)
    if stretch is None:
        if given_numbers.freeze_pasted(campaign, CHUNK):
            return True
        is_to_numbers = bool(campaign.extra_numbers)
        cap = frequency.cap_of(campaign) if is_to_numbers else frequency.NO_CAP
        but_not = given_numbers.groups_left_out(campaign) if is_to_numbers else []
        counts, _made = given_numbers.add_extra_numbers(campaign, CHUNK, cap, but_not)
        _frozen(campaign=campaign.pk, **counts)
        _count(campaign, counts)
        return False
    _freeze_range(campaign, included, meant, *stretch)
    return True


def _count(campaign: Campaign, counts: Mapping[str, int]) -> None:
    """Set on the object what `_frozen` writes to the row."""
    campaign.audience = Campaign.Audience.FROZEN
    for name, count in counts.items():
        setattr(campaign, name, getattr(campaign, name) + count)
    if campaign.canary:
        bell.ring(job_names.FOLLOW_CANARIES)


@Update
def _frozen() -> tuple[QuerySet[Campaign], dict[str, Any]]:
    counts = {name: F(name) + Given(name, IntegerField()) for name in given_numbers.COUNTS}
    return Campaign.objects.filter(pk=Given("campaign")), {"audience": Campaign.Audience.FROZEN, **counts}


def freeze_at_once(campaign: Campaign) -> None:
    """All of a campaign of a few numbers, in the transaction that makes and launches it: its messages are known then.

    Replies are read before that (reply_pulls.read_if_due): nobody is asked under a lock.
    """
    if campaign.audience != Campaign.Audience.FREEZING:
        return  # it starts later, or not at all
    while _freeze_next(campaign):
        pass
    campaign.refresh_from_db()


def freeze_new(campaign: Campaign, cap: frequency.Cap) -> list[Message]:
    """Freeze the numbers given one by one of a campaign that `begin_new` began and that leaves out no group; return its
    messages. The caller writes the campaign's row, with the fields in `COUNTED`."""
    contact_writes.keep_from_undo()
    counts, made = given_numbers.add_extra_numbers(campaign, CHUNK, cap)
    _count(campaign, counts)
    return made


COUNTED = ("audience", *given_numbers.COUNTS)


def _freeze_range(campaign: Campaign, groups: Sequence[int], meant: Rules, after: int, upper: int) -> None:
    audience, params = audience_sql.members(groups, after, upper, campaign.member_end, meant)
    excluded = given_numbers.groups_left_out(campaign)
    not_excluded, excluded_params = audience_sql.not_excluded(excluded, after, upper)
    before = transaction.savepoint()
    values, value_params = merge_values_sql(channels.texts_of(campaign))
    not_suppressed, suppressed_on = audience_sql.not_suppressed("c", channels.of(campaign).suppressed_on)
    agreed, agreed_on = left_out.has_agreed(campaign)
    batch, made = _fill_batch(
        campaign,
        before,
        f"SELECT {campaign.pk}, %s, c.id, c.number, c.country, {values}, "
        f"{MessageState.QUEUED.value}, {channels.segments_when_frozen(campaign)}, 1, '', '', '', '' "
        f"{audience} AND {not_excluded} AND {not_suppressed} AND {agreed} ORDER BY c.id",
        [*value_params, *params, *excluded_params, *suppressed_on, *agreed_on],
    )
    if made[0] == CHUNK:  # there are no more in a stretch
        dropped = left_out.Dropped()
    else:
        conditions = ((not_excluded, excluded_params), (not_suppressed, suppressed_on), (agreed, agreed_on))
        dropped = left_out.count_dropped(made[0], (audience, params), *conditions)
    excluded_otherwise = left_out.drop_excluded(excluded, made)
    twice = left_out.drop_twice(campaign, made, upper)
    capped = left_out.drop_capped(campaign, made)
    if left := made[0] - excluded_otherwise - twice - capped:
        new_batches.keep(campaign, batch, left, *made[1:])
    else:  # to delete the batch, the database would look through all messages: no index of theirs begins with it
        transaction.savepoint_rollback(before)
    _moved_on(
        campaign=campaign.pk,
        upper=upper,
        total=left,
        dropped_capped=capped,
        dropped_invalid=twice + dropped.twice,
        dropped_excluded=dropped.excluded + excluded_otherwise,
        dropped_suppressed=dropped.suppressed,
        dropped_consent=dropped.no_consent,
    )
    campaign.audience_cursor, campaign.total = upper, campaign.total + left


@Update
def _moved_on() -> tuple[QuerySet[Campaign], dict[str, Any]]:
    counts = {name: F(name) + Given(name, IntegerField()) for name in given_numbers.COUNTS}
    return Campaign.objects.filter(pk=Given("campaign")), {"audience_cursor": Given("upper"), **counts}


def merge_values_sql(text: str) -> tuple[str, list[str]]:
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


def _fill_batch(
    campaign: Campaign, before: str, select: str, params: Sequence[int | str]
) -> tuple[Batch, tuple[int, int, int]]:
    """A batch, whose id is the first parameter of the SELECT, and what `_insert_messages` says.

    A number that is in the campaign already is left out: it was moved to another contact while the audience was frozen.
    That is looked for only when it happens, since PostgreSQL takes a third longer to insert with it.
    """
    batch = new_batches.begin(campaign)
    try:
        return batch, _insert_messages(select, [batch.pk, *params])
    except IntegrityError:
        transaction.savepoint_rollback(before)
    batch = new_batches.begin(campaign)
    return batch, _insert_messages(f"{select} ON CONFLICT (number, campaign_id) DO NOTHING", [batch.pk, *params])


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
        cursor.execute("SELECT coalesce(max(id), 0) FROM messaging_message")
        before = cursor.fetchone()[0]
        cursor.execute(insert, params)
        made = max(cursor.rowcount, 0)
        cursor.execute(
            "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM messaging_message WHERE id > %s", [before]
        )
        first, last = cursor.fetchone()
        return made, first, last  # one writer at a time: all that are newer are ours


def _leave_out_reached(campaign: Campaign) -> None:
    """A retry is for the failed: those whom a late report or another word has called otherwise since are out.

    Its own group and numbers were written when it was drafted; both are made shorter by those.
    """
    if campaign.retry_of_id is None:
        return
    reached = retries.reached(campaign)
    # By their ids: a subquery of groups lets PostgreSQL read everybody's memberships.
    own_groups = list(campaign.groups.filter(is_ad_hoc=True).values_list("pk", flat=True))
    own = GroupMembership.objects.filter(group__in=own_groups)
    had_it = reached.filter(number=OuterRef("number"))
    members = Contact.objects.filter(Exists(had_it), pk=OuterRef("contact_id"))
    own.filter(Exists(members)).delete()
    had = retries.reached_among(campaign, campaign.extra_numbers)
    if had:
        campaign.extra_numbers = [number for number in campaign.extra_numbers if number not in had]
        campaign.save(update_fields=["extra_numbers"])


def begin(campaign: Campaign) -> None:
    """Fix where the audience ends: who joins a group from now on is not in it, nor since it was last compared.

    What its audiences say now is kept with it, and counts from now on.
    """
    _leave_out_reached(campaign)
    canary.begin(campaign)
    campaign.rules = rules.kept(campaign)
    # Numbers alone ask for no memberships: many such launches a second would hold up who is just joining.
    is_to_contacts = bool(campaign.rules) or bool(_groups.rows(campaign=campaign.pk))
    if not is_to_contacts:
        campaign.audience_end = 0
    elif not campaign.audience_end:
        campaign.audience_end = audience_sql.last_contact()
    if campaign.member_end is None:
        campaign.member_end = last_membership() if is_to_contacts else 0
    _open(campaign, frequency.cap_of(campaign))
    _begun(campaign=campaign.pk, **{name: getattr(campaign, name) for name in BEGUN})


def begin_new(campaign: Campaign) -> frequency.Cap:
    """As `begin`, for a campaign that this transaction made for numbers alone; return the cap to freeze it by. The
    caller writes the campaign's row, with the fields in `BEGUN`."""
    canary.begin(campaign)
    campaign.rules, campaign.audience_end, campaign.member_end = [], 0, 0
    cap = frequency.cap_of(campaign)
    _open(campaign, cap)
    return cap


def _open(campaign: Campaign, cap: frequency.Cap) -> None:
    campaign.audience, campaign.launched_at = Campaign.Audience.FREEZING, timezone.now()
    consent = consents.is_needed(campaign)
    campaign.frozen_by = as_frozen.noted(campaign.channel, campaign.launched_at, cap, consent)


@Select
def _groups() -> "QuerySet[ContactGroup, Any]":
    return ContactGroup.objects.filter(campaigns=Given("campaign")).order_by().values_list("pk")[:1]


BEGUN = ("audience", "audience_end", "rules", "member_end", "launched_at", "frozen_by")


@Update
def _begun() -> tuple[QuerySet[Campaign], dict[str, Any]]:
    return Campaign.objects.filter(pk=Given("campaign")), kept(Campaign, *BEGUN)


def last_membership() -> int:
    """Its id; anyone who got a lower one has joined by now, or is waited for.

    PostgreSQL gives ids away before they are committed: one that an import has, and not committed, would be below the
    end, not counted, and frozen later.
    """
    return _last_of("messaging_groupmembership", _last_membership)


def last_contact() -> int:
    """Its id, in the same way: a condition is met by contacts, whatever groups they are in."""
    return _last_of("messaging_contact", audience_sql.last_contact)


def _last_of(table: str, look: Callable[[], int]) -> int:
    if connection.vendor == "postgresql":
        with contextlib.suppress(OperationalError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", [f"{JOINING_SECONDS}s"])
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
            return look()
    return look()


def _last_membership() -> int:
    return GroupMembership.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
