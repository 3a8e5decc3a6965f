"""Drafts that follow a campaign: the same again, to the failed, to those who were not in it or have not replied.

Each makes a draft and sends nothing: a person looks at it and launches it like any other.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count, islice, product

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q

from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from messaging.models import (
    Audience,
    Campaign,
    CampaignState,
    ContactGroup,
    GroupMembership,
    Message,
    MessageState,
    Paste,
    SuppressionEntry,
)
from messaging.services import steps
from messaging.services.campaigns import drafts
from messaging.services.channels import channels
from messaging.services.contacts import contacts, erasures, pastes, suppression
from messaging.services.gates import retries
from messaging.services.saved_audiences import audiences
from messaging.services.tallies import counting
from messaging.subscribers import subscriber
from messaging.wire.incurable import is_incurable, is_not_in_use

# An expired message may have arrived, and an unknown one too: neither is sent a second time by a click on "failed".
FAILED = retries.FAILED
BATCHES_AT_ONCE = 20
TO_LEAVE = (MessageState.QUEUED, MessageState.CLAIMED, MessageState.UNKNOWN)
NOT_SENT = (MessageState.SUPPRESSED, MessageState.CANCELLED)
MAY_HAVE_ARRIVED = (MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.EXPIRED, MessageState.UNKNOWN)


def copy(campaign_id: int, *, by: User | None = None) -> Campaign:
    """A draft with the same text, audience and pace, without its time, and without people who were erased since.

    The copy of a retry of which nothing has left is a retry, too: reports still come that somebody was reached. Of
    one that was sent, the same people are to get something once more.
    """
    campaign = Campaign.objects.select_related("application").get(pk=campaign_id)
    gone = set(map(subscriber, erasures.gone_since(campaign.launched_at)))
    numbers = erasures.without(campaign.extra_numbers, gone)
    with transaction.atomic():
        draft = _draft(
            campaign,
            _("Copy of %(name)s"),
            groups=list(campaign.groups.all()),
            audiences=list(campaign.audiences.all()),
            numbers=numbers,
            paste=campaign.paste,
            retry_of=campaign.retry_of if campaign.first_sent_at is None else None,
            by=by,
        )
        _note_erased(draft, len(campaign.extra_numbers) - len(numbers), by)
        return draft


def retry_failed(campaign_id: int, *, reasons: Collection[str] | None = None, by: User | None = None) -> Campaign:
    """A draft to those whom it certainly did not reach, rejected or undelivered, for one of these reasons.

    Without `reasons`: for every one that another try can cure. People to whom it was sent twice are left out, unless
    the first sending is known to have failed too.
    """
    campaign = _over(campaign_id, _("Its failed messages can be sent again when it is finished."))
    there = [reason for reason, _n in failed_by_reason(campaign)]
    if not there:
        raise NotNow(_("No message of “%(name)s” failed.") % {"name": campaign.name})
    given = None if reasons is None else _known(campaign, reasons, there)
    chosen = [reason for reason in there if (not is_incurable(reason) if given is None else reason in given)]
    if not chosen:
        raise NotNow(_("Nobody would get it. Choose at least one reason for which it is sent again."))
    failed = Message.objects.filter(campaign=campaign, state__in=FAILED, reason__in=chosen)
    left_out = failed.filter(attempt__gt=1).exclude(retries.has_failed()).count()
    if left_out and not failed.filter(retries.has_failed()).exists():
        said = _(
            "Each of these messages was sent again by a person, and its first sending may have arrived: there is no "
            "recipient left who certainly got nothing."
        )
        raise NotNow(said)
    people = _group(_("Failed in %(name)s") % {"name": campaign.name})
    _add_recipients(people, campaign, FAILED, chosen, found_by=(BY_CONTACT, BY_NUMBER_OF_ANOTHER), surely=FAILED)
    # Erasing has deleted those who were contacts: their messages find nobody.
    bare = Q(contact=None)
    gone = erasures.gone_since(campaign.launched_at)
    erased = failed.filter(bare, number__among=gone).count()
    left = bare & ~Q(number__among=gone) if erased else bare
    without_contact = _failed_numbers(campaign, chosen, retries.has_failed(), left)
    first = list(islice(without_contact, drafts.MAX_EXTRA_NUMBERS + 1))
    if erased and not first and not GroupMembership.objects.filter(group=people).exists():
        people.delete()
        raise NotNow(_("Everybody whom it did not reach was erased since."))
    is_short = len(first) <= drafts.MAX_EXTRA_NUMBERS
    with transaction.atomic():
        draft = _draft(
            campaign,
            _("Retry of %(name)s"),
            groups=[people],
            numbers=first if is_short else (),
            paste=None if is_short else pastes.from_lines(chain(first, without_contact), by=by),
            retry_of=campaign,
            by=by,
        )
        if left_out:
            said = _("Left out: %(n)d that a person had sent again, as the first sending may have arrived")
            steps.note(draft, said % {"n": left_out}, by)
        _note_erased(draft, erased, by)
        return draft


def _note_erased(draft: Campaign, n: int, by: User | None) -> None:
    if n:
        said = ngettext(
            "Left out: %(n)d person who was erased since", "Left out: %(n)d people who were erased since", n
        )
        steps.note(draft, said % {"n": n}, by)


def failed_by_reason(campaign: Campaign) -> list[tuple[str, int]]:
    """(reason as it is kept, messages), the most frequent first; from the tallies."""
    words = [state.key for state in FAILED]
    by_reason = counting.outcomes_by(campaign, "reason")
    counted = {reason: sum(states.get(word, 0) for word in words) for reason, states in by_reason.items()}
    return sorted(((reason, n) for reason, n in counted.items() if n), key=lambda entry: (-entry[1], entry[0]))


def not_in_use(campaign: Campaign) -> dict[str, int]:
    """{reason: messages} of those that say that the number is not in use; from the tallies."""
    return {reason: n for reason, n in failed_by_reason(campaign) if is_not_in_use(reason)}


def suppress_not_in_use(campaign_id: int, *, but: Collection[str] = (), by: User | None = None) -> suppression.Outcome:
    """Put the numbers that are not in use on its channel's suppression list, a few batches at a time.

    `but`: the reasons for which another try is made. Cut off and repeated, it adds what is not there yet.
    """
    campaign = _over(campaign_id, _("Its numbers can be suppressed when it is finished."))
    kept = _known(campaign, but, [reason for reason, _n in failed_by_reason(campaign)])
    reasons = [reason for reason in not_in_use(campaign) if reason not in kept]
    return suppression.suppress_numbers(
        _failed_numbers(campaign, reasons),
        channel=campaign.channel,
        reason=SuppressionEntry.Reason.INVALID,
        note=_("Not in use, says the carrier in %(name)s") % {"name": campaign.name},
        by=by,
        source=_("campaign %(id)s") % {"id": campaign.pk},
    )


def _known(campaign: Campaign, given: Collection[str], there: Collection[str]) -> set[str]:
    """The reasons that are meant, each given as it is or as the person who gives it sees it: with a masked number.

    A misspelt one would leave out people who were meant, or suppress those who were to get another try.
    """
    meant = {reason for reason in there if reason in given or in_text(reason) in given}
    for reason in given:
        if reason not in meant and reason not in map(in_text, meant):
            said = _("No message of “%(name)s” failed for the reason “%(reason)s”. Look at its reasons again.")
            raise NotNow(said % {"name": campaign.name, "reason": reason})
    return meant


def _failed_numbers(campaign: Campaign, reasons: Sequence[str], *given: Q) -> Iterator[str]:
    """A few batches at a time, so that neither a million rows nor a cursor stay open."""
    for first, last in _message_ranges(campaign) if reasons else ():
        failed = Message.objects.filter(*given, campaign=campaign, pk__range=(first, last), state__in=FAILED)
        yield from list(failed.filter(reason__in=reasons).order_by("pk").values_list("number", flat=True))


def to_new_contacts(campaign_id: int, *, by: User | None = None) -> Campaign:
    """A draft to the same groups without the people who were in its audience.

    Whose message was cancelled before it ever left counts as new, for whatever reason that was done.
    """
    campaign = _over(campaign_id, _("It can be sent to new contacts when it is finished."))
    if not campaign.groups.exists() and not campaign.audiences.exists():
        said = _("“%(name)s” was not sent to a group, so nobody can have joined since.")
        raise NotNow(said % {"name": campaign.name})
    had = _group(_("Recipients of %(name)s") % {"name": campaign.name})
    states = [state for state in MessageState if state != MessageState.CANCELLED]
    _add_recipients(had, campaign, states, found_by=(BY_CONTACT, BY_NUMBER), or_sent_before=True)
    excluded = [*campaign.excluded_groups.all(), had]
    with transaction.atomic():
        return _draft(
            campaign,
            _("%(name)s, new contacts"),
            groups=list(campaign.groups.all()),
            audiences=list(campaign.audiences.all()),
            excluded=excluded,
            by=by,
        )


def to_not_replied(campaign_id: int, *, by: User | None = None) -> Campaign:
    """A draft to the contacts who may have got it and have not replied to it when the draft is launched."""
    campaign = Campaign.objects.select_related("application").get(pk=campaign_id)
    counts = counting.state_counts(campaign)
    if why_not := _why_not_followed_up(campaign, counts):
        raise NotNow(why_not)
    excluded = list(campaign.excluded_groups.all())
    if any(counts[state.key] for state in (*FAILED, *NOT_SENT)):
        not_reached = _group(_("Not reached by %(name)s") % {"name": campaign.name})
        _add_recipients(not_reached, campaign, FAILED, found_by=(BY_CONTACT, BY_NUMBER))
        _add_recipients(not_reached, campaign, NOT_SENT, found_by=(BY_CONTACT, BY_NUMBER), surely=FAILED)
        excluded.append(_the_earlier(not_reached, campaign))
    with transaction.atomic():
        draft = _draft(
            campaign,
            _("%(name)s, not replied"),
            groups=(),
            audiences=[_not_replied(campaign, by)],
            excluded=excluded,
            by=by,
        )
        if had_bare_numbers(campaign):
            steps.note(draft, _("Only contacts: numbers that were pasted and belong to no contact are left out"), by)
        return draft


def makes_sense_to_not_replied(campaign: Campaign, counts: dict[str, int]) -> bool:
    return campaign.kind == Campaign.Kind.CAMPAIGN and not _why_not_followed_up(campaign, counts)


def had_bare_numbers(campaign: Campaign) -> bool:
    """Some of its numbers were given one by one; whether these are contacts nobody has looked up."""
    return bool(campaign.extra_numbers or campaign.paste_id)


def _why_not_followed_up(campaign: Campaign, counts: dict[str, int]) -> str:
    """One sentence; "" where it makes sense. A cancelled one is not followed up: most of it may never have left."""
    if not channels.of(campaign).has_replies:
        return _("Nobody can reply to a spoken message.")
    waiting = any(counts[state.key] for state in TO_LEAVE)
    has_left = campaign.state == CampaignState.RUNNING and campaign.audience == Campaign.Audience.FROZEN and not waiting
    if campaign.state != CampaignState.FINISHED and not has_left:
        return _("Who has not replied can get another message when all of “%(name)s” has left.") % {
            "name": campaign.name
        }
    if not any(counts[state.key] for state in MAY_HAVE_ARRIVED):
        return _("Nobody got “%(name)s”, so nobody can reply to it.") % {"name": campaign.name}
    return ""


def _not_replied(campaign: Campaign, by: User | None) -> Audience:
    """The one that is there already, where somebody has made it before."""
    condition = _condition(campaign)
    if kept := Audience.objects.filter(condition=condition).order_by("pk").first():
        return kept
    name = _("Not replied to %(name)s (%(id)s)") % {"name": campaign.name[:80], "id": campaign.pk}
    return audiences.create(name=_free(name), condition=condition, by=by)


def _condition(campaign: Campaign) -> str:
    return f"in campaign {campaign.pk} and not replied to campaign {campaign.pk}"


def _free(name: str) -> str:
    taken = set(Audience.objects.filter(name__startswith=name).values_list("name", flat=True))
    return next(one for one in chain([name], (f"{name} #{n}" for n in count(2))) if one not in taken)


def _over(campaign_id: int, otherwise: str) -> Campaign:
    campaign = Campaign.objects.select_related("application").get(pk=campaign_id)
    if campaign.state not in (CampaignState.FINISHED, CampaignState.CANCELLED):
        raise NotNow(otherwise)
    return campaign


def _draft(
    campaign: Campaign,
    name: str,
    *,
    groups: Sequence[ContactGroup],
    audiences: Sequence[Audience] = (),
    numbers: Sequence[str] = (),
    paste: Paste | None = None,
    excluded: Sequence[ContactGroup] | None = None,
    retry_of: Campaign | None = None,
    by: User | None,
) -> Campaign:
    draft = drafts.create(
        name=(name % {"name": campaign.name})[:120],
        application=campaign.application,
        sender_id=campaign.sender_id,
        text=campaign.text,
        template_version=campaign.template_version,
        groups=groups,
        audiences=audiences,
        excluded_groups=list(campaign.excluded_groups.all()) if excluded is None else excluded,
        numbers=numbers,
        paste=paste,
        rate_per_second=campaign.rate_per_second,
        latest_start_minutes=campaign.latest_start_minutes,
        error_limit=campaign.error_limit,
        calendar=campaign.calendar,
        canary="" if retry_of else campaign.canary,
        canary_wait=campaign.canary_wait,
        canary_reports=campaign.canary_reports,
        canary_least=campaign.canary_least,
        retry_of=retry_of,
        purpose=campaign.purpose,
        channel=campaign.channel,
        channel_options=campaign.channel_options,
        by=by,
    )
    steps.note(campaign, _("“%(name)s” was made from it") % {"name": draft.name}, by)
    return draft


def _group(name: str) -> ContactGroup:
    return contacts.ad_hoc_group(name, _("Made from a campaign"))


@transaction.atomic
def _the_earlier(group: ContactGroup, campaign: Campaign) -> ContactGroup:
    """One that an earlier draft after this campaign leaves out, where the same people are in it; else this one.

    No other is looked at: one of that name may be a person's own, or another campaign's of the same name.
    """
    members = GroupMembership.objects.filter(group=group)
    drafts_before = Campaign.objects.filter(audiences__condition=_condition(campaign))
    left_out = Campaign.excluded_groups.through.objects.filter(campaign__in=drafts_before).values("contactgroup")
    for one in ContactGroup.objects.filter(pk__in=left_out, is_ad_hoc=True).exclude(pk=group.pk).order_by("pk"):
        there = GroupMembership.objects.filter(group=one)
        if there.count() == members.count() and not members.exclude(contact__in=there.values("contact")).exists():
            group.delete()
            return one
    return group


# A contact may have been made again since, or only after the number had its message.
BY_CONTACT, BY_NUMBER = "c.id = m.contact_id", "c.number = m.number"
BY_NUMBER_OF_ANOTHER = (
    "c.number = m.number AND m.contact_id IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM messaging_contact g WHERE g.id = m.contact_id)"
)


def _add_recipients(
    group: ContactGroup,
    campaign: Campaign,
    states: Sequence[int],
    reasons: Sequence[str] | None = None,
    *,
    found_by: Sequence[str] = (BY_CONTACT,),
    or_sent_before: bool = False,
    surely: Sequence[int] = (),
) -> None:
    """Their contacts, as far as they still exist, a few batches at a time: a million never pass through Python.

    `or_sent_before`: those too, in whatever state, of whom an earlier attempt was given up. `surely`: without those of
    whom an earlier attempt did not come to one of these.
    """
    or_more = "OR m.attempt > 1" if or_sent_before else ""
    marks = ", ".join(["%s"] * len(states))
    each = (
        "AND (m.attempt <= 1 OR m.attempt - 1 <= (SELECT count(*) FROM messaging_earlierattempt e "
        f"WHERE e.message_id = m.id AND e.state IN ({', '.join(['%s'] * len(surely))}))) "
    )
    of_reasons = f"AND m.reason IN ({', '.join(['%s'] * len(reasons))}) " if reasons else ""
    for (first, last), found in product(_message_ranges(campaign), found_by):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO messaging_groupmembership (group_id, contact_id) "
                f"SELECT %s, c.id FROM messaging_message m JOIN messaging_contact c ON {found} "
                f"WHERE m.id BETWEEN %s AND %s AND m.campaign_id = %s AND (m.state IN ({marks}) {or_more}) {of_reasons}"
                f"{each if surely else ''}"
                "ON CONFLICT DO NOTHING",
                [group.pk, first, last, campaign.pk, *states, *(reasons or []), *surely],
            )


def _message_ranges(campaign: Campaign) -> Iterator[tuple[int, int]]:
    batches = list(campaign.batches.order_by("id").values_list("first_message_id", "last_message_id"))
    for start in range(0, len(batches), BATCHES_AT_ONCE):
        chunk = batches[start : start + BATCHES_AT_ONCE]
        yield min(first for first, _last in chunk), max(last for _first, last in chunk)
