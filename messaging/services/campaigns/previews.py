"""A campaign's text as one contact reads it: who is meant by what somebody typed, and whether they would get it."""

import copy
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from laaffic_console.kit.masking import masks
from laaffic_console.kit.words import plain_text
from messaging import search_indexes
from messaging.models import Campaign, Contact, GroupMembership, PastedNumber, SuppressionEntry
from messaging.services.audience import given_numbers, rules
from messaging.services.channels import channels
from messaging.services.forecast import forecast
from messaging.services.saved_audiences import audience_sql
from messaging.services.text import merged_texts
from messaging.services.text.merge_values import for_eyes, values_of
from messaging.subscribers import spellings, subscriber
from messaging.text import merge_fields, segments
from messaging.text.segments import Encoding

OFFERED = 6


@dataclass(frozen=True, slots=True)
class Preview:
    """`says` is what must be known of the contact; without a contact the text stands as it was written.

    `shown`: the text as the viewer may see it; `text` is what is sent, and counted.
    """

    text: str
    shown: str
    contact: Contact | None = None
    says: str = ""
    others: list[Contact] = field(default_factory=list)


def first(campaign: Campaign) -> Preview:
    """The text as the first contact of its audience reads it."""
    sample = next(iter(forecast.sample(campaign, 1)), None)
    text, shown = _texts(campaign, sample or Contact())
    return Preview(text, shown, sample, unfit(campaign, sample, text) if sample else "")


def unfilled(campaign: Campaign, says: str = "") -> Preview:
    return Preview(campaign.text, campaign.text, says=says)


def _texts(campaign: Campaign, contact: Contact) -> tuple[str, str]:
    return forecast.as_contact(campaign.text, contact), forecast.as_shown(campaign.text, contact)


def asked_for(campaign: Campaign, typed: str) -> Preview:
    """The text as a contact with this name or part of a number reads it, preferably one whom the campaign reaches."""
    found = _found(typed)
    if not found:
        return unfilled(campaign, _("There is no contact “%(typed)s”.") % {"typed": typed})
    reasons = {contact.pk: why_not(campaign, contact) for contact in found}
    chosen, *others = sorted(found, key=lambda contact: bool(reasons[contact.pk]))
    text, shown = _texts(campaign, chosen)
    return Preview(text, shown, chosen, reasons[chosen.pk] or unfit(campaign, chosen, text), others)


def unfit(campaign: Campaign, contact: Contact, text: str) -> str:
    """Why the text cannot be sent to this contact with its fields filled in; "" where it can."""
    bound = merged_texts.bound(campaign)
    problem = bound.problem_of(text) if bound else ""
    if problem == merged_texts.BLANK:
        return _("With the fields filled in there is nothing to read: %(contact)s gets nothing.") % {"contact": contact}
    if problem:
        return _("With the fields filled in the text is too long: %(contact)s gets nothing.") % {"contact": contact}
    return ""


def why_otherwise(written: str, read: str) -> str:
    """Why a phone writes the text as it is read in UCS-2, although it was written in GSM-7; "" where it does not."""
    if segments.count(read).encoding == Encoding.GSM_7 or not is_plain(written) or not merge_fields.fields(written):
        return ""
    return _(
        "The text fits GSM-7. What this contact's fields fill in has letters outside GSM-7, so this message is UCS-2."
    )


def is_plain(written: str) -> bool:
    """Whether all that is not filled in fits GSM-7."""
    try:
        literal = merge_fields.render(merge_fields.parse(written), {})
    except merge_fields.MergeError:
        return False
    return segments.count(literal).encoding == Encoding.GSM_7


def as_read(campaign: Campaign, contact: Contact | None) -> Campaign:
    """A copy that is never stored: its title as this contact reads it."""
    title = channels.of(campaign).title(campaign)
    if contact is None or not title:
        return campaign
    values = merge_fields.with_derived(for_eyes(values_of(contact)))
    read = copy.copy(campaign)
    merged = channels.of(campaign).merged_title(merge_fields.parse(title), values)
    read.channel_options = {**campaign.channel_options, "title": merged}
    return read


def why_not(campaign: Campaign, contact: Contact) -> str:
    """Why this contact gets nothing of the campaign; "" for contacts in its audience."""
    groups = GroupMembership.objects.filter(contact=contact)
    named = {"contact": contact}
    is_in = _is_given(campaign, contact) or groups.filter(group__in=campaign.groups.all()).exists()
    is_in = is_in or (campaign.paste_id is not None and _is_pasted(campaign, contact))
    if not is_in and not audience_sql.meeting_among(rules.of(campaign), [contact.pk]):
        return _("%(contact)s is not in this campaign's audience, and gets nothing.") % named
    if given_numbers.excluded_among(given_numbers.groups_left_out(campaign), [contact.number]):
        return _("%(contact)s is in a group that is left out, and gets nothing.") % named
    stopped = SuppressionEntry.objects.stopping(channels.of(campaign).suppressed_on)
    if stopped.filter(number__in=spellings(contact.number)).exists():
        return _("%(contact)s is on the suppression list, and gets nothing.") % named
    return ""


def _is_given(campaign: Campaign, contact: Contact) -> bool:
    return not given_numbers.valid_numbers(campaign).keys().isdisjoint(spellings(contact.number))


def _is_pasted(campaign: Campaign, contact: Contact) -> bool:
    return PastedNumber.objects.filter(paste=campaign.paste_id, subscriber=subscriber(contact.number)).exists()


def _found(typed: str) -> list[Contact]:
    """What an index answers first; a part from the middle is looked for only when nothing begins so."""
    term = plain_text.plain(typed)
    digits = plain_text.digits_of(term)
    for condition in _by_number(digits) if digits else _by_name(term):
        if found := _some(Contact.objects.filter(condition)):
            return found
    return []


def _some(contacts: QuerySet[Contact]) -> list[Contact]:
    return list(contacts[:OFFERED])


def _by_number(digits: str) -> list[Q]:
    exact = Q(number__in=spellings(digits))
    if not masks.may_see():  # as people_search.whole says
        return [exact]
    return [exact, search_indexes.numbers_from(digits), Q(number__contains=digits)]


def _by_name(term: str) -> list[Q]:
    if not term:
        return []
    by_address = Q(email__istartswith=term) if masks.may_see() else Q(email__iexact=term)
    holds = Q(name__icontains=term) | by_address
    return [search_indexes.starts("name", term), holds]
