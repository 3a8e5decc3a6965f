"""The counts of whom drafts would reach, kept current: a million contacts take seconds, and no page waits for it.

Anyone who looks at the draft counts on for a moment, and a job does the rest; a count that was cut off goes on where it
stood. What it says is how things stood then: the launch itself looks at everybody again.
"""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from laaffic_console.gateway.services.work import bell, leases
from messaging.models import AudienceCount, Campaign, Contact, GroupMembership, PastedNumber, SuppressionEntry
from messaging.services.audience import audience, given_numbers, repeats, rules
from messaging.services.audience.audience_counting import Counting
from messaging.services.channels import channels
from messaging.services.contacts import consents
from messaging.services.gates import frequency
from messaging.services.saved_audiences import audience_sql
from messaging.subscribers import every_spelling
from messaging.text import merge_fields

JOB = "messaging.jobs.count_audience"
PAGE_SECONDS = 0.08
SKETCH_SECONDS = 0.03  # most often one stretch: somebody writes, and waits for the next answer
JOB_SECONDS = 20.0
FRESH = dt.timedelta(minutes=10)
GOES_ON = dt.timedelta(hours=2)  # a count that is not done; an older one was given up
QUICK = 20_000  # contacts that are counted again within a request; more of them only by a job
PRESS_SECONDS = 2.0
A_LOOK = dt.timedelta(minutes=1)  # for which a count is shown, where counting takes seconds


def of(campaign: Campaign) -> AudienceCount:
    """The draft's count, begun again where it is not about the draft as it stands, and pushed on a little."""
    count = AudienceCount.objects.filter(campaign=campaign).first()
    if count is None or not _is_about(count, campaign):
        count = _begin(campaign)
    if not count.is_done:
        count = _count(campaign, count, PAGE_SECONDS)
    if not count.is_done:
        bell.ring_once_a_second(JOB)
    return count


def sketched(campaign: Campaign, told: dict[str, Any] | None) -> AudienceCount:
    """As `of`, for a draft that is not stored: the caller keeps what the last answer told, and asks until it is done.

    `told` is the count's fields (`as_told`); it is ignored if it is too old or about another draft.
    """
    kept = AudienceCount(**_read(told)) if told else None
    count = kept if kept is not None and _is_about(kept, campaign) else AudienceCount(**_fresh(campaign))
    if not count.is_done:
        Counting(campaign, count).go_on(time.monotonic() + SKETCH_SECONDS)
    return count


def _read(told: dict[str, Any]) -> dict[str, Any]:
    moments = {name: told[name] and dt.datetime.fromisoformat(told[name]) for name in ("started_at", "counted_at")}
    return {**told, **moments}


def as_told(count: AudienceCount) -> dict[str, Any]:
    moments = {name: getattr(count, name) for name in ("started_at", "counted_at")}
    names = ("counted_for", "end", "member_end", *_COUNTED)
    return {name: getattr(count, name) for name in names} | {
        name: moment and moment.isoformat() for name, moment in moments.items()
    }


def renew(campaign: Campaign, *, to_look: bool = False) -> None:
    """Look at everybody again where that is quick: what was counted some minutes ago may not be so any more.

    `to_look`: for a look at a draft, perhaps one of many; it is counted once more when the person acts.
    """
    count = AudienceCount.objects.filter(campaign=campaign).first()
    if count is None or (_is_about(count, campaign) and not _is_to_be_renewed(count, campaign, to_look=to_look)):
        return
    give_up_at = time.monotonic() + PRESS_SECONDS
    count = _begin(campaign)
    while not count.is_done and (left := give_up_at - time.monotonic()) > 0:
        count = _count(campaign, count, left, stretch=QUICK)  # so that a page asks alike for few and for more of them
        if not count.is_done:
            time.sleep(PAGE_SECONDS)  # somebody else counts


def _is_to_be_renewed(count: AudienceCount, campaign: Campaign, *, to_look: bool) -> bool:
    if count.counted_at is None or _found(count) > QUICK:
        return False
    if not to_look or not _looks_at_many(count, campaign):
        return True
    return timezone.now() - count.counted_at >= A_LOOK and _has_moved(count)


def _looks_at_many(count: AudienceCount, campaign: Campaign) -> bool:
    """A condition is held against everybody, also where few meet it: that may take seconds."""
    if not campaign.to_audiences.exists():
        return False
    everybody = Contact.objects.filter(pk__lte=count.end).order_by("pk").values_list("pk", flat=True)
    return bool(everybody[QUICK : QUICK + 1])


def _has_moved(count: AudienceCount) -> bool:
    """Whether somebody came, joined or was suppressed since it began, as the last of each say.

    Who was only edited moves nothing here; that is seen when the count is not fresh any more, or somebody acts.
    """
    members = GroupMembership.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if audience_sql.last_contact() > count.end or members > count.member_end:
        return True
    newest = SuppressionEntry.objects.order_by("-pk").values_list("created_at", flat=True).first()
    return newest is not None and newest > count.started_at


def _found(count: AudienceCount) -> int:
    left_out = count.suppressed + count.excluded + count.no_consent
    return count.recipients + count.too_long + count.blank + left_out


