"""What messaging knows of a person: contact, consent, messages, replies, emails."""

from collections.abc import Collection, Iterable, Sequence

from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.stored_words import reason_in_words
from messaging.models import (
    ConsentEvent,
    ConsentState,
    Contact,
    EmailMessage,
    Erasure,
    Message,
    MessageState,
    Reply,
    SuppressionEntry,
    SuppressionRelease,
)
from messaging.people import contact_traces
from messaging.people.contact_traces import Trace
from messaging.people.person_timeline import Behind, Entry, Person, Source, register, rows_behind
from messaging.services.figures.thread import TONES
from messaging.subscribers import subscriber

CONSENT_TONES = {ConsentState.GIVEN: "good", ConsentState.WITHDRAWN: "bad", ConsentState.UNKNOWN: ""}


def register_all() -> None:
    register(Source("consents", gettext_lazy("Consent"), "handshake", "messaging.view_consent", consents))
    register(Source("contact", gettext_lazy("Contact"), "person", "messaging.view_contact", contacts))
    register(Source("emails", gettext_lazy("Email"), "mail", "messaging.view_emailmessage", emails))
    register(Source("erasures", gettext_lazy("Erased"), "person_remove", "messaging.view_contact", erasures))
    register(Source("messages", gettext_lazy("Message"), "sms", "messaging.view_message", messages))
    register(Source("released", gettext_lazy("Consent"), "check_circle", "messaging.view_suppressionentry", releases))
    register(Source("replies", gettext_lazy("Reply"), "reply", "messaging.view_reply", replies))
    register(Source("suppressed", gettext_lazy("Consent"), "block", "messaging.view_suppressionentry", suppressed))
    register_traces()


def register_traces() -> None:
    """Register the traces that show that a contact was dealt with: an undone import keeps such contacts."""
    contact_traces.register(Trace("email", gettext_lazy("an email was sent to them"), _mailed, by_email=True))
    contact_traces.register(Trace("message", gettext_lazy("a message was made for them"), _messaged))
    contact_traces.register(Trace("reply", gettext_lazy("they have answered"), _replied))


def _mailed(emails: Collection[str]) -> Iterable[str]:
    return EmailMessage.objects.filter(address__among=emails).order_by().values_list("address", flat=True)


def _messaged(numbers: Collection[str]) -> Iterable[str]:
    return Message.objects.filter(number__among=numbers).order_by().values_list("number", flat=True).distinct()


def _replied(numbers: Collection[str]) -> Iterable[str]:
    return Reply.objects.filter(number__among=numbers).order_by().values_list("number", flat=True).distinct()


def contacts(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = rows_behind(Contact.objects.filter(pk__in=person.contact_ids), "created_at", behind, limit)
    said = _("Added to the contacts")
    return [Entry(row.at_moment, row.pk, said, row.source, own_page(row)) for row in rows]


def consents(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = ConsentEvent.objects.filter(subscriber=subscriber(person.numbers[0])).select_related("by")
    return [
        Entry(
            row.at_moment,
            row.pk,
            _("Consent for %(channel)s: %(state)s")
            % {"channel": row.get_channel_display(), "state": row.get_state_display()},
            " · ".join(filter(None, [row.words, row.source, str(row.by or "")])),
            tone=CONSENT_TONES[ConsentState(row.state)],
        )
        for row in rows_behind(rows, "at", behind, limit)
    ]


def messages(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    """One for each campaign at most: the index on number and campaign finds them all."""
    at = Coalesce("settled_at", "campaign__launched_at", "campaign__created_at")
    rows = Message.objects.filter(number__in=person.numbers).select_related("campaign")
    return [
        Entry(
            row.at_moment,
            row.pk,
            f"{row.campaign.get_channel_display()}: {row.campaign.name}",
            " · ".join(filter(None, [row.get_state_display(), reason_in_words(row.reason)])),
            own_page(row),
            TONES.get(MessageState(row.state), ""),
        )
        for row in rows_behind(rows, at, behind, limit)
    ]


def replies(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = Reply.objects.filter(number__in=person.numbers).select_related("campaign")
    return [
        Entry(
            row.at_moment,
            row.pk,
            _("Opted out with “%(word)s”") % {"word": row.opt_out}
            if row.opt_out
            else _("Answered “%(name)s”") % {"name": row.campaign.name}
            if row.campaign
            else _("Wrote"),
            row.content,
            own_page(row),
            "warn" if row.opt_out else "",
        )
        for row in rows_behind(rows, "at", behind, limit)
    ]


def emails(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    if not person.emails:
        return []
    rows = EmailMessage.objects.filter(address__in=person.emails).select_related("campaign")
    return [
        Entry(
            row.at_moment,
            row.pk,
            row.campaign.name,
            f"{row.get_submission_display()} · {row.get_delivery_display()}",
            own_page(row),
        )
        for row in rows_behind(rows, "told_at", behind, limit)
    ]


def suppressed(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = SuppressionEntry.objects.filter(number__in=person.numbers).select_related("created_by")
    return [
        Entry(
            row.at_moment,
            row.pk,
            _("Suppressed: %(channel)s") % {"channel": row.get_channel_display()},
            " · ".join(filter(None, [row.get_reason_display(), row.note, str(row.created_by or "")])),
            own_page(row),
            "bad",
        )
        for row in rows_behind(rows, "created_at", behind, limit)
    ]


def releases(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = SuppressionRelease.objects.filter(number__in=person.numbers).select_related("released_by")
    return [
        Entry(
            row.at_moment,
            row.pk,
            _("Allowed again: %(channel)s") % {"channel": row.get_channel_display()},
            " · ".join(filter(None, [row.why, str(row.released_by or "")])),
            tone="good",
        )
        for row in rows_behind(rows, "released_at", behind, limit)
    ]


def erasures(person: Person, behind: Behind, limit: int) -> Sequence[Entry]:
    rows = Erasure.objects.filter(number__in=person.numbers).select_related("erased_by")
    return [
        Entry(
            row.at_moment,
            row.pk,
            _("Erased") if row.is_done else _("Erasure asked for"),
            f"{row.why} · {row.erased_by or '–'}",
            tone="warn",
        )
        for row in rows_behind(rows, "erased_at", behind, limit)
    ]
