"""The dossier of an email campaign: its recipients are those that callbacks have told of."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from django.contrib.auth.models import User

from messaging.exports import dossiers
from messaging.exports.dossiers import Row
from messaging.models import Delivery, EmailCampaign, EmailTally, Submission
from messaging.services.email import counting as email_counting
from messaging.services.email import states as email_states

CONTENT = ["id", "name", "state", "from_address", "receiver_id", "receiver_name", "receiver_count", "subject"]
CONTENT += ["purpose", "consent_known_by", "calendar_id", "latest_end"]
CONTENT += ["template_id", "template_name", "language", "ad_flag", "trigger_id", "unsubscribe", "task_id"]
CONTENT += ["scheduled_at", "created_at", "launched_at", "sent_at", "finished_at", "hold_reason", "wait_reason"]


def write(campaign: EmailCampaign, user: User | None, into: BinaryIO, recipients: Iterable[Row]) -> None:
    """`recipients`: the rows of `email_exports`, header first; `user` makes it, None is the command line."""
    is_over = campaign.state in email_counting.OVER
    recounted = Recounted(recipients)
    parts = [
        dossiers.content(campaign, CONTENT, user),
        dossiers.approvals(campaign),
        dossiers.settings_part(),
        dossiers.table("recipients.csv", "each mail that callbacks told of, with its outcome", lambda: recounted),
        dossiers.ledger(campaign, email_states.ABOUT),
        dossiers.events(campaign),
        dossiers.document(
            "figures.json",
            "the console's figures, counted again from recipients.csv, proofs",
            lambda: _figures(campaign, recounted),
        ),
    ]
    dossiers.write(into, f"email campaign {campaign.pk} “{campaign.name}”", parts, is_over=is_over)


def _figures(campaign: EmailCampaign, recounted: "Recounted") -> dict[str, Any]:
    tallies = EmailTally.objects.filter(campaign=campaign, messages__gt=0).order_by("submission", "delivery", "reason")
    return {
        "kept_by_the_console": email_counting.report(campaign),
        "counted_again_from_recipients_csv": recounted.counts(),
        "outcomes": [
            {
                "submitted": str(Submission(submission).label),
                "delivered": str(Delivery(delivery).label),
                "reason": reason,
                "mails": n,
            }
            for submission, delivery, reason, n in tallies.values_list("submission", "delivery", "reason", "messages")
        ],
        "proofs": dossiers.proofs_of(campaign),
    }


class Recounted:
    """Mails on their way into the file, counted."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = rows
        self._counts: Counter[tuple[str, str]] = Counter()

    def __iter__(self) -> Iterator[Row]:
        rows = iter(self.rows)
        header = next(rows)
        yield header
        submitted, delivered = header.index("submitted"), header.index("delivered")
        for row in rows:
            self._counts[row[submitted], row[delivered]] += 1
            yield row

    def counts(self) -> list[dict[str, Any]]:
        return [
            {"submitted": submitted, "delivered": delivered, "mails": n}
            for (submitted, delivered), n in sorted(self._counts.items())
        ]
