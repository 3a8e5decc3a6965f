"""The same text to the same people within a day: most often a launch by mistake, so it needs a reason."""

import datetime as dt
import itertools
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import open_acts
from messaging import msisdn
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, Campaign, CampaignState, Message, MessageState
from messaging.models.messages import NEVER_LEFT, has_never_left
from messaging.services.audience import given_numbers
from messaging.services.gates import as_frozen, frequency
from messaging.subscribers import every_spelling, subscriber

WITHIN = open_acts.WITHIN
OPEN_AT_MOST = 200  # open requests, and campaigns that are not frozen, that are looked at one by one
NAMED_AT_MOST = 5
TESTS_AT_MOST = 20
NOT_OVER = (CampaignState.SCHEDULED, *as_frozen.UNDER_WAY)


def campaigns_like(draft: Campaign) -> list[int]:
    """Campaigns that say the same on the same channel, the newest first: those that are not over, however long ago they
    were launched, and those of which something may have left within a day. Tests do not count.
    """
    since = timezone.now() - WITHIN
    same = _the_same(draft).exclude(kind=Campaign.Kind.TEST).order_by().values_list("pk", flat=True)
    # In two parts: an index leads past all that finished before, which "or" does not use.
    not_over = same.filter(
        ~Q(state=CampaignState.CANCELLED) | frequency.is_active_since(since),
        state__in=[*NOT_OVER, CampaignState.CANCELLED],
    )
    finished = same.filter(state=CampaignState.FINISHED, finished_at__gte=since)
    return sorted(not_over.union(finished, all=True), reverse=True)


def _the_same(draft: Campaign) -> QuerySet[Campaign]:
    same = Campaign.objects.filter(channel=draft.channel, text=draft.text, channel_options=draft.channel_options)
    return same.exclude(pk=draft.pk)


def counts_since(since: dt.datetime) -> Q:
    """A condition on messages of such campaigns: those that wait, have left since, or may have."""
    in_hands = Batch.objects.filter(pk=OuterRef("batch_id")).exclude(claimed_at__lt=since)
    when = Q(state=MessageState.QUEUED) | Q(settled_at__gte=since) | Q(Exists(in_hands), settled_at=None)
    return ~has_never_left() & when


def counts_since_sql(since: object) -> tuple[str, list[object]]:
    """The same for a message `r`, and its parameters; `since` as the database's adapter writes it."""
    never = ", ".join(str(int(state)) for state in NEVER_LEFT)
    in_hands = (
        "EXISTS (SELECT 1 FROM messaging_batch b WHERE b.id = r.batch_id "
        "AND (b.claimed_at IS NULL OR b.claimed_at >= %s))"
    )
    when = f"r.state = {int(MessageState.QUEUED)} OR r.settled_at >= %s OR (r.settled_at IS NULL AND {in_hands})"
    return f"(r.state NOT IN ({never}) OR r.attempt > 1) AND ({when})", [since, since]


def still_open(draft: Campaign) -> list[Campaign]:
    """Campaigns with the same text that share a group, audience or number with this one, and are not frozen."""
    unfrozen = Campaign.objects.filter(pk__in=campaigns_like(draft)).exclude(audience=Campaign.Audience.FROZEN)
    found = unfrozen.filter(_shares(draft)).distinct().order_by("-pk")[:NAMED_AT_MOST]
    by_pk = {other.pk: other for other in [*found, *_given_alike(draft, unfrozen)]}
    return [by_pk[pk] for pk in sorted(by_pk, reverse=True)][:NAMED_AT_MOST]


def _shares(draft: Campaign) -> Q:
    return (
        Q(paste=draft.paste_id, paste__isnull=False)
        | Q(groups__in=draft.groups.values("pk"))
        | Q(audiences__in=draft.audiences.values("pk"))
    )


def _given_alike(draft: Campaign, others: QuerySet[Campaign]) -> Iterator[Campaign]:
    """The newest of them to which a number of this one was given, in any spelling."""
    if given := _subscribers(draft):
        for other in others.exclude(extra_numbers=[]).order_by("-pk")[:OPEN_AT_MOST]:
            if not given.isdisjoint(_subscribers(other)):
                yield other


