"""Never too often, and only to those who agreed, for a campaign that takes a whole list: it leaves whole, or is held.

Who is on the list is kept at Laaffic, and one request takes everybody, so nobody can be left out here. How often a list
was mailed is known from our own requests; who is on it, from what callbacks told of earlier campaigns to it. That those
on it have agreed is a person's word, kept with the campaign.
"""

import datetime as dt

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from messaging.models import Campaign, EmailCampaign, EmailMessage, Submission
from messaging.services.contacts import consents
from messaging.services.gates import frequency
from messaging.services.gates.frequency import DAY, HOUR, WEEK

ABOUT = "email campaign"
INTERFACE = "email/batchSendEmail"
SURELY_NOT = (EntryState.REFUSED, EntryState.NOT_SENT)


def stops(campaign: EmailCampaign, moment: dt.datetime | None = None) -> str:
    """The sentence of what keeps it from leaving at that moment, or now; "" where nothing does."""
    return no_consent(campaign) or had_enough(campaign, moment)


def no_consent(campaign: EmailCampaign) -> str:
    if not consents.is_needed_for(campaign.purpose) or campaign.consent_known_by.strip():
        return ""
    return _(
        "It is marketing, and the draft does not say how the consent of the people on its list is known. Write that "
        "into the draft, or send to a list of people who have agreed."
    )


def had_enough(campaign: EmailCampaign, moment: dt.datetime | None = None) -> str:
    """Held against what its list, and those who are known to be on it, have had by then."""
    cap = frequency.cap_for(campaign.application_id, campaign.purpose)
    if not cap:
        return ""
    at = max(moment or timezone.now(), timezone.now())
    for most, span in ((cap.per_day, DAY), (cap.per_week, WEEK)):
        if most and (times := _sent_to_list(campaign, at - span)) >= most:
            return _list_is_full(times, most, span)
        if most and (full := _people_full(campaign, at - span, most)):
            return _people_are_full(full, most, span)
    return ""


def _sent(campaign: EmailCampaign, since: dt.datetime) -> "QuerySet[LedgerEntry]":
    """Requests of other campaigns that took a whole list since then, or may have; not of transactional ones."""
    others = EmailCampaign.objects.exclude(purpose=Campaign.Purpose.TRANSACTIONAL).exclude(pk=campaign.pk)
    asked = LedgerEntry.objects.filter(about_kind=ABOUT, interface=INTERFACE).exclude(state__in=SURELY_NOT)
    left = asked.annotate(at=Coalesce("left_at", "prepared_at")).filter(at__gte=since)
    return left.filter(Exists(others.filter(pk=OuterRef("about_id")))).order_by()


def _sent_to_list(campaign: EmailCampaign, since: dt.datetime) -> int:
    same = EmailCampaign.objects.filter(receiver_id=campaign.receiver_id, pk=OuterRef("about_id"))
    return _sent(campaign, since).filter(Exists(same)).count()


def _people_full(campaign: EmailCampaign, since: dt.datetime, most: int) -> int:
    """How many who are known to be on the list have had as many mails, over all lists.

    Only the mails of these days are read; of who had as many, each is looked up by the address: what was ever mailed to
    the list becomes more and more. A scalar subquery, as of EXISTS PostgreSQL would make a join that reads all of it.
    """
    recent = set(_sent(campaign, since).values_list("about_id", flat=True))
    if len(recent) < most:
        return 0
    mails = EmailMessage.objects.filter(campaign__in=recent).exclude(address="").order_by()
    # Grouped by an expression: by the column, SQLite would read the whole index of addresses to avoid a sort.
    left = mails.exclude(submission=Submission.FAILED).values(who=Coalesce("address", Value("")))
    full = left.annotate(n=Count("pk")).filter(n__gte=most).values("who")
    earlier = EmailMessage.objects.filter(campaign__receiver_id=campaign.receiver_id, address=OuterRef("address"))
    known = mails.filter(address__in=full).annotate(known=Subquery(earlier.order_by().values("pk")[:1]))
    return known.filter(known__isnull=False).values("address").distinct().count()


def _list_is_full(times: int, most: int, span: dt.timedelta) -> str:
    return ngettext(
        "Its list was mailed once within %(hours)d hours, and the frequency cap is %(cap)d. Try again later, or "
        "send to another list.",
        "Its list was mailed %(n)d times within %(hours)d hours, and the frequency cap is %(cap)d. Try again later, or "
        "send to another list.",
        times,
    ) % {"n": times, "hours": span // HOUR, "cap": most}


def _people_are_full(full: int, most: int, span: dt.timedelta) -> str:
    return ngettext(
        "%(n)s person who is known to be on its list had %(cap)d emails or more within %(hours)d hours, as many as "
        "the frequency cap allows. Try again later, or send to a list without them.",
        "%(n)s people who are known to be on its list had %(cap)d emails or more within %(hours)d hours, as many as "
        "the frequency cap allows. Try again later, or send to a list without them.",
        full,
    ) % {"n": number(full), "hours": span // HOUR, "cap": most}