def complete(campaign: Campaign, *, since: dt.datetime | None = None) -> AudienceCount:
    """All of it, however long that takes: not under a lock. `since`: a count that began earlier is begun again."""
    count = of(campaign)
    if since is not None and count.started_at < since:
        count = _begin(campaign)
    while not count.is_done:
        count = _count(campaign, count, JOB_SECONDS)
        if not count.is_done:
            time.sleep(PAGE_SECONDS)  # somebody else counts
    return count


def names_any(campaign: Campaign, numbers: Sequence[str]) -> bool:
    """Whether any of the numbers, however spelled, is in the draft's audience, pasted to it or given one by one."""
    everybody = set(every_spelling(numbers))
    if not everybody.isdisjoint(given_numbers.valid_numbers(campaign)):
        return True
    if PastedNumber.objects.filter(paste=campaign.paste_id, number__in=everybody).exists():
        return True
    return bool(Counting(campaign, AudienceCount(**_fresh(campaign))).in_audience(list(numbers)))


def is_current(campaign: Campaign) -> bool:
    return current(campaign) is not None


def current(campaign: Campaign) -> AudienceCount | None:
    """The count that is there, done and about the draft as it stands; nothing is counted, and nothing written."""
    count = AudienceCount.objects.filter(campaign=campaign).first()
    return count if count is not None and count.is_done and _is_about(count, campaign) else None


def count_open() -> None:
    """Finish the counts that have begun, of what is not being frozen yet."""
    give_up_at = time.monotonic() + JOB_SECONDS
    open_ones = AudienceCount.objects.filter(counted_at=None, campaign__audience=Campaign.Audience.OPEN)
    for count in open_ones.select_related("campaign").order_by("started_at"):
        left = give_up_at - time.monotonic()
        if left <= 0 or not _count(count.campaign, count, left).is_done:
            bell.ring(JOB)
            return


def _is_about(count: AudienceCount, campaign: Campaign) -> bool:
    """One that goes on is not begun again every ten minutes: it would never end."""
    age = timezone.now() - (count.counted_at or count.started_at)
    is_fresh = age < (FRESH if count.is_done else GOES_ON)
    return is_fresh and count.counted_for == _digest(campaign)


def _digest(campaign: Campaign) -> str:
    """A digest of all that decides who is reached, as far as it can be known without looking at every contact."""
    texts = channels.texts_of(campaign)
    decides = [
        "who is sent what in how many segments",  # counts of earlier versions say less
        texts if merge_fields.fields(texts) else "",  # else it says the same to all
        campaign.channel,
        sorted(campaign.to_groups.values_list("pk", flat=True)),
        sorted(campaign.not_to_groups.values_list("pk", flat=True)),
        [[rule["audience"], rule["tree"]] for rule in rules.kept(campaign)],
        campaign.extra_numbers,
        campaign.paste_id,
        consents.is_needed(campaign),
        frequency.cap_of(campaign),
        repeats.campaigns_like(campaign),
    ]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _begin(campaign: Campaign) -> AudienceCount:
    count, _made = AudienceCount.objects.update_or_create(campaign=campaign, defaults=_fresh(campaign))
    return count


def _fresh(campaign: Campaign) -> dict[str, Any]:
    member_end = audience.last_membership()  # first: who joins from here on is neither counted nor frozen
    end = audience_sql.last_of(list(campaign.to_groups.values_list("pk", flat=True)))
    if campaign.to_audiences.exists():
        end = max(end, audience.last_contact())
    return {
        "counted_for": _digest(campaign),
        "cursor": 0,
        "paste_cursor": 0,
        "merged": 0,
        "member_end": member_end,
        "people": "",
        "reached_people": "",
        "end": end,
        "reached": [],
        "segments": [],
        "suppressed": 0,
        "excluded": 0,
        "no_consent": 0,
        "capped": 0,
        "too_long": 0,
        "blank": 0,
        "invalid": 0,
        "repeated": 0,
        "started_at": timezone.now(),
        "counted_at": None,
    }


def _count(campaign: Campaign, count: AudienceCount, seconds: float, *, stretch: int | None = None) -> AudienceCount:
    """Count on for so long, so many contacts at a time, if nobody else does."""
    with leases.lease(f"count:{campaign.pk}") as lease:
        count.refresh_from_db()
        if lease is None or count.is_done:
            return count
        give_up_at = time.monotonic() + seconds
        Counting(campaign, count, stretch).go_on(give_up_at)
        # Only the count that was begun: one that was begun again in the meantime is another's.
        begun = AudienceCount.objects.filter(pk=count.pk, counted_for=count.counted_for, started_at=count.started_at)
        begun.update(**{name: getattr(count, name) for name in _COUNTED})
    return count


_COUNTED = (
    "cursor",
    "paste_cursor",
    "merged",
    "people",
    "reached_people",
    "reached",
    "segments",
    "suppressed",
    "excluded",
    "no_consent",
    "capped",
    "too_long",
    "blank",
    "invalid",
    "repeated",
    "counted_at",
)
