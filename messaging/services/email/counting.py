"""What the figures of an email campaign say, from tallies that are kept as things happen."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.said import read
from messaging.models import Delivery, EmailCampaign, EmailCampaignState, EmailMessage, EmailTally, Submission
from messaging.services.tallies.tally_writes import upsert_tallies

OVER = (EmailCampaignState.FINISHED, EmailCampaignState.CANCELLED)

Standing = tuple[int, int, str]  # submission, delivery, reason

# Each part of the bar: its word, its name, tone, and the filter that shows its mails.
PARTS: list[tuple[str, Any, str, str]] = [
    ("delivered", _("Delivered"), "good", f"delivery__exact={Delivery.DELIVERED:d}"),
    ("pending", _("On their way"), "moving", f"delivery__exact={Delivery.PENDING:d}"),
    ("unclear", _("Unclear"), "warn", f"submission__exact={Submission.UNSAID:d}&delivery__exact={Delivery.NONE:d}"),
    (
        "untold",
        _("Submitted, no id"),
        "warn",
        f"submission__exact={Submission.SUBMITTED:d}&delivery__exact={Delivery.NONE:d}",
    ),
    ("undelivered", _("Undelivered"), "bad", f"delivery__exact={Delivery.UNDELIVERED:d}"),
    (
        "not_submitted",
        _("Not submitted"),
        "bad",
        f"submission__exact={Submission.FAILED:d}&delivery__exact={Delivery.NONE:d}",
    ),
    ("expired", _("Never reported"), "bad", f"delivery__exact={Delivery.EXPIRED:d}"),
]


def counts(campaign: EmailCampaign) -> dict[str, int]:
    """Mails by where they stand; `total`, `submitted` and `delivered` beside them."""
    return counts_of_many([campaign.pk])[campaign.pk]


def counts_of_many(campaign_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    found = {pk: dict.fromkeys(["total", "submitted", *(part[0] for part in PARTS)], 0) for pk in campaign_ids}
    rows = EmailTally.objects.filter(campaign_id__in=campaign_ids).order_by()
    for pk, submission, delivery, n in rows.values_list("campaign_id", "submission", "delivery").annotate(
        n=Sum("messages")
    ):
        found[pk]["total"] += n
        found[pk]["submitted"] += n if submission == Submission.SUBMITTED else 0
        found[pk][part_of(submission, delivery)] += n
    return found


def part_of(submission: int, delivery: int) -> str:
    match delivery:
        case Delivery.DELIVERED:
            return "delivered"
        case Delivery.UNDELIVERED:
            return "undelivered"
        case Delivery.EXPIRED:
            return "expired"
        case Delivery.PENDING:
            return "pending"
    words = {Submission.SUBMITTED: "untold", Submission.FAILED: "not_submitted"}
    return words.get(Submission(submission), "unclear")


def progress(campaign: EmailCampaign) -> dict[str, Any]:
    return progress_of_many([campaign])[campaign.pk]


def progress_of_many(campaigns: Sequence[EmailCampaign]) -> dict[int, dict[str, Any]]:
    found = counts_of_many([campaign.pk for campaign in campaigns])
    return {campaign.pk: _progress(campaign, found[campaign.pk]) for campaign in campaigns}


def _progress(campaign: EmailCampaign, counted: dict[str, int]) -> dict[str, Any]:
    """Out of the list's size where the account told it, else of the mails that were told of; 100 only at the end."""
    whole = max(campaign.receiver_count or 0, counted["total"])
    percent = 100 * (counted["total"] - counted["pending"]) // whole if whole else 0
    if campaign.state != EmailCampaignState.FINISHED:
        percent = min(percent, 99)
    return {
        "total": whole,
        "counts": counted,
        "percent": percent,
        "is_counted": whole > 0,
        "parts": [
            {
                "state": word,
                "label": str(label),
                "tone": tone,
                "filter": narrowed,
                "count": counted[word],
                "width": round(100 * counted[word] / whole, 3) if whole else 0,
            }
            for word, label, tone, narrowed in PARTS
        ],
    }


def reasons(campaign: EmailCampaign) -> list[tuple[str, int]]:
    """Why emails were not submitted, the most frequent first."""
    failed = EmailTally.objects.filter(campaign=campaign, submission=Submission.FAILED, messages__gt=0).order_by()
    rows = failed.values_list("reason").annotate(n=Sum("messages")).order_by("-n", "reason")
    return [(reason, n) for reason, n in rows[:10]]


def standing(mail: EmailMessage) -> Standing:
    reason = mail.remark[:120] if mail.submission == Submission.FAILED else ""
    return mail.submission, mail.delivery, reason


def count_moves(campaign_id: int, before: Sequence[Standing], after: Sequence[Standing]) -> None:
    """Take the mails from where they stood and add them where they stand."""
    changes: dict[Standing, int] = {}
    for where, by in [*((one, -1) for one in before), *((one, 1) for one in after)]:
        changes[where] = changes.get(where, 0) + by
    upsert_tallies(
        EmailTally._meta.db_table,
        ["campaign_id", "submission", "delivery", "reason"],
        ["messages"],
        [(campaign_id, *where, n) for where, n in changes.items() if n],
    )


def report(campaign: EmailCampaign) -> dict[str, Any]:
    """The document of `email report --json`."""
    return {
        "id": campaign.pk,
        "state": campaign.state,
        "task_id": campaign.task_id,
        "purpose": campaign.purpose,
        "consent_known_by": campaign.consent_known_by,
        "hold_reason": in_text(read(campaign.hold_reason)),
        "hold_kind": campaign.hold_kind,
        "addresses_on_list": campaign.receiver_count,
        "counts": counts(campaign),
    }


def prove(campaign: EmailCampaign) -> dict[str, Any]:
    """{"id", "mails", "counts", "disagreements": [sentence]}: the figures derived again from the mails' own rows."""
    mails = EmailMessage.objects.filter(campaign=campaign).order_by()
    kept, derived = counts(campaign), dict.fromkeys(counts(campaign), 0)
    for submission, delivery, n in mails.values_list("submission", "delivery").annotate(n=Count("pk")):
        derived["total"] += n
        derived["submitted"] += n if submission == Submission.SUBMITTED else 0
        derived[part_of(submission, delivery)] += n
    wrong = [
        f"{word}: the campaign says {kept[word]}, its mails say {n}" for word, n in derived.items() if kept[word] != n
    ]
    if campaign.state in (EmailCampaignState.RUNNING, EmailCampaignState.FINISHED) and campaign.entry_id is None:
        wrong.append("the campaign was sent, and no request carried it")
    if campaign.state == EmailCampaignState.FINISHED and derived["pending"]:
        wrong.append(f"the campaign is finished, and {derived['pending']} mails are not")
    return {"id": campaign.pk, "mails": derived["total"], "counts": derived, "disagreements": wrong}
