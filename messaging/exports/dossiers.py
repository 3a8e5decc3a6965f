"""The dossier of a campaign: all that the console knows of it, in one signed file that others can check.

Here is what all kinds of campaigns have; each kind says beside it what its own know. What a campaign that still goes on
says is true as of when it was read, and the dossier says so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from laaffic_console.exporting import columns
from laaffic_console.exporting.ledger import COLUMNS as LEDGER_COLUMNS
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.files import exports, signed_zip
from laaffic_console.kit.files.signed_zip import SignedZip, as_json
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.stored_words import in_words
from messaging.services.approvals import approvable, approval_limits, shown
from messaging.services.figures import proofs

# What decides how a campaign is sent and counted. A list of what is included, so that no secret can come into it.
SETTINGS = ["LAAFFIC_TIME_ZONE", "TIME_ZONE", "LAAFFIC_ORDER_PREFIX", "LAAFFIC_RECIPIENTS_PER_CALL"]
SETTINGS += ["LAAFFIC_TIMEOUTS", "LAAFFIC_CONFIRM_REPORTS", "REPORT_WINDOW_HOURS", "LAAFFIC_CLOCK_SLACK_SECONDS"]
SETTINGS += ["LAAFFIC_ERROR_LIMIT", "LAAFFIC_LOST_ANSWERS", "LAAFFIC_LOST_ANSWERS_CAMPAIGNS"]
SETTINGS += ["LAAFFIC_LATEST_START_MINUTES", "LAAFFIC_UNDO_SECONDS", "LAAFFIC_APPROVAL_RECIPIENTS"]
SETTINGS += ["LAAFFIC_FREQUENCY_CAP_DAY", "LAAFFIC_FREQUENCY_CAP_WEEK"]
SETTINGS += ["LAAFFIC_APPROVAL_COST", "LAAFFIC_MARKETING_NEEDS_CONSENT"]
SETTINGS += ["OPT_OUT_EVERY_CHANNEL", "OPT_OUT_WORDS", "OPT_IN_WORDS"]

Row = Sequence[Any]
Pieces = Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a dossier: what README.txt says of it, and its content, made when its turn comes."""

    name: str
    holds: str
    content: Callable[[], Pieces]


def write(into: BinaryIO, title: str, parts: Sequence[Part], *, is_over: bool) -> None:
    with SignedZip(into) as made:
        made.about = {
            "title": title,
            "as_of": timezone.localtime().isoformat(sep=" ", timespec="seconds"),
            "is_over": is_over,
        }
        made.add("README.txt", [readme(made.about, parts).encode()])
        for part in parts:
            made.add(part.name, part.content())


def document(name: str, holds: str, make: Callable[[], Any]) -> Part:
    return Part(name, holds, lambda: [as_json(make())])


def table(name: str, holds: str, make: Callable[[], Iterable[Row]]) -> Part:
    return Part(name, holds, lambda: exports.csv_bytes(make()))


def content(campaign: Any, fields: Sequence[str], user: User | None) -> Part:
    """`user`: who makes it; None is the command line."""
    sees_names = user is None or user.has_perm("messaging.view_contact")

    def make() -> dict[str, Any]:
        return {
            **{name: getattr(campaign, name) for name in fields},
            "application": {"app_id": campaign.application.app_id, "name": campaign.application.name},
            "created_by": username(campaign.created_by),
            "authors": [username(author) for author in campaign.authors.order_by("pk")],
            "launched_by": username(campaign.launched_by),
            "dossier_made_by": username(user) or "the command line",
            "names_of_recipients": "as they are now" if sees_names else "left out: who made it may not see contacts",
        }

    return document("campaign.json", "what was sent, by whom, when; by whom the dossier was made", make)