def without_outcome(draft: Campaign) -> LedgerEntry | None:
    """The newest request of the last day that nobody knows the outcome of, and that said the same to some of these."""
    # Asked for its application, SQLite would go through all that this one ever asked.
    same = _the_same(draft).filter(kind__in=_alike(draft))
    opened = open_acts.rows().filter(about_kind="campaign", about_id__in=same.values("pk"))
    given = _subscribers(draft)
    of_this = (entry for entry in opened if entry.application_id == draft.application_id)
    for entry in itertools.islice(of_this, OPEN_AT_MOST):
        other = Campaign.objects.get(pk=entry.about_id or 0)
        has_both = Campaign.objects.filter(_shares(draft), pk=other.pk).exists()
        if has_both or not given.isdisjoint(_subscribers(other)):
            return entry
    return None


def about_to_leave(draft: Campaign) -> Campaign | None:
    """The newest campaign that says the same to some of these and was launched, and still sends by itself: at its time,
    within its hours, or as soon as Laaffic accepts requests again."""
    same = _the_same(draft).filter(_sends_by_itself(), state__in=NOT_OVER, kind__in=_alike(draft)).order_by()
    # Asked for its application too, SQLite would go through all that this one ever sent.
    rows = same.values_list("pk", "application_id")
    ids = [pk for pk, application_id in rows if application_id == draft.application_id]
    if not ids:
        return None
    twins = Campaign.objects.filter(pk__in=ids).order_by("-pk")
    if shared := twins.filter(_shares(draft)).first():
        return shared
    if waiting := _queued_alike(draft, set(ids)):
        return waiting
    return next(_given_alike(draft, twins.exclude(audience=Campaign.Audience.FROZEN)), None)


def _sends_by_itself() -> Q:
    goes_on = Q(state=CampaignState.RUNNING) | Q(state=CampaignState.HELD, account_hold__isnull=False)
    return Q(state=CampaignState.SCHEDULED) | goes_on & _has_more()


def _has_more() -> Q:
    """A condition on campaigns: a message of it has no answer yet, or is still to be made."""
    to_leave = [BatchState.QUEUED, BatchState.CLAIMED]
    waiting = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=OuterRef("pk"), state__in=to_leave)
    return ~Q(audience=Campaign.Audience.FROZEN) | Q(Exists(waiting))


def _queued_alike(draft: Campaign, ids: set[int]) -> Campaign | None:
    """The newest of them with a waiting message to a number that was given to this one.

    Found by the index of (number, campaign), with only the first and the last campaign as a range.
    """
    numbers = every_spelling(list(given_numbers.valid_numbers(draft)))
    if not numbers:
        return None
    sent = Message.objects.filter(number__among=numbers, campaign__gte=min(ids), campaign__lte=max(ids)).order_by()
    waiting = {pk for pk, state in sent.values_list("campaign", "state") if state == MessageState.QUEUED}
    found = max(waiting & ids, default=None)
    return None if found is None else Campaign.objects.get(pk=found)


def waiting_test(draft: Campaign, number: str, by: User | None) -> Campaign | None:
    """A draft's test to this number that the same person has launched within a day, and of which nothing has left."""
    waits = Q(state__in=[CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED])
    waits |= Q(state=CampaignState.HELD, account_hold__isnull=False)
    tests = Campaign.objects.filter(
        waits,
        kind=Campaign.Kind.TEST,
        created_at__gte=timezone.now() - WITHIN,
        created_by=by,
        application=draft.application_id,
        channel=draft.channel,
        channel_options=draft.channel_options,
        sender_id=draft.sender_id or draft.application.sender_id,
        text=draft.text,
    )
    wanted = subscriber(msisdn.parse(number).number)
    for test in tests.order_by("-pk")[:TESTS_AT_MOST]:
        if wanted in _subscribers(test):
            return None if _may_have_left(test) else test
    return None


def _may_have_left(test: Campaign) -> bool:
    """Whether a request of it was made; one that was refused or not sent is made again, or it is over."""
    requests = LedgerEntry.objects.filter(about_kind="campaign", about_id=test.pk)
    is_over = not Campaign.objects.filter(_has_more(), pk=test.pk).exists()
    return is_over or requests.exclude(state__in=[EntryState.REFUSED, EntryState.NOT_SENT]).exists()


def _subscribers(campaign: Campaign) -> set[str]:
    """The subscribers of the numbers that were given one by one, however they were written."""
    return set(map(subscriber, given_numbers.valid_numbers(campaign)))


def _alike(draft: Campaign) -> list[str]:
    """A test is not a repeat of a campaign, nor a campaign of a test."""
    tests = [Campaign.Kind.TEST.value]
    return tests if draft.kind == Campaign.Kind.TEST else [kind for kind in Campaign.Kind.values if kind not in tests]
