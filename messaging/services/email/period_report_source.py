"""What email campaigns give to a report: a campaign's mails belong to the day on which its one request was sent.

Nobody tells what a mail costs, in which country or network it is read, or how long it was under way.
"""

from collections.abc import Iterable, Sequence

from laaffic_console.gateway.models import Channel
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words.people import username
from laaffic_console.reports import reporting
from laaffic_console.reports.reporting import Limits, Period, Rows
from messaging.models import EmailCampaign, EmailTally
from messaging.services.email.counting import part_of

# What each part of an email campaign's bar counts as.
COUNTED_AS = {
    "delivered": ("sent", "delivered"),
    "pending": ("sent", "awaited"),
    "untold": ("sent", "awaited"),
    "expired": ("sent", "expired"),
    "undelivered": ("sent", "undelivered"),
    "not_submitted": ("rejected",),
    "unclear": ("unknown",),
}
WORDS = tuple(dict.fromkeys(word for words in COUNTED_AS.values() for word in words))


class EmailReports(reporting.Source):
    def add_to(self, rows: Rows, period: Period, by: Sequence[str], limits: Limits) -> None:
        sent = EmailCampaign.objects.filter(sent_at__gte=period.start, sent_at__lt=period.end)
        people = ("application", "launched_by")
        campaigns = {campaign.pk: campaign for campaign in sent.select_related(*people)}
        tallies = EmailTally.objects.filter(campaign__in=sent.values("pk"))
        columns = ("campaign_id", "submission", "delivery", "reason", "messages")
        for campaign_id, submission, delivery, reason, n in tallies.values_list(*columns):
            if campaign_id not in campaigns:
                continue
            words = COUNTED_AS[part_of(submission, delivery)]
            figures = rows[_values(campaigns[campaign_id], by)]
            figures.tell(WORDS)
            for word in words:
                figures.counts[word] += n
            if "rejected" in words or "undelivered" in words:
                figures.reasons[masks.mask_in_text(reason)] += n  # reports are mailed, and read by links

    def choices(self, name: str, most: int) -> Iterable[tuple[str, str]]:
        campaigns = EmailCampaign.objects.filter(sent_at__isnull=False)
        if name == "campaign":
            newest = campaigns.order_by("-pk").values_list("pk", "name")
            return [(f"email campaign:{pk}", called) for pk, called in newest[:most]]
        if name == "sender":
            senders = campaigns.order_by("from_address").values_list("from_address", flat=True).distinct()
            return [(sender, sender) for sender in senders[:most]]
        return ()


def _values(campaign: EmailCampaign, by: Sequence[str]) -> tuple[reporting.Value, ...]:
    assert campaign.sent_at is not None  # noqa: S101
    values: dict[str, reporting.Value] = {
        "channel": (Channel.EMAIL.value,),
        "application": (campaign.application.name or campaign.application.app_id, campaign.application.app_id),
        "country": ("",),
        "network": ("",),
        "campaign": (campaign.name, "email campaign", campaign.pk),
        "sender": (campaign.from_address,),
        "person": (username(campaign.launched_by),),
        **reporting.time_values(by, reporting.local_day(campaign.sent_at)),
    }
    return tuple(values[name] for name in by)