def approvals(campaign: Any) -> Part:
    """Each word that was asked for, with what was shown then, and whether the campaign's own fields are still those."""
    kind = approvable.kind_of(campaign)

    def make() -> dict[str, Any]:
        now = kind.parts(campaign)  # also of a request that was withdrawn: it is bound to nothing
        asked = campaign.approvals.select_related("asked_by", "decided_by").order_by("pk")
        return {
            "digests_of_the_campaign_now": now,
            "launch_was_decided_upon": getattr(campaign, "shown", None),
            "approvals": [
                {
                    "outcome": approval.outcome,
                    "asked_by": username(approval.asked_by),
                    "asked_at": approval.asked_at,
                    "asked_note": approval.asked_note,
                    "decided_by": username(approval.decided_by),
                    "decided_at": approval.decided_at,
                    "note": approval.note,
                    "recipients": approval.recipients,
                    "expected_cost": approval.cost,
                    "what_was_shown": approval.bound_to,
                    "changed_since": shown.changed_parts(approval.bound_to.get("parts", now), now, kind.names),
                }
                for approval in asked
            ],
        }

    return document("approvals.json", "each approval with what was shown, and what was changed since", make)


def settings_part() -> Part:
    return document("settings.json", "the settings that decide how a campaign is sent; no secret", _settings)


def _settings() -> dict[str, Any]:
    address, asked = urlsplit(settings.LAAFFIC_BASE_URL), approval_limits.now()
    try:
        console = version("laaffic-console")
    except PackageNotFoundError:
        console = ""
    return {
        "as_they_are_when_the_dossier_is_made": {name: getattr(settings, name) for name in SETTINGS},
        "approval_limits": {"recipients": asked.recipients, "cost": asked.cost},
        "gateway": f"{address.scheme}://{address.hostname or ''}{address.path}",
        "console": console,
        "database": connection.vendor,
    }


def ledger(campaign: Any, about: str) -> Part:
    entries = LedgerEntry.objects.filter(about_kind=about, about_id=campaign.pk)
    shown_columns = LEDGER_COLUMNS | {"digest": "digest"}
    return table(
        "ledger.csv",
        "each request to Laaffic about this campaign, with its answer",
        lambda: columns.rows(entries, shown_columns, told=("reason", "evidence")),
    )


def events(campaign: Any) -> Part:
    """What happened to the campaign, and before it each edit of the draft: there is no other history of versions."""

    def make() -> Iterator[Row]:
        yield ["at", "by", "what", "kept by"]
        drafts = [model for model in apps.get_models() if model._meta.concrete_model is type(campaign)]
        types = ContentType.objects.get_for_models(*drafts, for_concrete_models=False).values()
        edits = LogEntry.objects.filter(content_type__in=[kind.pk for kind in types], object_id=str(campaign.pk))
        for edit in edits.select_related("user").order_by("pk").iterator(chunk_size=2000):
            yield [edit.action_time, username(edit.user), edit.get_change_message() or str(edit), "forms"]
        happened = campaign.events.order_by("pk").values_list("at", "actor__username", "text")
        for at, by, text in happened.iterator(chunk_size=2000):
            yield [at, by or "", in_words(text), "campaign"]

    return table("events.csv", "edits of the draft, and what happened to the campaign", make)


def proofs_of(campaign: Any) -> list[dict[str, Any]]:
    return [
        {"at": proof.finished_at, "by": proof.asked_by_name, "figures": proof.figures, "wrong": proof.disagreements}
        for proof in proofs.finished_of(campaign)
    ]


def readme(about: dict[str, Any], parts: Sequence[Part]) -> str:
    listed = "\n".join(f"  {part.name:<16} {part.holds}" for part in parts)
    standing = "It was over." if about["is_over"] else "It was NOT over: some of this has changed since."
    return f"""Dossier of {about["title"]}
as of {about["as_of"]}. {standing}

What is in it
{listed}
  manifest.json    SHA-256 and size of each file

How to check it
  manage.py verify_dossier FILE --key FINGERPRINT
or, on any machine with Python and the library cryptography, with laaffic_console/verify_dossier.py alone:
  python verify_dossier.py FILE --key FINGERPRINT
The fingerprint is the one that the people who run the console gave you beforehand; this one says it is
  {signed_zip.own_fingerprint()}
Every byte of the file is covered. Do not unpack and pack it again: that makes another file, which is not signed.

What it proves
That the file is as this console wrote it, and was not changed since. It does not prove that the console was told the
truth, and anyone who holds the console's key can sign anything.
"""
