"""What of messaging can be found from everywhere, each by what an operator has at hand: a number, a name, an id."""

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.masking.masks import in_text, masked, may_see
from laaffic_console.kit.pages import own_page
from laaffic_console.kit.registers.search_kinds import (
    Kind,
    Query,
    Result,
    beginning_with,
    listed,
    named,
    register,
    rows_of,
)
from laaffic_console.kit.words.stored_words import reason_in_words
from messaging.models import (
    Campaign,
    ContactGroup,
    ContactImport,
    EmailCampaign,
    EmailMessage,
    Message,
    MmsAttachment,
    Reply,
    SuppressionEntry,
)
from messaging.people.person_links import person_page
from messaging.services.contacts import people_search
from messaging.subscribers import spellings
from messaging.wire.order_ids import message_id_of

SHOWN = 80  # characters of a text
CONTACTS = 8  # whose messages are looked for


def register_all() -> None:
    register(Kind("people", gettext_lazy("People"), "person", "messaging.view_contact", people, place=0))
    register(
        Kind(
            "campaigns",
            gettext_lazy("Campaigns"),
            "campaign",
            "messaging.view_campaign",
            rows_of(
                Campaign.objects.exclude(channel="voice"),  # spoken ones have pages of their own
                named("name"),
                "messaging_campaign_change",
                subtitle=lambda row: f"{row.get_channel_display()} · {row.get_state_display()}",
            ),
            listed("messaging_campaign_changelist"),
            place=10,
        )
    )
    register(
        Kind(
            "email-campaigns",
            gettext_lazy("Email campaigns"),
            "mail",
            "messaging.view_emailcampaign",
            rows_of(
                EmailCampaign.objects.all(),
                lambda query: named("name", "subject")(query) | Q(task_id=query.text),
                "messaging_emailcampaign_change",
                subtitle=lambda row: row.get_state_display(),
            ),
            place=11,
        )
    )
    register(
        Kind(
            "groups",
            gettext_lazy("Groups"),
            "group",
            "messaging.view_contactgroup",
            rows_of(
                ContactGroup.objects.filter(is_ad_hoc=False),
                named("name"),
                "messaging_contactgroup_change",
                subtitle=lambda row: row.description,
            ),
            listed("messaging_contactgroup_changelist"),
            place=15,
        )
    )
    register(
        Kind(
            "messages",
            gettext_lazy("Messages"),
            "sms",
            "messaging.view_message",
            rows_of(
                Message.objects.select_related("campaign"),
                message_condition,
                "messaging_message_change",
                title=lambda row: str(masked(row.number)),
                subtitle=lambda row: " · ".join(
                    filter(None, [row.campaign.name, row.get_state_display(), in_text(reason_in_words(row.reason))])
                ),
            ),
            listed("messaging_message_changelist"),
            place=20,
        )
    )
    register(
        Kind(
            "replies",
            gettext_lazy("Replies"),
            "reply",
            "messaging.view_reply",
            rows_of(
                Reply.objects.all(),
                of_number,
                "messaging_reply_change",
                title=lambda row: str(masked(row.number)),
                subtitle=lambda row: row.content[:SHOWN],
            ),
            listed("messaging_reply_changelist"),
            place=21,
        )
    )
    register(
        Kind(
            "emails",
            gettext_lazy("Emails"),
            "outgoing_mail",
            "messaging.view_emailmessage",
            rows_of(
                EmailMessage.objects.select_related("campaign"),
                lambda query: Q(address=query.text.lower()) | Q(email_id=query.text),
                "messaging_emailmessage_change",
                subtitle=lambda row: f"{row.campaign.name} · {row.get_submission_display()}",
            ),
            listed("messaging_emailmessage_changelist"),
            place=22,
        )
    )
    register(
        Kind(
            "suppressed",
            gettext_lazy("Suppression list"),
            "block",
            "messaging.view_suppressionentry",
            rows_of(
                SuppressionEntry.objects.all(),
                of_number,
                "messaging_suppressionentry_change",
                title=lambda row: str(masked(row.number)),
                subtitle=lambda row: f"{row.get_channel_display()} · {row.get_reason_display()}",
            ),
            listed("messaging_suppressionentry_changelist"),
            place=25,
        )
    )
    register(
        Kind(
            "attachments",
            gettext_lazy("MMS attachments"),
            "perm_media",
            "messaging.view_mmsattachment",
            rows_of(MmsAttachment.objects.defer("content"), named("name"), "messaging_mmsattachment_change"),
            listed("messaging_mmsattachment_changelist"),
            place=30,
        )
    )
    register(
        Kind(
            "imports",
            gettext_lazy("Imports"),
            "upload_file",
            "messaging.view_contactimport",
            rows_of(ContactImport.objects.all(), named("file_name"), "messaging_contactimport_change"),
            place=31,
        )
    )


def people(query: Query, limit: int) -> list[Result]:
    """Contacts, each with the page of their whole history; and a number that no longer belongs to a contact.

    That page's address is the number: anyone who sees numbers masked is led to the contact instead.
    """
    if not may_see():
        return [
            Result(
                contact.shown_name or str(masked(contact.number)),
                subtitle_of(contact),
                own_page(contact),
            )
            for contact in people_search.find(query, limit, anywhere=True)
        ]
    found = [
        Result(contact.name or contact.number, subtitle_of(contact), person_page(contact.number))
        for contact in people_search.find(query, limit, anywhere=True)
    ]
    if not found and (number := people_search.stranger(query)):
        return [Result(number, _("not among the contacts"), person_page(number))]
    return found


def subtitle_of(contact: object) -> str:
    number, name, email, country = (getattr(contact, column) for column in ("number", "name", "email", "country"))
    return " · ".join(filter(None, [masked(number) if name else "", masked(email), country]))


def message_condition(query: Query) -> Q:
    """Messages by number (whole, or a contact's that begins or ends so), gateway id, order id or their own id."""
    ours = message_id_of(settings.LAAFFIC_ORDER_PREFIX, query.text)
    condition = Q(gateway_id=query.text)
    if numbers := people_search.numbers_of(query, CONTACTS):
        condition |= Q(number__in=numbers)
    for pk in (ours, query.row_id):
        if pk is not None:
            condition |= Q(pk=pk)
    return condition


def of_number(query: Query) -> Q | None:
    """Rows whose number begins so, or is another spelling of this number; None if the query cannot be a number."""
    if not query.may_be_a_number:
        return None
    return beginning_with("number", query.digits) | Q(number__in=spellings(query.digits)[1:])
